import keras
import pytest

from helpers import application
from keras_convnets import ResnetBuilder, units
from keras_convnets.assemble import assemble
from keras_convnets.graph.groups import places
from keras_convnets.graph.structure import inside, is_gate, layers_of, shortcut_kind
from keras_convnets.graph.walk import walk
from keras_convnets.graph.words import Description
from keras_convnets.keras_private import without_values

L = keras.layers


def words(body):
    """Return a body as nested lists of words, light steps left out."""
    return [
        item.text
        if isinstance(item, Description)
        else {item.merge and item.merge.text: [words(branch) for branch in item.branches]}
        for item in body
        if not isinstance(item, Description) or item.heavy
    ]


def block(model, name):
    return inside(
        [call for call, at in places(walk(model), model.name).items() if at.block == name]
    )


@pytest.fixture(scope="module")
def resnet():
    with without_values():
        return ResnetBuilder.build_resnet_50((3, 64, 64), 10)


def test_a_bottleneck_with_an_identity(resnet):
    found = block(resnet, "conv3_block2")
    assert words(found.body) == ["1×1, 128", "3×3, 128", "1×1, 512"]
    assert found.shortcut == ()
    assert found.merge.text == "+"


def test_a_bottleneck_with_a_projection(resnet):
    found = block(resnet, "conv3_block1")
    assert words(found.body) == ["1×1, 128, /2", "3×3, 128", "1×1, 512"]
    assert words(found.shortcut) == ["1×1, 512, /2"]


def test_a_shared_pre_activation_and_what_follows_the_merge():
    found = block(application("ResNet50V2"), "conv2_block1")
    assert [step.text for step in layers_of(found.before)] == ["BN", "ReLU"]
    assert words(found.shortcut) == ["1×1, 256"]
    after = block(application("ResNet50"), "conv2_block1").after
    assert [step.text for step in after] == ["ReLU"]


def test_a_dense_block_concatenates_its_input():
    found = block(application("DenseNet121"), "conv3_block4")
    assert (words(found.body), found.shortcut) == (["1×1, 128", "3×3, 32"], ())
    assert found.merge.text == "concat"


def test_four_branches_in_their_order():
    found = block(application("InceptionV3"), "mixed0")
    assert found.merge is None
    assert words(found.body) == [
        {
            "concat": [
                ["1×1, 64"],
                ["1×1, 48", "5×5, 64"],
                ["1×1, 64", "3×3, 96", "3×3, 96"],
                ["avg pool 3×3", "1×1, 32"],
            ]
        }
    ]


def test_branches_within_a_branch():
    found = block(application("InceptionV3"), "mixed9")
    assert words(found.body)[0]["concat"][1] == [
        "1×1, 384",
        {"concat": [["1×3, 384"], ["3×1, 384"]]},
    ]


def test_branches_with_a_common_beginning_in_one_merge():
    inputs = keras.Input((8, 8, 4))
    stem = L.Conv2D(6, 1)(inputs)
    wide, high = (
        L.Conv2D(5, (1, 3), padding="same")(stem),
        L.Conv2D(5, (3, 1), padding="same")(stem),
    )
    merged = L.Concatenate()([L.Conv2D(3, 1)(inputs), wide, high])
    found = inside(walk(keras.Model(inputs, merged))[1:])
    assert words(found.body) == [
        {"concat": [["1×1, 3"], ["1×1, 6", {None: [["1×3, 5"], ["3×1, 5"]]}]]}
    ]


def test_an_inception_block_with_a_shortcut():
    found = block(application("InceptionResNetV2"), "block35_1")
    assert found.shortcut == ()
    assert found.merge.text == "+ scaled"
    assert words(found.body)[-1] == "1×1, 320"
    assert len(words(found.body)[0]["concat"]) == 3


def test_squeeze_and_excitation_is_no_shortcut():
    found = block(application("EfficientNetB0"), "block1a")
    assert found.merge is None
    assert words(found.body)[1] == {"×": [[], ["global avg pool", "1×1, 8", "1×1, 32"]]}


def residual_block(shortcut=None, gated=False):
    """Return the inside of a block of our units, strided where it has a ``shortcut``."""

    def part(x):
        strides = 2 if shortcut else 1
        y = units.conv_bn(8, 3, strides)(units.conv_bn_relu(8, 3)(x))
        if gated:
            gate = [units.conv(2, 1), units.relu(), units.conv(8, 1), units.activation("sigmoid")]
            y = units.multiply(y, units.chain(units.global_pool("avg", keepdims=True), *gate)(y))
        return units.relu()(units.add(shortcut(x) if shortcut else x, y))

    model = assemble((4 if shortcut else 8, 8, 8), 3, [("conv2_block1", part)], "net")
    return block(model, "conv2_block1")


def test_a_residual_block_with_squeeze_and_excitation():
    found = residual_block(gated=True)
    assert words(found.body) == [
        *("3×3, 8", "3×3, 8"),
        {"×": [[], ["global avg pool", "1×1, 2", "1×1, 8"]]},
    ]
    assert is_gate(found.body[-1])
    assert (found.shortcut, found.merge.text, len(found.after)) == ((), "+", 1)


def test_shortcuts_without_weights_are_no_projections():
    resized = units.chain(units.max_pool(1, 2), units.pad_channels(8))
    found = residual_block(shortcut=resized)
    assert words(found.shortcut) == ["max pool 1×1, /2", "pad to 8 channels"]
    assert shortcut_kind(found.shortcut) == "resized"
    projected = units.chain(units.avg_pool(2, 2), units.conv_bn(8, 1))
    assert shortcut_kind(residual_block(shortcut=projected).shortcut) == "projection"
    assert shortcut_kind(residual_block().shortcut) == "identity"


def test_a_graph_that_is_not_made_of_branches_is_listed():
    inputs = keras.Input((8, 8, 4))
    a = L.Conv2D(4, 1, name="a")(inputs)
    b = L.Conv2D(4, 3, padding="same")(inputs)
    c = L.Conv2D(4, 5, padding="same")(a)
    crossed = L.Add()([c, L.Add()([a, b])])
    found = inside(walk(keras.Model(inputs, crossed))[1:])
    assert found.merge is None
    assert sorted(words(found.body)) == ["+", "+", "1×1, 4", "3×3, 4", "5×5, 4"]


def test_two_tensors_from_outside_are_no_shortcut():
    one, other = keras.Input((8, 8, 4)), keras.Input((8, 8, 4))
    merged = L.Add()([one, L.Conv2D(4, 3, padding="same")(other)])
    found = inside(walk(keras.Model([one, other], merged))[2:])
    assert found.shortcut is None
    assert words(found.body) == ["3×3, 4", "+"]


def test_what_does_not_lead_to_the_last_layer_is_listed_too():
    inputs = keras.Input((8, 8, 4))
    x = L.Conv2D(4, 3, padding="same")(inputs)
    side, end = L.Conv2D(2, 1)(x), L.Conv2D(4, 5)(x)
    found = inside(walk(keras.Model(inputs, [side, end]))[1:])
    assert sorted(words(found.body)) == ["1×1, 2", "3×3, 4", "5×5, 4"]
