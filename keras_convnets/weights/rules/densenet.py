"""DenseNet, in torchvision and timm."""

from __future__ import annotations

from keras_convnets.weights.rules.layout import Layout, Row

BLOCK = r"dense(?P<stage>\d)_block(?P<block>\d+)_"
THERE = "features.denseblock{stage}.denselayer{block}."
ROWS = (
    Row("conv1_conv", "features.conv0"),
    Row("conv1_bn", "features.norm0"),
    Row("final_bn", "features.norm5"),
    Row(BLOCK + r"conv(?P<n>\d)", THERE + "conv{n}"),
    Row(BLOCK + r"bn(?P<n>\d)", THERE + "norm{n}"),
    Row(r"transition(?P<n>\d)_conv", "features.transition{n}.conv"),
    Row(r"transition(?P<n>\d)_bn", "features.transition{n}.norm"),
    Row("head_dense", "classifier"),
)
# The published files are of 2017, when modules were called norm.1 and conv.1.
ALIASES = ((r"(features\.denseblock\d+\.denselayer\d+\.(?:norm|conv))\.(\d\.)", r"\1\2"),)
NETWORKS = ("densenet_121", "densenet_161", "densenet_169", "densenet_201")

LAYOUTS = (
    Layout("torchvision", NETWORKS, ROWS, aliases=ALIASES),
    Layout("timm", NETWORKS, ROWS, aliases=ALIASES),
)
