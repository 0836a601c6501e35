"""Residual networks: ResNet, ResNeXt, wide ResNet, and those with squeeze-and-excitation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from keras_convnets.weights.rules.layout import Layout, Row

BLOCK = r"conv(?P<stage>\d)_block(?P<block>\d+)_"
THERE = "layer{stage-1}.{block-1}."

STEM = (Row("conv1_conv", "conv1"), Row("conv1_bn", "bn1"))
BLOCKS = (
    Row(BLOCK + r"(?P<kind>conv|bn)(?P<n>\d)", THERE + "{kind}{n}"),
    Row(BLOCK + r"shortcut_conv", THERE + "downsample.0"),
    Row(BLOCK + r"shortcut_bn", THERE + "downsample.1"),
)
RESNET = (*STEM, *BLOCKS, Row("head_dense", "fc"))
SE_RESNET = (*RESNET, Row(BLOCK + r"se_conv(?P<n>\d?)", THERE + "se.fc{n}"))
LEGACY_SE = (
    Row("conv1_conv", "layer0.conv1"),
    Row("conv1_bn", "layer0.bn1"),
    *BLOCKS,
    Row(BLOCK + r"se_conv(?P<n>\d?)", THERE + "se_module.fc{n}"),
    Row("head_dense", "last_linear"),
)

# In timm, normalisations have the number of the convolution after them.
V2_BLOCK = "stages.{stage-2}.blocks.{block-1}."
V2_ENDS = (
    Row("conv1_conv", "stem.conv"),
    Row("final_bn", "norm"),
    Row("head_dense", "head.fc", form="conv"),
)
V2_TIMM = (
    *V2_ENDS,
    Row(BLOCK + r"conv(?P<n>\d)", V2_BLOCK + "conv{n}"),
    Row(BLOCK + r"bn(?P<n>\d)", V2_BLOCK + "norm{n}"),
    Row(BLOCK + r"shortcut_conv", V2_BLOCK + "downsample.conv"),
)
# In the network of the paper, the first normalisation is in the stem.
FIRST = "stages.0.blocks.0.norm"
V2_PAPER = (
    Row("conv1_bn", FIRST + "1"),
    Row(r"conv2_block1_bn(?P<n>\d)", FIRST + "{n+1}"),
    *V2_TIMM,
)


def _pools_after(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse a first normalisation that does not commute with the max-pooling of the stem."""
    gamma = arrays.get(FIRST + "1.weight")
    if gamma is not None and gamma.size and gamma.min() < 0:
        raise ValueError(
            f"weights: received {gamma.min():.3g} in {FIRST}1.weight; expected no scale below 0, "
            "as timm pools before this normalisation, and the network of the paper after it. Use "
            "resnet_v2_50_timm, which is timm's graph (or _101_timm, _152_timm)."
        )


PLAIN: tuple[str, ...] = ("resnet_v1_18", "resnet_v1_34")
PLAIN += ("resnet_v1_5_50", "resnet_v1_5_101", "resnet_v1_5_152")
PLAIN += ("resnext_50_32x4d", "resnext_101_32x8d", "resnext_101_64x4d")
PLAIN += ("wide_resnet_50_2", "wide_resnet_101_2")
SE: tuple[str, ...] = ("se_resnet_v1_5_50", "se_resnet_v1_5_101", "se_resnet_v1_5_152")
SE += ("se_resnext_50_32x4d", "se_resnext_101_32x4d")
LEGACY = ("se_resnet_50", "se_resnet_101", "se_resnet_152")
V2 = ("resnet_v2_50", "resnet_v2_101", "resnet_v2_152")

LAYOUTS = (
    Layout("torchvision", PLAIN, RESNET),
    Layout("timm", (*PLAIN, "resnext_101_32x4d"), RESNET),
    Layout("timm", SE, SE_RESNET),
    Layout("timm", LEGACY, LEGACY_SE),
    Layout("timm", tuple(f"{name}_timm" for name in V2), V2_TIMM),
    Layout("timm", V2, V2_PAPER, check=_pools_after),
)
