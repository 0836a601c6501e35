"""Files of Keras: those of keras.applications, of any age, and those of our own models."""

import numpy as np
import pytest

from helpers import filled, outline, random_state
from keras_convnets import DensenetBuilder, load_weights, scope
from keras_convnets.keras_private import values_forgotten
from keras_convnets.weights.placing.keras_files import place_keras
from keras_convnets.weights.placing.keras_writing import check_keras_suffix
from keras_convnets.weights.placing.model_layers import layers_of, variables_of
from keras_convnets.weights.rules.keras import order
from keras_convnets.weights.transfer.recognition import network_of_file


def blank_file(name, model, rename=None, without_top=False):
    """Return the arrays of a file of keras.applications for a model, each with a value of its own.

    ``rename`` makes the name of a layer of its place and its name.
    """
    layers, arrays = layers_of(model), {}
    for place, pair in enumerate(order(name)):
        if pair.ours.startswith("head") and without_top:
            continue
        layer = rename(place, pair.theirs) if rename else pair.theirs
        for n, weight in enumerate(layers[pair.ours].weights):
            value = np.float32(len(arrays))
            arrays[f"{layer}/{n}"] = np.broadcast_to(value, weight.shape)
    return arrays


@pytest.fixture(scope="module")
def resnet():
    with values_forgotten():
        return outline("resnet_v1_50_keras")


def expected_places(model, name="resnet_v1_50_keras"):
    """Return the weights in the order of a file."""
    layers = layers_of(model)
    return [
        f"{pair.ours}/{variable}"
        for pair in order(name)
        for variable in variables_of(layers[pair.ours])
    ]


@pytest.mark.parametrize(
    ("rename", "noted"),
    [
        (None, False),
        (lambda place, name: f"outer/{name}", False),  # a model within another
        (
            lambda place, name: "fc1000" if name == "predictions" else name.replace("bn", "BN"),
            False,
        ),
        (lambda place, name: f"layer_{place}", True),
    ],
)
def test_layers_are_placed_by_their_order(resnet, rename, noted):
    arrays = blank_file("resnet_v1_50_keras", resnet, rename)
    placement = place_keras(layers_of(resnet), arrays, {"resnet_v1_50_keras"})
    assert [int(value.array.flat[0]) for value in placement.values.values()] == list(range(320))
    assert list(placement.values) == expected_places(resnet)
    assert placement.bgr
    assert (placement.missing, placement.unexplained) == ((), ())
    assert ("matched by their order" in " ".join(placement.notes)) == noted


def test_names_that_are_known_tell_the_place(resnet):
    arrays = blank_file("resnet_v1_50_keras", resnet)
    placement = place_keras(layers_of(resnet), dict(sorted(arrays.items())))
    assert {name: int(value.array.flat[0]) for name, value in placement.values.items()} == {
        name: n for n, name in enumerate(expected_places(resnet))
    }
    swapped = {"conv2_block2_1_bn": "conv2_block2_2_bn", "conv2_block2_2_bn": "conv2_block2_1_bn"}
    arrays = blank_file("resnet_v1_50_keras", resnet, lambda _, name: swapped.get(name, name))
    assert place_keras(layers_of(resnet), arrays).values["conv2_block2_bn1/gamma"].key == (
        "conv2_block2_1_bn/0"
    )
    arrays["other/0"] = arrays.pop("predictions/0")
    renamed = blank_file(
        "resnet_v1_50_keras", resnet, lambda n, name: swapped.get(name, name) if n else "other"
    )
    with pytest.raises(ValueError, match="in another order"):
        place_keras(layers_of(resnet), renamed, {"resnet_v1_50_keras"})


def test_numbers_that_keras_gives_to_layers():
    model = outline("inception_v3_keras")
    arrays = blank_file("inception_v3_keras", model)
    expected = place_keras(layers_of(model), arrays).values
    first = {"conv2d": "conv2d_7", "batch_normalization": "batch_normalization_7"}

    def later(_, name):
        kind, _, n = name.rpartition("_")
        return f"{kind}_{int(n) + 7}" if n.isdecimal() else first.get(name, name)

    arrays = blank_file("inception_v3_keras", model, later)
    found = place_keras(layers_of(model), dict(sorted(arrays.items()))).values
    assert {name: value.array.flat[0] for name, value in found.items()} == {
        name: value.array.flat[0] for name, value in expected.items()
    }


