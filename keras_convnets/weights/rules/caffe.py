"""Caffe's AlexNet and GoogLeNet, as the ONNX model zoo has them (by way of Caffe2).

Their images are blue, green, red, from 0 to 255, minus the mean.
"""

from __future__ import annotations

from keras_convnets.weights.rules.layout import Layout, Row

ALEXNET = (
    Row(r"conv(?P<stage>\d)_conv", "conv{stage}"),
    Row("head_dense", "fc6"),
    Row("head_dense2", "fc7"),
    Row("head_dense3", "fc8"),
)

_BLOCK = r"inception(?P<stage>\d)_block(?P<block>\d)_"
_THERE = "inception_{stage}{block:a}/"
GOOGLENET = (
    Row("conv1_conv", "conv1/7x7_s2"),
    Row("conv2_conv", "conv2/3x3_reduce"),
    Row("conv2_conv2", "conv2/3x3"),
    Row(_BLOCK + "branch1x1_conv", _THERE + "1x1"),
    Row(_BLOCK + "branch(?P<size>3x3|5x5)_conv", _THERE + "{size}_reduce"),
    Row(_BLOCK + "branch(?P<size>3x3|5x5)_conv2", _THERE + "{size}"),
    Row(_BLOCK + "branch_pool_conv", _THERE + "pool_proj"),
    # In training only: the model zoo's file is without them.
    Row(r"aux(?P<head>\d)_conv", "loss{head}/conv"),
    Row(r"aux(?P<head>\d)_dense", "loss{head}/fc"),
    Row(r"aux(?P<head>\d)_dense2", "loss{head}/classifier"),
    Row("head_dense", "loss3/classifier"),
)

# CaffeNet, which is in the zoo too, has AlexNet's names and shapes, and pools before it normalises.
LAYOUTS = (
    Layout(
        "caffe",
        ("alexnet_caffe",),
        ALEXNET,
        tensors="caffe",
        bgr=True,
        operations=("Conv", "LRN", "MaxPool", "Conv", "LRN", "MaxPool"),
    ),
    Layout(
        "caffe",
        ("googlenet",),
        GOOGLENET,
        tensors="caffe",
        auxiliary=r"loss[12]/",
        bgr=True,
        operations=("Conv", "MaxPool", "LRN", "Conv", "Conv", "LRN", "MaxPool"),
    ),
)
