"""What computes the same as Keras' own, faster.

Nothing here changes the class, name, configuration or weights of a layer, so that a saved model
remains one of Keras alone. It acts on the TensorFlow backend only.
"""
