"""The grammar of the residual families: a stem, stages of blocks, and the end that the blocks need.

`residual_parts` is the one generator of all families. `post_activation` and `pre_activation` have
the blocks of the two papers.
"""

from keras_convnets.architectures.residual.ends import Block, ends_in_activation, ends_in_addition
from keras_convnets.architectures.residual.parts import find_block, residual_parts
from keras_convnets.architectures.residual.stems import cifar_stem, imagenet_stem

__all__ = [
    "Block",
    "cifar_stem",
    "ends_in_activation",
    "ends_in_addition",
    "find_block",
    "imagenet_stem",
    "residual_parts",
]
