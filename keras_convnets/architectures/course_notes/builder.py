"""The small networks of deep learning course notes: seven famous networks, simplified for teaching.

Each adapts a published network to 10 classes and often to small grey images. All share these
conventions: every convolution has a bias, even next to batch normalisation; padding is symmetric
and included in means; batch normalisation has PyTorch's epsilon (1e-5) and momentum (each step
keeps 0.9 of the moving statistics); there is no local response normalisation and there are no
auxiliary classifiers. With the same weights, each network computes the same outputs as the same
layers in PyTorch. Initialisation is that of the whole package.
"""

from __future__ import annotations

import functools
from typing import Unpack

import keras

from keras_convnets import units
from keras_convnets.architectures.course_notes.blocks import (
    NOTES,
    conv_pool_relu,
    conv_relu_pool,
    inception_a,
    plain_residual_block,
    residual_block,
)
from keras_convnets.architectures.densenet.blocks import dense_layer, dense_stages, transition
from keras_convnets.architectures.inception import googlenet
from keras_convnets.architectures.residual import imagenet_stem, residual_parts
from keras_convnets.architectures.vgg import vgg_stages
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.units import chain, heads


class CourseNotesBuilder:
    """The small networks of deep learning course notes, reproduced layer by layer.

    Every method takes the input shape ``(channels, rows, cols)``, whatever the data format, the
    number of outputs and the common [`Options`][keras_convnets.Options]. It returns a functional
    model with outputs of shape ``(batch, num_outputs)``. Rows and columns may be ``None`` without
    the top, and for heads with global pooling (`build_notes_resnet_18`, `build_notes_densenet`,
    `build_notes_googlenet`); the other heads flatten the feature maps. An invalid shape or option,
    such as too few rows for the network's strides, raises a ``ValueError``. By default,
    ``create_model`` uses the input shapes of the notes and 10 outputs.

    Differences from the papers and from common implementations:

    - ``notes_resnet_18``: in He et al., "Deep Residual Learning for Image Recognition" (2015,
      arXiv:1512.03385), table 1, batch normalisation also follows the three projections; here it
      does not. Common implementations, including torchvision, have no biases in convolutions.
      `ResnetBuilder.build_resnet_18` uses pre-activation and TensorFlow's padding.
    - ``notes_densenet``: the ImageNet networks of Huang et al., "Densely Connected Convolutional
      Networks" (2016, arXiv:1608.06993), DenseNet-BC, have 6 to 64 layers in a dense block, each
      with a 1x1 bottleneck before its 3x3 convolution; here there are no bottlenecks. Common
      implementations have no biases in convolutions. The stem and the transitions, which halve the
      number of channels and the size, are the paper's.
    - ``notes_alexnet``: in Krizhevsky et al., "ImageNet Classification with Deep Convolutional
      Neural Networks" (2012), the second, fourth and fifth convolutions see half of the channels
      (two groups, one on each GPU), and local response normalisation follows the first two. Here
      the first convolution is padded by 1, which reduces 224 rows to 54 and finally, after unpadded
      pooling, to 5; in the paper they are 55 and 6.
    - ``notes_vgg_11``: configuration A of Simonyan and Zisserman, "Very Deep Convolutional Networks
      for Large-Scale Image Recognition" (2014, arXiv:1409.1556), table 1, except for its 1000
      outputs.
    - ``notes_googlenet``: the network of Szegedy et al., "Going Deeper with Convolutions" (2014,
      arXiv:1409.4842), table 1, also has local response normalisation, before its second and after
      its third convolution, dropout of 40% before the classifier, and two auxiliary classifiers.
      In Caffe, the pooling between its stages is unpadded and rounds sizes up; here it is padded by
      1 on each side and rounds down.
    - ``notes_mnist_inception``: Inception-v3 (Szegedy et al., "Rethinking the Inception
      Architecture for Computer Vision", 2015, arXiv:1512.00567), as released, has the same branches
      in its blocks at 35 x 35, but with more channels (64; 48, 64; 64, 96, 96; 32 or 64), and with
      batch normalisation and ReLU after every convolution. Here the convolutions of a block follow
      each other directly. Outside the blocks, ReLU follows max-pooling.
    - ``notes_mnist_resnet``: the residual blocks of He et al. 2015 have batch normalisation after
      every convolution; here there is none. The paper reduces the size between stages by blocks
      with strides and projections; here it is done by unpadded 5x5 convolutions and 2x2/2
      max-pooling.

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
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return ResNet-18: 2, 2, 2, 2 post-activation blocks of 64, 128, 256, 512 filters."""
        parts = residual_parts(imagenet_stem(NOTES), residual_block, (2, 2, 2, 2))
        return assemble(input_shape, num_outputs, parts, "notes_resnet_18", **options)

    @staticmethod
    @published("Course notes, after Huang et al. 2016 (arXiv:1608.06993)", (1, 96, 96), 10)
    def build_notes_densenet(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return a DenseNet of four dense blocks of 4 convolutions each, with growth rate 32."""
        layer = dense_layer(growth_rate=32, bottleneck=False, style=NOTES)
        parts = [
            ("conv1", imagenet_stem(NOTES)),
            *dense_stages((4, 4, 4, 4), layer, transition(style=NOTES)),
            ("final", units.bn_relu(NOTES)),
        ]
        return assemble(input_shape, num_outputs, parts, "notes_densenet", **options)

    @staticmethod
    @published("Course notes, after Krizhevsky et al. 2012", (1, 224, 224), 10)
    def build_notes_alexnet(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return AlexNet without groups: 96, 256, 384, 384, 256 filters, two layers of 4096."""
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
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return VGG-11: 1, 1, 2, 2, 2 convolutions of 64, 128, 256, 512, 512 filters."""
        head = heads.hidden_classifier()
        return assemble(input_shape, num_outputs, vgg_stages("A"), "notes_vgg_11", head, **options)

    @staticmethod
    @published("Course notes, after Szegedy et al. 2014 (arXiv:1409.4842)", (1, 96, 96), 10)
    def build_notes_googlenet(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return GoogLeNet: nine inception blocks, 3a to 5b, without batch normalisation."""
        padded_pool = functools.partial(units.max_pool, padding="symmetric")
        parts = [
            ("conv1", units.conv_relu(64, 7, strides=2, padding="symmetric")),
            ("pool1", padded_pool(3, 2)),
            ("conv2", chain(units.conv_relu(64, 1), units.conv_relu(192, 3))),
            ("pool2", padded_pool(3, 2)),
            *googlenet.stages(googlenet.GOOGLENET, pool=padded_pool),
        ]
        return assemble(input_shape, num_outputs, parts, "notes_googlenet", **options)

    @staticmethod
    @published("Course notes, after Szegedy et al. 2015 (arXiv:1512.00567)", (1, 28, 28), 10)
    def build_notes_mnist_inception(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return two unpadded 5x5 convolutions, each followed by an Inception-v3-like block."""
        parts = [
            ("conv1", conv_pool_relu(10)),
            ("inception2_block1", inception_a),
            ("conv3", conv_pool_relu(20)),
            ("inception4_block1", inception_a),
        ]
        head = heads.flat_classifier()
        return assemble(input_shape, num_outputs, parts, "notes_mnist_inception", head, **options)

    @staticmethod
    @published("Course notes, after He et al. 2015 (arXiv:1512.03385)", (1, 28, 28), 10)
    def build_notes_mnist_resnet(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return 5x5 convolutions to 16 and 32 channels, each followed by a residual block."""
        parts = [
            ("conv1", conv_relu_pool(16)),
            ("conv2_block1", plain_residual_block),
            ("conv3", conv_relu_pool(32)),
            ("conv4_block1", plain_residual_block),
        ]
        head = heads.flat_classifier()
        return assemble(input_shape, num_outputs, parts, "notes_mnist_resnet", head, **options)
