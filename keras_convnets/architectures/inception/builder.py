"""The Inception family: GoogLeNet, Inception-v3, Inception-v4, Inception-ResNet-v2."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Unpack

import keras

from keras_convnets import checks
from keras_convnets.architectures.inception import googlenet, inception_resnet, v3, v4
from keras_convnets.architectures.inception.googlenet import GOOGLENET, LRN, inception
from keras_convnets.architectures.inception.multibranch import SLIM, TORCHVISION
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.units import Style, Unit, heads

V3, LARGE = "arXiv:1512.00567", (3, 299, 299)
GOOGLENET_SIDES = ("inception4_block1", "inception4_block4")  # the blocks 4a and 4d


class InceptionBuilder:
    """Networks of blocks whose branches run side by side.

    GoogLeNet takes 17 rows and columns and more (65 with its auxiliary classifiers), the others 75
    and more (299 with Inception-v3's); less is a ``ValueError`` that says where they run out. Rows
    and columns may be ``None``, but not where GoogLeNet has auxiliary classifiers. Convolutions
    start from He's normal initialisation, where the sources have Gaussian, Xavier's or truncated
    normal values.

    With ``include_auxiliary`` a network has its auxiliary classifiers, each an output of
    ``(batch, num_outputs)`` after the main one; without the top there are none. They are trained
    with the same labels and a smaller weight, 0.3 in GoogLeNet's paper and 0.4 in TF-Slim's
    Inception-v3, and not needed for inference.

    ``googlenet`` is Szegedy et al., "Going Deeper with Convolutions" (2014, arXiv:1409.4842), with
    what the paper leaves open as in Caffe's ``bvlc_googlenet``: local response normalisation over 5
    channels (alpha 1e-4 / 5, beta 0.75, k 1), symmetric padding in the first convolution, biases
    everywhere, dropout of 40% before the classifier. Auxiliary classifiers start from the blocks 4a
    and 4d: 5x5/3 average pooling, a 1x1 convolution to 128 channels, a hidden layer of 1024 units,
    dropout of 70%. Max-pooling is padded at the bottom and right, as TensorFlow pads; for even
    sizes, as at 224, Caffe's rounding up is the same, while of odd sizes Caffe's pools make one row
    less. TF-Slim's network has batch normalisation, neither local response normalisation nor
    auxiliary classifiers, and pads the first convolution unevenly.

    ``googlenet_bn`` is torchvision's: convolutions have no biases and are followed by batch
    normalisation (epsilon 1e-3, momentum 0.9); the third branch of a block has a 3x3 window, where
    the paper has 5x5; the last pooling between stages is 2x2/2, not 3x3/2; there is no local
    response normalisation; dropout is 20%. Here the auxiliary classifiers pool 5x5/3, as in the
    paper; torchvision pools to 4 x 4 from any size, with windows of 4x4 from 14 x 14.

    ``inception_v3`` is torchvision's form of Szegedy et al., "Rethinking the Inception Architecture
    for Computer Vision" (2015, arXiv:1512.00567), as released with TF-Slim. Batch normalisation has
    a scale, epsilon 1e-3 and momentum 0.9; average pooling counts the zeros at the borders; dropout
    is 50%. TF-Slim's batch normalisation has no scale, its average pooling leaves padding out, its
    dropout is 20%. The auxiliary classifier starts from the last block at 17 x 17.
    ``inception5_block1`` is what torchvision and TF-Slim call ``Mixed_5b``, ``reduction6`` is their
    ``Mixed_6a``.

    ``inception_v3_keras`` computes what ``keras.applications.InceptionV3`` computes: the same graph
    with batch normalisation without scale (epsilon 1e-3, momentum 0.99), average pooling that
    leaves padding out, and no dropout. Keras' ``mixed0`` to ``mixed2`` are ``inception5_block1``
    and on, ``mixed3`` is ``reduction6``, ``mixed4`` to ``mixed7`` are ``inception6_block1`` and on,
    ``mixed8`` is ``reduction7``, ``mixed9`` and ``mixed10`` are ``inception7_block1`` and ``2``.

    ``inception_v4`` is Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual
    Connections on Learning" (2016, arXiv:1602.07261), in TF-Slim's form: no biases, batch
    normalisation without scale (epsilon 1e-3), average pooling that leaves padding out, dropout of
    20%. Where the paper's figures order 1x7 and 7x1 windows otherwise, TF-Slim is right here.
    TF-Slim keeps 0.9997 of the moving statistics in a step, for very long training; here it is
    0.99, as in Keras' networks. TF-Slim's auxiliary classifier is left out. The PyTorch ports of
    Cadene and timm have a scale in batch normalisation, and no dropout unless asked for.

    ``inception_resnet_v2`` is the same paper's, as TF-Slim released it and
    ``keras.applications.InceptionResNetV2`` has it: batch normalisation without scale (epsilon
    1e-3, momentum 0.99), average pooling that leaves padding out, residuals times 0.17, 0.1 and 0.2
    before they are added, and no dropout. TF-Slim drops 20% of the pooled features, keeps 0.9997 of
    the moving statistics, and has an auxiliary classifier. The paper's network starts with
    Inception-v4's stem, and its blocks have other widths. Keras' ``mixed_5b`` is ``mixed5`` here;
    ``block35_1``, ``block17_1`` and ``block8_1`` are ``inception5_block1``, ``inception6_block1``
    and ``inception7_block1``, ``conv_7b`` is ``final``.

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
        """Return a network of your own rows, in the columns of GoogLeNet's table.

        A stem; stages of inception blocks, with 3x3/2 max-pooling between them; global average
        pooling, dropout, the outputs.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns
                may be ``None``; otherwise they must be large enough for the strides.
            num_outputs: the number of outputs, at least 1.
            stages: a list of rows for each stage. A row has the columns of the paper's table,
                ``(1x1, (1x1, 3x3), (1x1, 5x5), pooling)``, in channels: ``(64, (96, 128), (16, 32),
                32)``; see [`inception`][keras_convnets.inception]. In
                place of a row, a function of a tensor is a block of another kind.
            style: how the convolutions of the rows and of GoogLeNet's stem are made; ``None``
                for the paper's: biases, no batch normalisation.
            stem: a function of a tensor that comes before the stages, called ``conv1``; ``None``
                for GoogLeNet's, which leaves an eighth of the size. For small images, take a
                stem that keeps it.
            dropout: the share of the pooled features that are dropped in training.
            **options: see [`Options`][keras_convnets.Options].

        Returns:
            A functional model with one output, ``(batch, num_outputs)``. Its groups are
            ``conv1`` (and ``conv2`` of GoogLeNet's stem), ``inception3_block1`` and on, ``pool3``
            and on between stages.

        Raises:
            ValueError: for a shape, row or option that no network can be built from.

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
        sides = _sides(include_auxiliary, googlenet.auxiliary_head(), *GOOGLENET_SIDES)
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
        sides = _sides(include_auxiliary, googlenet.auxiliary_head(TORCHVISION), *GOOGLENET_SIDES)
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
        """Return Inception-v3 as ``keras.applications.InceptionV3`` has it."""
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
    """Return the auxiliary classifiers by the groups that they start from, if they are wanted."""
    checks.choice("include_auxiliary", include_auxiliary, (True, False))
    return dict.fromkeys(groups, head) if include_auxiliary else {}
