"""The Inception family as torchvision and timm name it.

The published files of Inception-v3, v4 and Inception-ResNet-v2 descend from TF-Slim's. Theirs of v4
and Inception-ResNet-v2 have a scale in each batch normalisation, which ours lack, as TF-Slim's.
"""

from __future__ import annotations

from keras_convnets.weights.rules.layout import Layout, Row

LAYER = r"(?P<kind>conv|bn)(?P<n>\d*)"
HEAD = Row("head_dense", "fc")
BLOCK = r"inception(?P<stage>\d)_block(?P<block>\d+)"


def rows(ours: str, theirs: str, **branches: str) -> tuple[Row, ...]:
    """Return the rows of a block with branches: our names of these, and the modules there."""
    return tuple(
        Row(f"{ours}_{branch}_{LAYER}", f"{theirs}.{module}.{{kind}}")
        for branch, module in branches.items()
    )


# torchvision's third branch has 3x3 kernels in place of 5x5, as ours.
GOOGLENET = (
    Row("conv1_(?P<kind>conv|bn)", "conv1.{kind}"),
    Row(f"conv2_{LAYER}", "conv{n+1}.{kind}"),
    Row(f"{BLOCK}_branch1x1_{LAYER}", "inception{stage}{block:a}.branch1.{kind}"),
    Row(f"{BLOCK}_branch3x3_{LAYER}", "inception{stage}{block:a}.branch2.{n-1}.{kind}"),
    Row(f"{BLOCK}_branch5x5_{LAYER}", "inception{stage}{block:a}.branch3.{n-1}.{kind}"),
    Row(f"{BLOCK}_branch_pool_{LAYER}", "inception{stage}{block:a}.branch4.1.{kind}"),
    Row(r"aux(?P<head>\d)_(?P<kind>conv|bn)", "aux{head}.conv.{kind}"),
    Row(r"aux(?P<head>\d)_dense(?P<n>\d*)", "aux{head}.fc{n}"),
    HEAD,
)

# TF-Slim's Mixed_5b is our inception5_block1; Mixed_6a and Mixed_7a are the reductions.
_MIXED = "Mixed_{stage}{block+1:a}.branch"
V3 = (
    Row("conv1_(?P<kind>conv|bn)", "Conv2d_1a_3x3.{kind}"),
    Row(f"conv2_{LAYER}", "Conv2d_2{n:a}_3x3.{kind}"),
    Row("conv3_(?P<kind>conv|bn)", "Conv2d_3b_1x1.{kind}"),
    Row("conv4_(?P<kind>conv|bn)", "Conv2d_4a_3x3.{kind}"),
    # Branches of one convolution have no number there.
    Row(f"{BLOCK}_branch(?P<branch>1x1|_pool)_{LAYER}", _MIXED + "{branch}.{kind}"),
    Row(f"{BLOCK}_branch3x3_split1x3_{LAYER}", _MIXED + "3x3_2a.{kind}"),
    Row(f"{BLOCK}_branch3x3_split3x1_{LAYER}", _MIXED + "3x3_2b.{kind}"),
    Row(f"{BLOCK}_branch3x3dbl_split1x3_{LAYER}", _MIXED + "3x3dbl_3a.{kind}"),
    Row(f"{BLOCK}_branch3x3dbl_split3x1_{LAYER}", _MIXED + "3x3dbl_3b.{kind}"),
    Row(f"{BLOCK}_branch(?P<branch>[0-9a-z]+)_{LAYER}", _MIXED + "{branch}_{n}.{kind}"),
    Row(f"reduction6_branch3x3_{LAYER}", "Mixed_6a.branch3x3.{kind}"),
    Row(
        rf"reduction(?P<stage>\d)_branch(?P<branch>[0-9a-z]+)_{LAYER}",
        "Mixed_{stage}a.branch{branch}_{n}.{kind}",
    ),
    Row(f"aux1_{LAYER}", "AuxLogits.conv{n-1}.{kind}"),
    Row("aux1_dense", "AuxLogits.fc"),
    HEAD,
)

