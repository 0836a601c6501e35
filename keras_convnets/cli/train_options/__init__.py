"""The options of ``keras-convnets train``, a file for each group of them."""

from keras_convnets.cli.train_options.command import add_to, request

__all__ = ["add_to", "request"]