def test_classes_and_their_numbers(resnet):
    """The first versions of Keras 3 wrote no names of layers."""
    counts = {"conv2d": 0, "batch_normalization": 0, "dense": 0}

    def numbered(_, name):
        kinds = {"predictions": "dense"}
        kind = kinds.get(name, "batch_normalization" if name.endswith("_bn") else "conv2d")
        counts[kind] += 1
        return f"{kind}_{counts[kind] - 1}" if counts[kind] > 1 else kind

    arrays = blank_file("resnet_v1_50_keras", resnet, numbered)
    found = place_keras(layers_of(resnet), dict(sorted(arrays.items()))).values
    assert {name: int(value.array.flat[0]) for name, value in found.items()} == {
        name: n for n, name in enumerate(expected_places(resnet))
    }


def test_a_file_without_top(resnet):
    arrays = blank_file("resnet_v1_50_keras", resnet, without_top=True)
    placement = place_keras(layers_of(resnet), arrays)
    assert placement.missing == ("head_dense/kernel", "head_dense/bias")
    bare = {name: layer for name, layer in layers_of(resnet).items() if name != "head_dense"}
    assert place_keras(bare, arrays).missing == ()
    placement = place_keras(bare, blank_file("resnet_v1_50_keras", resnet))
    assert placement.left_out == {
        "predictions/0": "the model is without its top",
        "predictions/1": "the model is without its top",
    }


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("resnet_v1_101_keras", "has 208 layers with weights before its head, and the file 106"),
        ("resnet_v2_50_keras", "layers with weights before its head, and the file 106"),
        ("resnet_v1_5_50", "expected the names of the model's own layers"),
    ],
)
def test_a_file_of_another_network(resnet, network, message):
    arrays = blank_file("resnet_v1_50_keras", resnet)
    with pytest.raises(ValueError, match=message) as refused:
        place_keras(layers_of(outline(network)), arrays, {network})
    assert "\n" not in str(refused.value)


def test_other_shapes(resnet):
    arrays = blank_file("resnet_v1_50_keras", resnet)
    arrays["conv4_block2_2_conv/0"] = np.zeros((1, 1, 256, 256), "f4")
    with pytest.raises(
        ValueError, match=r"its layer 'conv4_block2_2_conv' has the shapes \[\(1, 1,"
    ):
        place_keras(layers_of(resnet), arrays, {"resnet_v1_50_keras"})


def test_which_network_a_file_is_of(resnet):
    arrays = blank_file("resnet_v1_50_keras", resnet)
    assert network_of_file(arrays) == [("resnet_v1_50_keras", "keras")]
    names = [layer for pair in order("densenet_121_keras") for layer in pair]
    densenet = outline("densenet_121")
    own = {
        f"{name}/{n}": np.broadcast_to(np.float32(0), weight.shape)
        for name, layer in layers_of(densenet).items()
        for n, weight in enumerate(layer.weights)
    }
    both = {"densenet_121", "densenet_121_keras"}
    assert {network for network, _ in network_of_file(own)} == both
    theirs = dict(zip(names[::2], names[1::2], strict=True))
    published = {
        "/".join((theirs[key.split("/")[0]], key.split("/")[1])): array
        for key, array in own.items()
    }
    assert network_of_file(published) == [("densenet_121_keras", "keras")]
    with pytest.raises(ValueError, match="expected the names of the model's own layers"):
        place_keras(layers_of(densenet), published, {"densenet_121"})


# --- Our own models.


def tiny(**options):
    return DensenetBuilder.build((3, 16, 16), 4, (2, 1), 4, stem="cifar", **options)


@pytest.mark.parametrize("name", ["a.keras", "a.weights.h5", "a.h5"])
@pytest.mark.filterwarnings("ignore:You are saving")
def test_files_of_our_own_models(name):
    with scope("sar"):
        source = tiny(data_format="channels_first")
    filled(source, random_state(source))
    source.save_weights(name) if "weights" in name else source.save(name)
    model = tiny()
    report = load_weights(model, name)
    assert (report.source, report.missing, report.left_out) == ("keras_convnets", (), {})
    for one, other in zip(model.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_of_our_own_that_has_more_or_less():
    tiny().save_weights("a.weights.h5")
    bare = tiny(include_top=False)
    assert set(load_weights(bare, "a.weights.h5").left_out) == {"head_dense/0", "head_dense/1"}
    bare.save_weights("b.weights.h5")
    assert list(load_weights(tiny(), "b.weights.h5").anew) == ["head_dense"]
    other = DensenetBuilder.build((3, 16, 16), 4, (2, 2), 4, stem="cifar")
    with pytest.raises(ValueError, match="Build the network"):
        load_weights(other, "a.weights.h5")


def test_what_keras_would_read_as_another_format():
    with pytest.raises(ValueError, match=r"expected a name that ends in .h5, but not in"):
        check_keras_suffix("a.weights.h5")
    check_keras_suffix("a.h5")
