"""Classical convolutional networks in Keras 3, exact to the parameter."""

import sys

import lazy_loader

# Names are imported on first use, so that the command line responds before TensorFlow is loaded and
# can set up its environment. The stub next to this file lists the names.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# Keras can only load this package's layers from a saved model once their module is imported. If
# Keras is already loaded, deferring that import saves nothing.
if "keras" in sys.modules:
    import keras_convnets.layers  # noqa: F401
