"""VGG: stages of 3x3 convolutions, each ending in 2x2 max-pooling, and three dense layers.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition" (2014,
arXiv:1409.1556), table 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Unpack

import keras

from keras_convnets import checks, units
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.typed import explaining, typed
from keras_convnets.units import TORCH_BIASED, Part, Unit, chain, heads

PAPER = "Simonyan and Zisserman 2014 (arXiv:1409.1556)"
TORCHVISION = "torchvision (arXiv:1409.1556)"

# The columns of table 1: the number of convolutions in each stage, and their filters.
CONFIGURATIONS = {
    "A": ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512)),
    "B": ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512)),
    "D": ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)),
    "E": ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512)),
}

DENSE_HEAD = heads.hidden_classifier()
TORCHVISION_HEAD = heads.adaptive(7, DENSE_HEAD)
CONVOLUTIONAL_HEAD = heads.convolutional_classifier(
    *(units.conv_relu(4096, 7, padding="valid"), units.dropout(0.5)),
    *(units.conv_relu(4096, 1), units.dropout(0.5)),
)


class VggOptions(Options, total=False):
    """The keyword options of a VGG network: the common options and the type of its head."""

    fully_convolutional: bool
    """Whether the head is convolutional rather than dense. Default ``False``."""


@typed
def vgg_stage(convolutions: int, filters: int, batch_norm: bool = False) -> Unit:
    """Return a stage of 3x3 convolutions with ReLU, and 2x2 max-pooling that halves the size.

    Args:
        convolutions: the number of convolutions.
        filters: the channels of each convolution.
        batch_norm: whether to put batch normalisation between each convolution and its ReLU.

    Examples:
        >>> import keras
        >>> from keras_convnets import vgg_stage
        >>> vgg_stage(2, 64)(keras.Input((224, 224, 3))).shape
        (None, 112, 112, 64)
    """
    checks.positive_integer("convolutions", convolutions, "the number of convolutions, such as 2")
    convolution = units.conv_relu(filters, 3)
    if batch_norm:
        convolution = units.conv_bn_relu(filters, 3, style=TORCH_BIASED)
    return chain(*[convolution] * convolutions, units.max_pool(2, 2, "valid"))


def vgg_stages(configuration: Any, batch_norm: bool = False) -> list[Part]:
    """Return the stages of a configuration: a letter, or convolutions and filters per stage."""
    return [
        (f"conv{number}", vgg_stage(convolutions, filters, batch_norm))
        for number, (convolutions, filters) in enumerate(_rows(configuration), start=1)
    ]


class VggBuilder:
    """VGG networks of 11 to 19 weight layers, with and without batch normalisation.

    The network has five stages of 3x3 convolutions with ReLU, each ending in 2x2 max-pooling with
    stride 2, which drops an odd last row or column. Dense layers of 4096, 4096 and ``num_outputs``
    units follow, with ReLU and dropout of 0.5 after the first two. ``vgg_11``, ``vgg_13``,
    ``vgg_16`` and ``vgg_19`` are configurations A, B, D and E of the paper; A-LRN and C (with 1x1
    convolutions) are not included. As in the paper and in keras.applications (which has no
    dropout), the last feature maps go to the first dense layer unchanged, so the shape of its
    kernel depends on the image size. torchvision's networks without batch normalisation compute the
    same at 224x224; at other sizes they pool the last feature maps to 7x7.

    The ``_bn`` networks are torchvision's: batch normalisation (epsilon 1e-5, momentum 0.9)
    follows each convolution, which keeps its bias. Average pooling of the last feature maps to 7x7
    precedes the dense layers: their shapes do not depend on the image size, which may be ``None``.
    At 224x224, the pooling has no effect. (A small image makes no smaller network: for one, use
    `build` with ``batch_norm=True``, which has no such pooling.) The paper has no batch
    normalisation.

    With ``fully_convolutional=True``, the head is the one that the paper uses for testing: an
    unpadded 7x7 convolution and two 1x1 convolutions replace the dense layers, and the logits are
    averaged over the pixels before the activation. It has as many parameters as the dense head at
    224x224 and accepts that size or larger; rows and columns may be ``None``. The weights of a
    dense head built at 224x224 can be used after a reshape, in either data format, because
    flattening orders rows first, then columns, then channels: the kernel of ``head_dense``
    (25088, 4096) becomes that of ``head_conv`` (7, 7, 512, 4096), and (4096, n) becomes
    (1, 1, 4096, n)::

        for number in ("", "2", "3"):
            kernel, bias = dense.get_layer(f"head_dense{number}").get_weights()
            convolution = convolutional.get_layer(f"head_conv{number}")
            convolution.set_weights([kernel.reshape(convolution.kernel.shape), bias])

    Unlike the dense layers, these convolutions use He initialisation and have the penalty, if any.
    """

    @staticmethod
    @explaining
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        configuration: str | Sequence[tuple[int, int]],
        batch_norm: bool = False,
        fully_convolutional: bool = False,
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a VGG network with custom stages.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns may
                be ``None`` with the fully convolutional head or without the top. Each stage halves
                them.
            num_outputs: the number of outputs, at least 1.
            configuration: ``"A"``, ``"B"``, ``"D"`` or ``"E"``, or the number of convolutions and
                their filters for each stage, such as ``((1, 64), (1, 128), (2, 256))``.
            batch_norm: whether batch normalisation follows each convolution.
            fully_convolutional: whether the head is convolutional, which requires the last feature
                maps to be at least 7x7.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for an invalid shape, configuration or option.

        Examples:
            >>> from keras_convnets import VggBuilder
            >>> model = VggBuilder.build((3, 32, 32), 10, ((1, 16), (2, 32)), batch_norm=True)
            >>> model.get_layer("conv2_pool").output.shape
            (None, 8, 8, 32)
        """
        checks.choice("batch_norm", batch_norm, (True, False))
        checks.choice("fully_convolutional", fully_convolutional, (True, False))
        parts = vgg_stages(configuration, batch_norm)
        head = CONVOLUTIONAL_HEAD if fully_convolutional else DENSE_HEAD
        return assemble(input_shape, num_outputs, parts, "vgg", head, **options)

    @staticmethod
    @published(PAPER)
    def build_vgg_11(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[VggOptions]
    ) -> keras.Model:
        """Return VGG-11: configuration A, 8 convolutions and 3 dense layers."""
        return VggBuilder.build(input_shape, num_outputs, "A", **options)

    @staticmethod
    @published(TORCHVISION)
    def build_vgg_11_bn(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[VggOptions]
    ) -> keras.Model:
        """Return VGG-11 with batch normalisation: configuration A, 8 convolutions."""
        return _torchvision(input_shape, num_outputs, "A", **options)

    @staticmethod
    @published(PAPER)
    def build_vgg_13(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[VggOptions]
    ) -> keras.Model:
        """Return VGG-13: configuration B, 10 convolutions and 3 dense layers."""
        return VggBuilder.build(input_shape, num_outputs, "B", **options)

    @staticmethod
    @published(TORCHVISION)
    def build_vgg_13_bn(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[VggOptions]
    ) -> keras.Model:
        """Return VGG-13 with batch normalisation: configuration B, 10 convolutions."""
        return _torchvision(input_shape, num_outputs, "B", **options)

    @staticmethod
    @published(PAPER)
    def build_vgg_16(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[VggOptions]
    ) -> keras.Model:
        """Return VGG-16: configuration D, 13 convolutions and 3 dense layers."""
        return VggBuilder.build(input_shape, num_outputs, "D", **options)

    @staticmethod
    @published(TORCHVISION)
    def build_vgg_16_bn(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[VggOptions]
    ) -> keras.Model:
        """Return VGG-16 with batch normalisation: configuration D, 13 convolutions."""
        return _torchvision(input_shape, num_outputs, "D", **options)

    @staticmethod
    @published(PAPER)
    def build_vgg_19(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[VggOptions]
    ) -> keras.Model:
        """Return VGG-19: configuration E, 16 convolutions and 3 dense layers."""
        return VggBuilder.build(input_shape, num_outputs, "E", **options)

    @staticmethod
    @published(TORCHVISION)
    def build_vgg_19_bn(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[VggOptions]
    ) -> keras.Model:
        """Return VGG-19 with batch normalisation: configuration E, 16 convolutions."""
        return _torchvision(input_shape, num_outputs, "E", **options)


