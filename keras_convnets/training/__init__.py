"""Training: from a model and data to a folder of results.

Names are imported on first use, so importing this package loads neither Keras nor TensorFlow. The
stub next to this file lists them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
