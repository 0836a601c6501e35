"""The Inception family: GoogLeNet, Inception-v3, Inception-v4, Inception-ResNet-v2."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Unpack

import keras

from keras_convnets import checks, units
from keras_convnets.architectures.inception import googlenet, inception_resnet, v3, v4
from keras_convnets.architectures.inception.googlenet import GOOGLENET, LRN, inception
from keras_convnets.architectures.inception.multibranch import SLIM, TORCHVISION
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.units import Style, Unit, heads

V3, LARGE = "arXiv:1512.00567", (3, 299, 299)
GOOGLENET_SIDES = ("inception4_block1", "inception4_block4")  # the blocks 4a and 4d
GOOGLENET_AUXILIARY = googlenet.auxiliary_head(googlenet.auxiliary_pool)
TORCHVISION_AUXILIARY = googlenet.auxiliary_head(units.adaptive_avg_pool(4), TORCHVISION)


class InceptionBuilder:
    """Networks of blocks with parallel branches.

    GoogLeNet requires at least 31 rows and columns (``googlenet`` 47 with its auxiliary
    classifiers), the other networks at least 75 (299 with Inception-v3's auxiliary classifier). For
    smaller images, a ``ValueError`` names the block that they are too small for. Rows and columns
    may be ``None``, except for ``googlenet`` with auxiliary classifiers. Convolutions use He normal
    initialisation; the sources use Gaussian, Xavier or truncated normal initialisation.

    With ``include_auxiliary``, a network has its auxiliary classifiers, each with an output of
    shape ``(batch, num_outputs)`` after the main one. There are none without the top. They are
    trained with the same labels and a smaller loss weight: 0.3 in the GoogLeNet paper, 0.4 in
    TF-Slim's Inception-v3. They are not needed for inference.

    ``googlenet`` follows Szegedy et al., "Going Deeper with Convolutions" (2014, arXiv:1409.4842).
    Details that the paper does not specify follow Caffe's ``bvlc_googlenet``: local response
    normalisation over 5 channels (alpha 1e-4 / 5, beta 0.75, k 1), symmetric padding in the first
    convolution, biases everywhere, and dropout of 40% before the classifier. The auxiliary
    classifiers follow blocks 4a and 4d: 5x5/3 average pooling, a 1x1 convolution to 128 channels, a
    hidden layer of 1024 units, dropout of 70%. Pooling is that of Caffe at any size: unpadded, and
    a last window that extends beyond the edge is clipped rather than dropped. TF-Slim's network has
    batch normalisation, no local response normalisation, no auxiliary classifiers, asymmetric
    padding in the first convolution, and "same" padding in max-pooling, which returns one row more
    where sizes are odd.

    ``googlenet_bn`` is torchvision's network. Convolutions have no biases and are followed by batch
    normalisation (epsilon 1e-3, momentum 0.9). The third branch of a block has a 3x3 kernel instead
    of the paper's 5x5. The last pooling between stages is 2x2/2 instead of 3x3/2. Max-pooling
    rounds sizes up as in ``googlenet`` (``ceil_mode``). There is no local response normalisation,
    and dropout is 20%. The auxiliary classifiers begin with adaptive average pooling to 4x4 instead
    of 5x5/3 pooling, and their convolution is followed by batch normalisation.

    ``inception_v3`` is torchvision's form of Szegedy et al., "Rethinking the Inception Architecture
    for Computer Vision" (2015, arXiv:1512.00567), as released with TF-Slim. Batch normalisation has
    a scale, epsilon 1e-3 and momentum 0.9. Average pooling includes the zero padding, and dropout
    is 50%. TF-Slim's batch normalisation has no scale, its average pooling excludes padding, and
    its dropout is 20%. The auxiliary classifier follows the last block at 17 x 17.
    ``inception5_block1`` corresponds to ``Mixed_5b`` in torchvision and TF-Slim, and ``reduction6``
    to ``Mixed_6a``.

    ``inception_v3_keras`` computes the same as ``keras.applications.InceptionV3``: the same graph
    with batch normalisation without scale (epsilon 1e-3, momentum 0.99), average pooling that
    excludes padding, and no dropout. Keras' ``mixed0`` to ``mixed2`` are ``inception5_block1`` to
    ``3``, ``mixed3`` is ``reduction6``, ``mixed4`` to ``mixed7`` are ``inception6_block1`` to
    ``4``, ``mixed8`` is ``reduction7``, ``mixed9`` and ``mixed10`` are ``inception7_block1`` and
    ``2``.

    ``inception_v4`` is the network of Szegedy et al., "Inception-v4, Inception-ResNet and the
    Impact of Residual Connections on Learning" (2016, arXiv:1602.07261), in TF-Slim's form: no
    biases, batch normalisation without scale (epsilon 1e-3), average pooling that excludes padding,
    and dropout of 20%. Where the order of 1x7 and 7x1 convolutions differs from the paper's
    figures, it follows TF-Slim. For very long training, TF-Slim keeps 0.9997 of the moving
    statistics in each step; here it is 0.99, as in Keras' networks. TF-Slim's auxiliary classifier
    is not included. The PyTorch ports by Cadene and in timm have a scale in batch normalisation,
    and no dropout by default.

    ``inception_resnet_v2`` is the network of the same paper, as released with TF-Slim and in
    ``keras.applications.InceptionResNetV2``: batch normalisation without scale (epsilon 1e-3,
    momentum 0.99), average pooling that excludes padding, residuals scaled by 0.17, 0.1 and 0.2
    before the addition, and no dropout. TF-Slim drops 20% of the pooled features, keeps 0.9997 of
    the moving statistics, and has an auxiliary classifier. The network in the paper has
    Inception-v4's stem and blocks of other widths. Keras' ``mixed_5b`` is ``mixed5`` here;
    ``block35_1``, ``block17_1`` and ``block8_1`` are ``inception5_block1``, ``inception6_block1``
    and ``inception7_block1``; ``conv_7b`` is ``final``.

    Examples:
        >>> from keras_convnets import InceptionBuilder, cost, create_model
        >>> cost(create_model("inception_v4")).macs
        12253974624
        >>> InceptionBuilder.build_inception_v3((3, 75, 75), 10).output_shape
        (None, 10)
        >>> model = InceptionBuilder.build_googlenet((3, 96, 96), 10)
        >>> [output.name for output in model.layers if output.name.endswith("dense2")]
        ['aux1_dense2', 'aux2_dense2']
        >>> loss = "sparse_categorical_crossentropy"
        >>> model.compile("sgd", [loss] * 3, loss_weights=[1, 0.3, 0.3])
        >>> # model.fit(x, (y, y, y)): the same labels three times
    """

    @staticmethod
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        stages: Sequence[Sequence[googlenet.Row | Unit]],
        style: Style | None = None,
        stem: Unit | None = None,
        dropout: float = 0.0,
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a network with custom rows, in the columns of GoogLeNet's table.

        The network consists of a stem; stages of inception blocks, with 3x3/2 max-pooling between
        them; global average pooling, dropout and the output layer. The max-pooling, that of
        GoogLeNet's stem included, is that of ``googlenet``: unpadded and rounding sizes up. Since
        [`caffe_max_pool`][keras_convnets.caffe_max_pool] fills the last windows with zeros, a
        custom block before it should end in a ReLU.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns
                may be ``None``; otherwise they must be large enough for the strides.
            num_outputs: the number of outputs, at least 1.
            stages: a list of rows for each stage. A row has the columns of the paper's table,
                ``(1x1, (1x1, 3x3), (1x1, 5x5), pooling)``, as numbers of channels: ``(64, (96,
                128), (16, 32), 32)``; see [`inception`][keras_convnets.inception]. A function of a
                tensor in place of a row is used as a custom block.
            style: the style of the convolutions in the rows and in GoogLeNet's stem; ``None``
                for the paper's: biases, no batch normalisation.
            stem: a function of a tensor that precedes the stages, in the group ``conv1``; ``None``
                for GoogLeNet's stem, which divides the size by 8. For small images, use a stem
                that preserves the size.
            dropout: the fraction of the pooled features to drop in training.
            **options: see [`Options`][keras_convnets.Options].

        Returns:
            A functional model with one output of shape ``(batch, num_outputs)``. Its groups are
            ``conv1`` (and ``conv2`` in GoogLeNet's stem), the blocks from ``inception3_block1``,
            and the pooling between stages from ``pool3``.

        Raises:
            ValueError: for an invalid shape, row or option.

        Examples:
            >>> from keras_convnets import Style, conv_bn_relu
            >>> from keras_convnets import InceptionBuilder
            >>> bn = Style(use_bias=False)
            >>> stages = [[(16, (16, 32), (4, 8), 8)] * 2, [(32, (32, 64), (8, 16), 16)]]
            >>> stem = conv_bn_relu(32, 3, style=bn)
            >>> model = InceptionBuilder.build((3, 32, 32), 10, stages, bn, stem, dropout=0.2)
            >>> model.get_layer("inception4_block1_concat").output.shape
            (None, 16, 16, 128)
        """
        googlenet.check_table(stages)
        block = functools.partial(inception, style=style)
        parts = [
            *(googlenet.stem(style) if stem is None else [("conv1", stem)]),
            *googlenet.stages(stages, block),
        ]
        head = heads.dropout_classifier(checks.rate("dropout", dropout))
        return assemble(input_shape, num_outputs, parts, "inception", head, **options)

    @staticmethod
    @published("Szegedy et al. 2014 (arXiv:1409.4842), as in Caffe's bvlc_googlenet")
    def build_googlenet(
        input_shape: InputShape,
        num_outputs: Outputs,
        *,
        include_auxiliary: bool = True,
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return GoogLeNet as published: nine inception blocks, 3a to 5b."""
        parts = [*googlenet.stem(norm=LRN), *googlenet.stages(GOOGLENET)]
        head = heads.dropout_classifier(0.4)
        sides = _sides(include_auxiliary, GOOGLENET_AUXILIARY, *GOOGLENET_SIDES)
        return assemble(input_shape, num_outputs, parts, "googlenet", head, sides, **options)

    @staticmethod
    @published("torchvision's GoogLeNet (arXiv:1409.4842)")
    def build_googlenet_bn(
        input_shape: InputShape,
        num_outputs: Outputs,
        *,
        include_auxiliary: bool = False,
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return torchvision's GoogLeNet: batch normalisation after every convolution."""
        block = functools.partial(inception, style=TORCHVISION, large_kernel=3)
        parts = [*googlenet.stem(TORCHVISION), *googlenet.stages(GOOGLENET, block, last_pool=2)]
        head = heads.dropout_classifier(0.2)
        sides = _sides(include_auxiliary, TORCHVISION_AUXILIARY, *GOOGLENET_SIDES)
        return assemble(input_shape, num_outputs, parts, "googlenet_bn", head, sides, **options)

    @staticmethod
    @published(f"torchvision's Inception3 ({V3})", LARGE)
    def build_inception_v3(
        input_shape: InputShape,
        num_outputs: Outputs,
        *,
        include_auxiliary: bool = False,
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return torchvision's Inception-v3: blocks of factorised convolutions, 48 layers deep."""
        sides = _sides(include_auxiliary, v3.auxiliary_head(TORCHVISION), "inception6_block4")
        parts, head = v3.parts(TORCHVISION), heads.dropout_classifier(0.5)
        return assemble(input_shape, num_outputs, parts, "inception_v3", head, sides, **options)

    @staticmethod
    @published(f"keras.applications' InceptionV3 ({V3})", LARGE)
    def build_inception_v3_keras(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return Inception-v3 as in ``keras.applications.InceptionV3``."""
        return assemble(input_shape, num_outputs, v3.parts(SLIM), "inception_v3_keras", **options)

    @staticmethod
    @published("TF-Slim's Inception-v4 (arXiv:1602.07261)", LARGE)
    def build_inception_v4(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return Inception-v4: a stem with branches, 4 blocks A, 7 blocks B, 3 blocks C."""
        parts, head = v4.parts(SLIM), heads.dropout_classifier(0.2)
        return assemble(input_shape, num_outputs, parts, "inception_v4", head, **options)

    @staticmethod
    @published("keras.applications' InceptionResNetV2 (arXiv:1602.07261)", LARGE)
    def build_inception_resnet_v2(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return Inception-ResNet-v2: 10, 20 and 10 residual blocks between two reductions."""
        parts = inception_resnet.parts(SLIM)
        return assemble(input_shape, num_outputs, parts, "inception_resnet_v2", **options)


def _sides(include_auxiliary: Any, head: heads.Head, *groups: str) -> dict[str, heads.Head]:
    """Return the auxiliary heads, keyed by the groups that they follow, if they are included."""
    checks.choice("include_auxiliary", include_auxiliary, (True, False))
    return dict.fromkeys(groups, head) if include_auxiliary else {}
