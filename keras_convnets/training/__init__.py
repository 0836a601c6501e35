"""Training any Keras model from one call: it imports none of the builders."""
