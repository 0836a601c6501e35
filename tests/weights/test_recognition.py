"""Which network a model is, and which a file is of: the golden table holds what is built."""

import keras
import numpy as np
import pytest

from helpers import outline
from keras_convnets import ResnetV1Builder, create_model, load_weights, save_weights, scope
from keras_convnets.keras_private import without_values
from keras_convnets.weights.transfer.recognition import (
    fingerprint,
    network_of_file,
    network_of_model,
)
from tiny_resnet import state_dict, tiny


@pytest.mark.parametrize("name", ["resnet_v1_50", "resnet_v1_5_50", "densenet_121", "googlenet"])
def test_a_network_is_recognised_whatever_it_is_made_for(name):
    assert network_of_model(outline(name)) == {name} | (
        {"notes_googlenet"} & network_of_model(outline(name))
    )
    with scope("left"):
        other = outline(
            name,
            (1, 64, 96),
            None,
            include_top=False,
            pooling="max",
            l2_penalty=1e-3,
            data_format="channels_first",
            name="mine",
        )
    assert name in network_of_model(other)
    assert name in network_of_model(outline(name, num_outputs=7, classifier_activation=None))


def test_a_network_of_the_users_own_is_none():
    with without_values():
        assert network_of_model(tiny()) == frozenset()
        same = ResnetV1Builder.build((3, 64, 64), 9, "basic_block_v1", (2, 2, 2, 2))
    assert network_of_model(same) == {"resnet_v1_18"}
    assert network_of_file({"x": np.zeros(2)}) == []
    assert network_of_file(state_dict()) == []


def test_strides_and_epsilons_count():
    names = ("resnet_v1_50", "resnet_v1_5_50", "se_resnet_50", "se_resnet_v1_5_50")
    assert len({fingerprint(outline(name)) for name in names}) == 4


def torchs(blocks, classes, channels):
    """Yield the names and shapes of torchvision's ResNets of bottlenecks."""
    bn = ("weight", "bias", "running_mean", "running_var")
    yield "conv1.weight", (64, channels, 7, 7)
    yield from ((f"bn1.{name}", (64,)) for name in bn)
    inputs = 64
    for stage, count in enumerate(blocks, start=1):
        width = 64 * 2 ** (stage - 1)
        for block in range(count):
            there = f"layer{stage}.{block}"
            sizes = ((width, inputs, 1, 1), (width, width, 3, 3), (4 * width, width, 1, 1))
            for n, size in enumerate(sizes, start=1):
                yield f"{there}.conv{n}.weight", size
                yield from ((f"{there}.bn{n}.{name}", size[:1]) for name in bn)
            if block == 0:
                yield f"{there}.downsample.0.weight", (4 * width, inputs, 1, 1)
                yield from ((f"{there}.downsample.1.{name}", (4 * width,)) for name in bn)
            inputs = 4 * width
    yield from (("fc.weight", (classes, inputs)), ("fc.bias", (classes,)))


def blank(shapes):
    return {name: np.broadcast_to(np.float32(0), shape) for name, shape in shapes}


@pytest.mark.parametrize(("classes", "channels"), [(1000, 3), (5, 1)])
def test_a_file_is_recognised_by_its_names_and_shapes(classes, channels):
    found = network_of_file(blank(torchs((3, 4, 6, 3), classes, channels)))
    assert found == [("resnet_v1_5_50", "torchvision"), ("resnet_v1_5_50", "timm")]
    found = network_of_file(blank(torchs((3, 4, 23, 3), classes, channels)))
    assert {name for name, _ in found} == {"resnet_v1_5_101"}


def test_another_network_is_refused_even_where_names_and_shapes_agree(tmp_path):
    path = tmp_path / "resnet50.npz"
    np.savez(path, **blank(torchs((3, 4, 6, 3), 1000, 3)))
    model = create_model("resnet_v1_50", (3, 32, 32), include_top=False)
    before = model.get_weights()
    with pytest.raises(ValueError, match="weights of resnet_v1_5_50, for resnet_v1_50; .* Build"):
        load_weights(model, path)
    with pytest.raises(ValueError, match="weights of resnet_v1_5_50, for resnet_v1_50; .* Build"):
        create_model("resnet_v1_50", (3, 32, 32), 3, weights=path)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.slow
def test_a_model_of_another_graph_is_told_what_the_file_is_of(tmp_path):
    path = tmp_path / "resnet50.npz"
    np.savez(path, **blank(torchs((3, 4, 6, 3), 1000, 3)))
    model = ResnetV1Builder.build((3, 32, 32), 5, "bottleneck_v1", (1, 1, 1, 1))
    report = load_weights(model, path, strict=False)
    assert report.network is None
    assert "the file has the weights of resnet_v1_5_50; the strides" in str(report)


def test_our_own_files_say_their_network(tmp_path):
    path = tmp_path / "cifar.safetensors"
    save_weights(create_model("cifar_plain_20"), path)
    load_weights(create_model("cifar_plain_20"), path)
    with pytest.raises(ValueError, match="weights of cifar_plain_20, for cifar_resnet_20"):
        load_weights(create_model("cifar_resnet_20"), path)
    save_weights(create_model("cifar_plain_20"), path.with_suffix(".npz"))  # has no place for it
    report = load_weights(create_model("cifar_resnet_20"), path.with_suffix(".npz"))
    assert "the names and shapes in the file are also those of cifar_plain_20" in str(report)


@pytest.mark.slow
def test_a_model_in_a_file_says_how_it_computes(tmp_path):
    with scope("left"):
        create_model("cifar_plain_20").save(tmp_path / "plain.keras")
    load_weights(create_model("cifar_plain_20"), tmp_path / "plain.keras")
    with pytest.raises(ValueError, match="without the layer .*_add'.* expected the connections"):
        load_weights(create_model("cifar_resnet_20"), tmp_path / "plain.keras")
    inside = create_model("cifar_plain_20")
    model = keras.Sequential([keras.Input((32, 32, 3)), inside])
    model.save(tmp_path / "nested.keras")
    load_weights(create_model("cifar_plain_20"), tmp_path / "nested.keras")
    with scope("right"):
        network = create_model("cifar_plain_20")
    x = keras.Input((32, 32, 3))
    turned = keras.Model(x, keras.layers.Average()([network(x), network(keras.ops.flip(x, 2))]))
    load_weights(turned, tmp_path / "plain.keras")
    inside.get_layer("conv3_block1_conv1").strides = (1, 1)
    inside.save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match=r"conv3_block1_conv1 has strides=.* Build the network"):
        load_weights(create_model("cifar_plain_20"), tmp_path / "other.keras")
