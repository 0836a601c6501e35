"""Deep learning course notes' small networks: seven famous networks, cut down to be read in class.

Each is a published network for small, often grey images and 10 classes. All of them share a few
conventions: every convolution has a bias, also beside batch normalisation; padding is
symmetric, and counts in a mean; batch normalisation has PyTorch's epsilon (1e-5) and momentum (0.9
of the moving statistics are kept in a step); no network has local response normalisation or
auxiliary classifiers. With the same weights, each computes what the same layers compute in
PyTorch. Weights are initialised and decay as everywhere in this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets import units
from keras_convnets.architectures.course_notes import blocks as blocks
from keras_convnets.architectures.course_notes.blocks import NOTES, residual_block
from keras_convnets.architectures.densenet import dense_layer, transition
from keras_convnets.architectures.inception import googlenet
from keras_convnets.architectures.residual import grammar as residual
from keras_convnets.architectures.vgg import CONFIGURATIONS, vgg_stage
from keras_convnets.assemble import assemble
from keras_convnets.options import Options
from keras_convnets.registry import published
from keras_convnets.units import Part, chain, heads


class CourseNotesBuilder:
    """The small networks of deep learning course notes, layer for layer.

    Every method takes ``(channels, rows, cols)``, whatever the data format, the number of outputs
    and the common [`Options`][keras_convnets.Options], and returns a functional model whose output
    is ``(batch, num_outputs)``. Rows and columns may be ``None`` where the head pools globally
    (`build_notes_resnet_18`, `build_notes_densenet`, `build_notes_googlenet`), and without the top.
    A ``ValueError`` says what is wrong with a shape or an option, such as too few rows for the
    network's strides. The notes' shapes and 10 outputs are what ``create_model`` builds by default.

    Examples:
        >>> from keras_convnets import CourseNotesBuilder, create_model
        >>> model = CourseNotesBuilder.build_notes_mnist_resnet((1, 28, 28), 10)
        >>> model.name, model.count_params()
        ('notes_mnist_resnet', 41514)
        >>> create_model("notes_mnist_inception").count_params()
        97298
    """

    @staticmethod
    @published("Course notes, after He et al. 2015 (arXiv:1512.03385)", (1, 224, 224), 10)
    def build_notes_resnet_18(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-18: 2, 2, 2, 2 post-activation blocks of 64, 128, 256, 512 maps.

        After He et al., "Deep Residual Learning for Image Recognition" (2015, arXiv:1512.03385),
        table 1. In the paper batch normalisation follows the three projections too, here it does
        not; the usual implementations, torchvision's among them, have no biases in convolutions.
        `ResnetBuilder.build_resnet_18` is pre-activation and pads as TensorFlow does.
        """
        parts = [
            ("conv1", residual.imagenet_stem(NOTES)),
            ("conv2_block1", residual_block(64)),
            ("conv2_block2", residual_block(64)),
            ("conv3_block1", residual_block(128, strides=2)),
            ("conv3_block2", residual_block(128)),
            ("conv4_block1", residual_block(256, strides=2)),
            ("conv4_block2", residual_block(256)),
            ("conv5_block1", residual_block(512, strides=2)),
            ("conv5_block2", residual_block(512)),
        ]
        return assemble(input_shape, num_outputs, parts, "notes_resnet_18", **options)

    @staticmethod
    @published("Course notes, after Huang et al. 2016 (arXiv:1608.06993)", (1, 96, 96), 10)
    def build_notes_densenet(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return a DenseNet of four dense blocks of 4 convolutions each, with growth rate 32.

        After Huang et al., "Densely Connected Convolutional Networks" (2016, arXiv:1608.06993).
        The paper's ImageNet networks (DenseNet-BC) have 6 to 64 layers in a dense block, each
        with a 1x1 bottleneck before its 3x3 convolution, which is missing here; the usual
        implementations have no biases in convolutions. The stem and the transitions, which halve
        maps and size, are the paper's.
        """
        layer = dense_layer(growth_rate=32, bottleneck=False, style=NOTES)
        parts: list[Part] = [("conv1", residual.imagenet_stem(NOTES))]
        for stage in (1, 2, 3, 4):
            parts += [(f"dense{stage}_block{n}", layer) for n in (1, 2, 3, 4)]
            parts += [(f"transition{stage}", transition(style=NOTES))] if stage < 4 else []
        parts += [("final", units.bn_relu(NOTES))]
        return assemble(input_shape, num_outputs, parts, "notes_densenet", **options)

    @staticmethod
    @published("Course notes, after Krizhevsky et al. 2012", (1, 224, 224), 10)
    def build_notes_alexnet(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return AlexNet in one piece: 96, 256, 384, 384, 256 maps, two hidden layers of 4096.

        After Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks"
        (2012). In the paper the second, fourth and fifth convolution see half of the maps (two
        groups, one on each GPU), and local response normalisation follows the first two. The
        first convolution is padded by 1 here, so that 224 rows become 54 and, unpadded pools
        later, 5; the paper's become 55 and 6. Rows and columns must be numbers, for the maps are
        flattened.
        """
        pool = units.max_pool(3, strides=2, padding="valid")
        parts = [
            ("conv1", chain(units.conv_relu(96, 11, strides=4, padding=1), pool)),
            ("conv2", chain(units.conv_relu(256, 5), pool)),
            ("conv3", units.conv_relu(384, 3)),
            ("conv4", units.conv_relu(384, 3)),
            ("conv5", chain(units.conv_relu(256, 3), pool)),
        ]
        head = heads.hidden_classifier()
        return assemble(input_shape, num_outputs, parts, "notes_alexnet", head, **options)

    @staticmethod
    @published(
        "Course notes, after Simonyan and Zisserman 2014 (arXiv:1409.1556)", (3, 224, 224), 10
    )
    def build_notes_vgg_11(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return VGG-11: 1, 1, 2, 2, 2 convolutions of 64, 128, 256, 512, 512 maps.

        After Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
        Recognition" (2014, arXiv:1409.1556), configuration A of table 1: the paper's network but
        for its 1000 outputs. Rows and columns must be numbers, for the maps are flattened.
        """
        parts = [
            (f"conv{stage}", vgg_stage(convolutions, filters))
            for stage, (convolutions, filters) in enumerate(CONFIGURATIONS["A"], start=1)
        ]
        head = heads.hidden_classifier()
        return assemble(input_shape, num_outputs, parts, "notes_vgg_11", head, **options)

    @staticmethod
    @published("Course notes, after Szegedy et al. 2014 (arXiv:1409.4842)", (1, 96, 96), 10)
    def build_notes_googlenet(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return GoogLeNet: nine inception blocks, 3a to 5b, without batch normalisation.

        After Szegedy et al., "Going Deeper with Convolutions" (2014, arXiv:1409.4842), table 1.
        The paper's network also has local response normalisation, before its second and after
        its third convolution, dropout of 40% before the classifier, and two auxiliary
        classifiers. Its pools between stages, in Caffe, are not padded and round sizes up; these
        are padded by 1 on each side and round down.
        """
        pool = units.max_pool(3, strides=2, padding="symmetric")
        parts = [
            ("conv1", units.conv_relu(64, 7, strides=2, padding="symmetric")),
            ("pool1", pool),
            ("conv2", chain(units.conv_relu(64, 1), units.conv_relu(192, 3))),
            ("pool2", pool),
            *googlenet.stages(googlenet.GOOGLENET, padding="symmetric"),
        ]
        return assemble(input_shape, num_outputs, parts, "notes_googlenet", **options)

    @staticmethod
    @published("Course notes, after Szegedy et al. 2015 (arXiv:1512.00567)", (1, 28, 28), 10)
    def build_notes_mnist_inception(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return two unpadded 5x5 convolutions, each with a block like Inception-v3's first.

        After Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (2015,
        arXiv:1512.00567). Inception-v3, as released, has the same branches in its blocks on
        35 x 35 maps, but more of everything (64 maps; 48, 64; 64, 96, 96; 32 or 64), and batch
        normalisation and ReLU after every convolution: here nothing stands between those of a
        block. Outside of the blocks, ReLU comes after max-pooling. Rows and columns must be
        numbers, for the maps are flattened.
        """
        parts = [
            ("conv1", blocks.conv_pool_relu(10)),
            ("inception2_block1", blocks.inception_a),
            ("conv3", blocks.conv_pool_relu(20)),
            ("inception4_block1", blocks.inception_a),
        ]
        head = heads.flat_classifier()
        return assemble(input_shape, num_outputs, parts, "notes_mnist_inception", head, **options)

    @staticmethod
    @published("Course notes, after He et al. 2015 (arXiv:1512.03385)", (1, 28, 28), 10)
    def build_notes_mnist_resnet(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return two unpadded 5x5 convolutions of 16 and 32 maps, each with a residual block.

        After He et al., "Deep Residual Learning for Image Recognition" (2015, arXiv:1512.03385).
        Its residual blocks have batch normalisation after every convolution, here there is none;
        between its stages blocks stride and project, here unpadded 5x5 convolutions and 2x2/2
        max-pooling stand. Rows and columns must be numbers, for the maps are flattened.
        """
        parts = [
            ("conv1", blocks.conv_relu_pool(16)),
            ("conv2_block1", blocks.plain_residual_block),
            ("conv3", blocks.conv_relu_pool(32)),
            ("conv4_block1", blocks.plain_residual_block),
        ]
        head = heads.flat_classifier()
        return assemble(input_shape, num_outputs, parts, "notes_mnist_resnet", head, **options)