V4 = (
    Row("conv1_(?P<kind>conv|bn)", "features.0.{kind}"),
    Row(f"conv2_{LAYER}", "features.{n}.{kind}"),
    Row(f"mixed(?P<stage>[35])_branch3x3_{LAYER}", "features.{stage}.conv.{kind}"),
    *rows("mixed4", "features.4", branch3x3="branch0.{n-1}", branch7x7x3="branch1.{n-1}"),
    *rows(
        "inception5_block(?P<block>.)",
        "features.{block+5}",
        branch1x1="branch0",
        branch3x3="branch1.{n-1}",
        branch3x3dbl="branch2.{n-1}",
        branch_pool="branch3.1",
    ),
    *rows("reduction6", "features.10", branch3x3="branch0", branch3x3dbl="branch1.{n-1}"),
    *rows(
        "inception6_block(?P<block>.)",
        "features.{block+10}",
        branch1x1="branch0",
        branch7x7="branch1.{n-1}",
        branch7x7dbl="branch2.{n-1}",
        branch_pool="branch3.1",
    ),
    *rows("reduction7", "features.18", branch3x3="branch0.{n-1}", branch7x7x3="branch1.{n-1}"),
    *rows(
        "inception7_block(?P<block>.)",
        "features.{block+18}",
        branch1x1="branch0",
        branch3x3="branch1_0",
        branch3x3_split1x3="branch1_1a",
        branch3x3_split3x1="branch1_1b",
        branch3x3dbl="branch2_{n-1}",
        branch3x3dbl_split1x3="branch2_3a",
        branch3x3dbl_split3x1="branch2_3b",
        branch_pool="branch3.1",
    ),
    Row("head_dense", "last_linear"),
)

RESIDUAL = (
    Row("conv1_(?P<kind>conv|bn)", "conv2d_1a.{kind}"),
    Row(f"conv2_{LAYER}", "conv2d_2{n:a}.{kind}"),
    Row("conv3_(?P<kind>conv|bn)", "conv2d_3b.{kind}"),
    Row("conv4_(?P<kind>conv|bn)", "conv2d_4a.{kind}"),
    *rows(
        "mixed5",
        "mixed_5b",
        branch1x1="branch0",
        branch5x5="branch1.{n-1}",
        branch3x3dbl="branch2.{n-1}",
        branch_pool="branch3.1",
    ),
    *rows(
        r"inception5_block(?P<block>\d+)",
        "repeat.{block-1}",
        branch1x1="branch0",
        branch3x3="branch1.{n-1}",
        branch3x3dbl="branch2.{n-1}",
    ),
    *rows("reduction6", "mixed_6a", branch3x3="branch0", branch3x3dbl="branch1.{n-1}"),
    *rows(
        r"inception6_block(?P<block>\d+)",
        "repeat_1.{block-1}",
        branch1x1="branch0",
        branch7x7="branch1.{n-1}",
    ),
    *rows(
        "reduction7",
        "mixed_7a",
        branch3x3a="branch0.{n-1}",
        branch3x3b="branch1.{n-1}",
        branch3x3dbl="branch2.{n-1}",
    ),
    # The last block, without a ReLU, is apart there.
    *rows("inception7_block10", "block8", branch1x1="branch0", branch3x3="branch1.{n-1}"),
    *rows(
        r"inception7_block(?P<block>\d)",
        "repeat_2.{block-1}",
        branch1x1="branch0",
        branch3x3="branch1.{n-1}",
    ),
    # The convolutions to which the branches join, with a bias and no normalisation.
    Row(r"inception5_block(?P<block>\d+)_conv1", "repeat.{block-1}.conv2d"),
    Row(r"inception6_block(?P<block>\d+)_conv1", "repeat_1.{block-1}.conv2d"),
    Row("inception7_block10_conv1", "block8.conv2d"),
    Row(r"inception7_block(?P<block>\d)_conv1", "repeat_2.{block-1}.conv2d"),
    Row("final_(?P<kind>conv|bn)", "conv2d_7b.{kind}"),
    Row("head_dense", "classif"),
)

LAYOUTS = (
    Layout("torchvision", ("googlenet_bn",), GOOGLENET, auxiliary=r"aux\d\."),
    Layout("torchvision", ("inception_v3",), V3, auxiliary=r"AuxLogits\."),
    Layout("timm", ("inception_v3",), V3, auxiliary=r"AuxLogits\."),
    Layout("timm", ("inception_v4",), V4),
    # Cadene's file, from which timm's descends, has another name for the head.
    Layout("timm", ("inception_resnet_v2",), RESIDUAL, aliases=(("^last_linear", "classif"),)),
)
