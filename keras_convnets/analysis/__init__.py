"""Analysis of any built functional Keras model. This subpackage does not import the builders."""
