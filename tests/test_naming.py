import pytest

from keras_convnets import naming


def test_names_in_a_block_count_the_main_branch_from_one():
    with naming.scope("conv3_block1"):
        names = [naming.layer_name(kind) for kind in ("bn", "relu", "conv", "bn", "conv", "add")]
    stems = ("bn1", "relu1", "conv1", "bn2", "conv2", "add")
    assert names == [f"conv3_block1_{stem}" for stem in stems]


def test_names_elsewhere_count_from_the_second():
    with naming.scope("head"):
        assert [naming.layer_name("dense") for _ in range(3)] == [
            "head_dense",
            "head_dense2",
            "head_dense3",
        ]


def test_branches_are_named_and_share_the_count():
    with naming.scope("conv3_block1"):
        with naming.scope("shortcut"):
            assert naming.layer_name("conv") == "conv3_block1_shortcut_conv"
        with naming.scope("shortcut"):
            assert naming.layer_name("conv") == "conv3_block1_shortcut_conv2"


def test_outside_a_scope_keras_names():
    assert naming.layer_name("conv") is None


def test_no_name_is_issued_twice():
    with naming.scope("stem") as names:
        issued = [naming.layer_name(kind) for kind in ("conv", "conv2", "conv", "conv2", "conv")]
    assert len(set(issued)) == 5
    assert names.issued == set(issued)


@pytest.mark.parametrize(
    ("name", "group", "kind", "number"),
    [
        ("conv1_conv", "conv1", "conv", None),
        ("conv3_block12_conv2", "conv3_block12", "conv", 2),
        ("conv3_block1_shortcut_conv", "conv3_block1", "shortcut_conv", None),
        ("conv3_block1_conv2d", "conv3_block1", "conv2d", None),
        ("conv3_block1_conv2d2", "conv3_block1", "conv2d", 2),
        ("head_dense", "head", "dense", None),
        ("input_image", "input", "image", None),
    ],
)
def test_parse(name, group, kind, number):
    parsed = naming.parse(name)
    assert (parsed.group, parsed.kind, parsed.number) == (group, kind, number)


@pytest.mark.parametrize("name", ["dense", "dense_1", "Conv1_conv", "", "_conv", "conv1_"])
def test_parse_knows_what_is_not_ours(name):
    assert naming.parse(name) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("conv2d_17", "conv2d"),
        ("separable_conv2d", "separable_conv2d"),
        ("my-gate", "my_gate"),
        ("123", "layer"),
        ("conv2_block1_gate", "gate"),
    ],
)
def test_kind_of_a_foreign_name(name, kind):
    assert naming.kind_of(name) == kind
