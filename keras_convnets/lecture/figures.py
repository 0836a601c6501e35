"""The list of the lecture's figures, which the docs show and ``keras-convnets figures`` writes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras

import keras_convnets as k
from keras_convnets.axes import keras_shape
from keras_convnets.keras_private import without_values
from keras_convnets.lecture import charts, measured, trained
from keras_convnets.lecture.charts import model
from keras_convnets.units import conv

Draw = Callable[[str | os.PathLike[str]], Any]


class LectureFigure(NamedTuple):
    """A figure of the lecture.

    Attributes:
        name: the name of its file, without the suffix.
        page: the page of the docs that shows it.
        says: what it shows, in a line.
        draw: writes it to a file, in the format that the suffix names.
    """

    name: str
    page: str
    says: str
    draw: Draw


def _net(name: str, **options: Any) -> Draw:
    return lambda file: k.plot_model(model(name), file, **options)


def _block(
    block: Callable[[Any], Any], shape: tuple[int, int, int], title: str, rankdir: str = "LR"
) -> Draw:
    return lambda file: k.plot_block(
        block, shape, file, show_layer_names=False, title=title, rankdir=rankdir, legend=False
    )


def _pair(models: Callable[[], Sequence[Any]], **options: Any) -> Draw:
    def draw(file: str | os.PathLike[str]) -> None:
        with without_values():
            k.plot_models(models(), file, **options)

    return draw


def convolution_of(*steps: Any) -> keras.Model:
    """Return convolutions on 192 feature maps of 28 x 28, the input of an Inception block."""
    with without_values():
        x = y = keras.Input(keras_shape((192, 28, 28)), name="input")
        for number, (filters, size) in enumerate(steps, 1):
            with k.scope(f"step{number}"):
                y = conv(filters, size)(y)
        return keras.Model(x, y, name="steps")


def _reduced() -> list[keras.Model]:
    return [convolution_of((32, 5)), convolution_of((16, 1), (32, 5))]


def _plain_and_residual() -> list[keras.Model]:
    return [model("plain_18"), model("resnet_v1_18")]


def _post_and_pre() -> list[keras.Model]:
    builder = k.CifarResnetBuilder
    return [
        builder.build((3, 32, 32), 10, name, (1, 1, 1), name=name)
        for name in ("basic_block_v1", "basic_block_v2")
    ]


FIGURES = (
    LectureFigure(
        "lenet_5",
        "convolution",
        "LeNet-5: convolutions and pooling, then dense layers",
        _net("lenet_5", rankdir="LR", legend=False),
    ),
    LectureFigure(
        "alexnet",
        "convolution",
        "AlexNet: the same plan, larger",
        _net("alexnet", rankdir="LR", legend=False),
    ),
    LectureFigure(
        "kernels",
        "convolution",
        "the kernels of LeNet-5, trained on digits",
        trained.kernels,
    ),
    LectureFigure(
        "feature_maps",
        "convolution",
        "the feature maps of LeNet-5 for a digit",
        trained.feature_maps,
    ),
    LectureFigure(
        "receptive_fields",
        "convolution",
        "the receptive field, convolution by convolution",
        charts.receptive_fields,
    ),
    LectureFigure(
        "effective_field",
        "convolution",
        "how much each pixel matters to a unit of VGG-16, before training",
        measured.effective_field,
    ),
    LectureFigure(
        "vgg_16", "depth", "VGG-16, stage by stage", _net("vgg_16", detail="stage", legend=False)
    ),
    LectureFigure(
        "vgg_costs",
        "depth",
        "where VGG-16 has its parameters, multiply-adds and activations",
        charts.vgg_costs,
    ),
    LectureFigure(
        "mlpconv",
        "bottlenecks",
        "an mlpconv layer: a convolution, then two of 1x1",
        _block(k.mlpconv((192, 160, 96), 5), (3, 32, 32), "mlpconv((192, 160, 96), 5)"),
    ),
    LectureFigure(
        "reduction",
        "bottlenecks",
        "a 5x5 convolution, and the same after a 1x1 reduction",
        _pair(_reduced, names=["5×5 alone", "1×1, then 5×5"]),
    ),
    LectureFigure(
        "bottleneck",
        "bottlenecks",
        "the bottleneck block of ResNet-50",
        _block(k.bottleneck_v1(64), (256, 56, 56), "bottleneck_v1(64)", "TB"),
    ),
    LectureFigure(
        "inception",
        "branches",
        "the first Inception block of GoogLeNet",
        _block(
            k.inception(64, (96, 128), (16, 32), 32),
            (192, 28, 28),
            "inception(64, (96, 128), (16, 32), 32)",
            "TB",
        ),
    ),
    LectureFigure(
        "googlenet",
        "branches",
        "GoogLeNet with its two auxiliary heads",
        _net("googlenet", rankdir="LR"),
    ),
    LectureFigure(
        "plain_and_residual",
        "shortcuts",
        "a plain network and the residual one of the same layers",
        _pair(_plain_and_residual),
    ),
    LectureFigure(
        "five", "shortcuts", "the change from 5.1 to 5.2, plain and residual", charts.five
    ),
    LectureFigure(
        "gradient_flow",
        "shortcuts",
        "gradients and activations of 56 layers, plain and residual, before training",
        measured.gradient_flow,
    ),
    LectureFigure(
        "post_activation",
        "shortcuts",
        "a block of 2015: the last ReLU is after the addition",
        _block(k.basic_block_v1(64), (64, 56, 56), "basic_block_v1(64)"),
    ),
    LectureFigure(
        "pre_activation",
        "shortcuts",
        "a block of 2016: nothing is after the addition",
        _block(k.basic_block_v2(64), (64, 56, 56), "basic_block_v2(64)"),
    ),
    LectureFigure(
        "post_and_pre",
        "shortcuts",
        "small networks of both kinds, side by side",
        _pair(_post_and_pre),
    ),
    LectureFigure(
        "dense_layer",
        "concatenation",
        "a layer of DenseNet: it adds 32 channels",
        _block(k.dense_layer(32), (64, 56, 56), "dense_layer(32)"),
    ),
    LectureFigure(
        "densenet_121",
        "concatenation",
        "DenseNet-121, stage by stage",
        _net("densenet_121", detail="stage"),
    ),
    LectureFigure(
        "dense_channels",
        "concatenation",
        "channels, block by block, of DenseNet-121 and ResNet-50",
        charts.dense_channels,
    ),
    LectureFigure("memory", "concatenation", "parameters beside activations", charts.memory),
    LectureFigure(
        "wide_block",
        "width",
        "a block of WRN-28-10",
        _block(k.basic_block_v2(160), (160, 32, 32), "basic_block_v2(160)"),
    ),
    LectureFigure(
        "resnext_block",
        "width",
        "a block of ResNeXt-50: 32 groups",
        _block(k.resnext_block(64), (256, 56, 56), "resnext_block(64)", "TB"),
    ),
    LectureFigure(
        "se_bottleneck",
        "width",
        "a bottleneck with squeeze-and-excitation",
        _block(k.se_bottleneck(64), (256, 56, 56), "se_bottleneck(64)", "TB"),
    ),
    LectureFigure(
        "inception_resnet_a",
        "together",
        "branches and a shortcut: a block of Inception-ResNet-v2",
        _block(k.inception_resnet_a(0.17), (320, 35, 35), "inception_resnet_a(0.17)", "TB"),
    ),
    LectureFigure(
        "inception_resnet_v2",
        "together",
        "Inception-ResNet-v2, stage by stage",
        _net("inception_resnet_v2", detail="stage"),
    ),
    LectureFigure(
        "accuracies",
        "together",
        "published accuracies on ImageNet over multiply-adds",
        k.plot_accuracies,
    ),
    LectureFigure(
        "accuracies_cifar10",
        "together",
        "published accuracies on CIFAR-10 over multiply-adds",
        lambda file: k.plot_accuracies(file, data="cifar10"),
    ),
    LectureFigure(
        "stamped",
        "looking",
        "occlusion of a network that was trained on eights with a stamp",
        trained.stamped,
    ),
    LectureFigure(
        "stamped_grad_cam",
        "looking",
        "Grad-CAM of the same network",
        trained.stamped_grad_cam,
    ),
    *(
        LectureFigure(
            name,
            "course-notes",
            f"{name}, stage by stage",
            _net(name, detail="stage", legend=False),
        )
        for name in ("notes_resnet_18", "notes_densenet", "notes_googlenet")
    ),
    LectureFigure(
        "notes_mnist_inception",
        "course-notes",
        "the small Inception network for MNIST",
        _net("notes_mnist_inception", rankdir="LR", legend=False),
    ),
    LectureFigure(
        "notes_mnist_resnet",
        "course-notes",
        "the small residual network for MNIST",
        _net("notes_mnist_resnet", rankdir="LR", legend=False),
    ),
)