def _torchvision(
    input_shape: InputShape,
    num_outputs: Outputs,
    configuration: str,
    fully_convolutional: bool = False,
    **options: Unpack[Options],
) -> keras.Model:
    """Return a network with batch normalisation and torchvision's head, or a convolutional one."""
    checks.choice("fully_convolutional", fully_convolutional, (True, False))
    parts = vgg_stages(configuration, batch_norm=True)
    head = CONVOLUTIONAL_HEAD if fully_convolutional else TORCHVISION_HEAD
    return assemble(input_shape, num_outputs, parts, "vgg", head, **options)


def _rows(configuration: Any) -> tuple[tuple[int, int], ...]:
    """Return the convolutions and filters of each stage, looked up by letter or checked."""
    if isinstance(configuration, str):
        return CONFIGURATIONS[checks.choice("configuration", configuration, CONFIGURATIONS)]
    rows = tuple(configuration) if isinstance(configuration, Iterable) else ()
    if not rows or any(not isinstance(row, Sequence) or len(row) != 2 for row in rows):
        raise ValueError(
            f"configuration: received {configuration!r}; expected 'A', 'B', 'D', 'E', or the "
            "convolutions and filters of each stage. Pass pairs, such as ((1, 64), (2, 128))."
        )
    meaning = "convolutions and filters, such as (2, 128)"
    checked = (checks.positive_integers("configuration", row, meaning) for row in rows)
    return tuple((convolutions, filters) for convolutions, filters in checked)
