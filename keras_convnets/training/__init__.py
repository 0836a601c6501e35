"""Training: from a model and data to a folder with the results.

Names are imported when they are first used, so that importing this package loads neither Keras nor
TensorFlow. The list of names is the stub beside this file.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
