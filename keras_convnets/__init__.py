"""Classical convolutional networks in Keras 3, exact to the parameter."""

import sys

import lazy_loader

# Names are imported when they are first used, so that the command line answers before TensorFlow
# is loaded and can set up its environment. The list of names is the stub beside this file.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# Keras finds the package's own layers in a saved model once their module has been imported. Where
# Keras is there already, nothing is to be gained by being late.
if "keras" in sys.modules:
    import keras_convnets.layers  # noqa: F401
