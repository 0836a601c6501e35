"""Nested models: their blocks, stages and names are those that they have on their own."""

import functools
import itertools
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers import application
from keras_convnets import ResnetBuilder, cost, features, levels, plot_model, receptive_field
from keras_convnets.graph.groups import places
from keras_convnets.graph.stages import placed_layers
from keras_convnets.graph.walk import walk
from keras_convnets.training import freeze_until, stage_factors, stage_rates

L = keras.layers
STAGES = ["conv1", "conv2", "conv3", "final"]


def base(name="base"):
    return ResnetBuilder.build(
        (3, 16, 16), None, "basic_block", (1, 1), include_top=False, name=name
    )


def classified(inputs, x, name="tuned"):
    x = L.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, L.Dense(4, "softmax", name="predictions")(x), name=name)


def image():
    return keras.Input((16, 16, 3))


def shared():
    inner, inputs = base(), [image(), image()]
    return classified(inputs, L.Concatenate()([inner(one) for one in inputs]))


def towers():
    inputs = [image(), image()]
    models = base("left"), base("right")
    parts = [model(one) for model, one in zip(models, inputs, strict=True)]
    return classified(inputs, L.Concatenate()(parts))


def deep():
    middle = keras.Sequential([image(), L.Rescaling(2.0), base()], name="middle")
    inputs = image()
    return classified(inputs, middle(L.Rescaling(0.5)(inputs)))


def grouped(model):
    """Return the layers of each pair of stage and block, without the inputs' ones."""
    calls = walk(model)
    found = {}
    for call, place in places(calls, model.name).items():
        if not call.is_input:
            layers = found.setdefault((place.stage, place.block), [])
            layers.append(call.name.rpartition("/")[2])
    return found


def stages(model):
    return list(dict.fromkeys(one.stage for one in placed_layers(model)))


@pytest.mark.parametrize(
    "name",
    ["MobileNetV2", "ResNet50", "EfficientNetB0", "InceptionV3"],
)
def test_a_nested_model_has_the_stages_that_it_has_on_its_own(name):
    inner = application(name)
    alone = grouped(inner)
    inputs = keras.Input(inner.input_shape[1:])
    nested = grouped(keras.Model(inputs, inner(L.Rescaling(1 / 255)(inputs)), name="tuned"))
    assert list(nested.items())[1:] == list(alone.items())
    assert next(iter(nested)) == (None, "layer 1")


@pytest.mark.parametrize(("model", "first"), [(shared, []), (deep, ["layer 1", "middle/layer 1"])])
def test_stages_of_a_model_at_any_depth(model, first):
    found = stages(model())
    assert found == [*first, *STAGES, found[-1]]
    assert found[-1] in ("predictions", "block 1")


def test_two_uses_are_two_towers_in_figures_and_one_stage_in_freezing():
    model = shared()
    blocks = [block for _, block in grouped(model)]
    assert blocks[4:8] == ["conv1 (2)", "conv2_block1 (2)", "conv3_block1 (2)", "final (2)"]
    assert {name.split("_")[0] for name in freeze_until(model, "conv3").layers} == {
        "base/conv1",
        "base/conv2",
    }
    assert list(stage_factors(model, 0.5).values()) == [0.0625, 0.125, 0.25, 0.5, 1.0]


def test_names_that_two_nested_models_have_are_qualified():
    model = towers()
    found = [f"{side}/{stage}" for side, stage in itertools.product(("left", "right"), STAGES)]
    assert stages(model)[:-1] == found
    assert freeze_until(model, "right").layers == ()  # the left one is beside it, not before it
    frozen = ("right/conv1_conv", "right/conv1_bn")
    assert freeze_until(model, "right/conv2_block1").layers == frozen
    assert {name.split("/")[0] for name in freeze_until(model, "head").layers} == {"left", "right"}
    for name in ("conv3", "conv3_block1", "conv3_block1_conv1"):
        words = f"received '{name}', which is in several models; expected one of 'left/.*', 'right/"
        with pytest.raises(ValueError, match=words):
            freeze_until(model, name)


@pytest.mark.parametrize("name", ["conv3", "base/conv3", "middle/base/conv3_block1"])
def test_names_of_enclosing_models_may_be_left_out(name):
    frozen = freeze_until(deep(), name).layers
    assert {layer.split("_")[0] for layer in frozen} == {"middle/base/conv1", "middle/base/conv2"}


def test_the_name_of_a_model_means_its_first_layer_also_if_it_holds_nothing_but_a_model():
    inputs = image()
    shell = keras.Model(inputs, base()(inputs), name="shell")
    within = keras.Model(inputs, shell(inputs), name="within")
    model = classified(inputs, within(L.Conv2D(3, 1, name="before")(inputs)))
    for name in ("within", "within/shell", "shell", "shell/base", "base"):
        assert freeze_until(model, name).layers == ("before",)


def test_the_name_of_the_outer_model_s_own_layer_is_as_it_is_shown():
    inputs = image()
    x = L.Conv2D(3, 3, padding="same", name="conv1_conv")(inputs)
    model = classified(inputs, base()(x))
    assert freeze_until(model, "conv1_conv").layers == ()
    assert freeze_until(model, "base/conv1_conv").layers == ("conv1_conv",)


def test_two_networks_side_by_side_have_rates_counted_from_their_common_head():
    found = stage_factors(towers(), 0.5)
    assert [found[f"left/{stage}"] for stage in STAGES] == [0.0625, 0.125, 0.25, 0.5]
    assert [found[f"right/{stage}"] for stage in STAGES] == [0.0625, 0.125, 0.25, 0.5]


def test_a_layer_that_is_used_again_later_is_trained_unless_it_is_in_a_nested_model():
    inner = keras.Sequential(
        [image(), L.Conv2D(3, 1, name="a"), L.Conv2D(3, 1, name="b")], name="n"
    )
    inputs, again = image(), L.Conv2D(3, 1, name="again")
    x = L.Conv2D(3, 1, name="middle")(again(inner(inputs)))
    model = classified(inputs, again(inner(x)))
    assert freeze_until(model, "middle").layers == ("n/a", "n/b")
    assert freeze_until(model, "n/b").layers == ("n/a",)


def residual(x):
    inner = keras.Sequential([L.Conv2D(4, 3, padding="same"), L.ReLU(), L.Conv2D(4, 1)])
    return L.Add()([x, inner(x)])


def test_a_model_that_is_one_block_or_a_residual_branch_is_in_a_block_of_the_outer_model():
    inputs = image()
    stem = keras.Sequential([image(), L.Conv2D(4, 3), L.BatchNormalization(), L.ReLU()], name="s")
    model = classified(inputs, residual(residual(stem(L.Rescaling(2.0)(inputs)))))
    assert [block for _, block in grouped(model)] == ["s", "block 1", "block 2", "predictions"]


@functools.cache
def flat_and_nested():
    """Return the same MobileNetV2 with a head, as one graph and as a nested base."""
    keras.utils.set_random_seed(0)
    inner = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, include_top=False, weights=None)
    flat = classified(inner.input, inner.output)
    inputs = keras.Input((32, 32, 3))
    nested = classified(inputs, keras.models.clone_model(inner)(L.Rescaling(1.0)(inputs)))
    return flat, nested, flat.get_weights()


def own(name):
    """Return the name of a layer or weight without those of the models around it."""
    return "/".join(name.split("/")[-2:]) if "/" in name else name


def step(model):
    """Train one step; return the names of the weights that it changed, and all weights."""
    images = np.random.default_rng(0).random((4, 32, 32, 3), "float32")
    before = model.get_weights()
    model.train_on_batch(images, np.arange(4))
    pairs = zip(before, model.weights, strict=True)
    changed = [own(weight.path) for value, weight in pairs if not np.array_equal(value, weight)]
    return changed, model.get_weights()


@pytest.mark.slow
def test_frozen_alike_they_train_alike_and_stay_so_when_saved():
    *models, values = flat_and_nested()
    found = []
    for model in models:
        model.set_weights(values)
        frozen = freeze_until(model, "block_13")
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        names = [name.rpartition("/")[2] for name in frozen.layers]
        found.append((names, frozen.parameters, *step(model)))
    (*flat, flat_weights), (*nested, nested_weights) = found
    assert nested == flat
    assert all(map(np.array_equal, nested_weights, flat_weights))
    names, _, changed = nested
    assert "block_13_expand_BN/moving_mean" in changed
    assert not {name.split("/")[0] for name in changed} & {*names}  # nor a moving mean of theirs
    models[1].save("nested.keras")
    loaded = keras.models.load_model("nested.keras")
    assert step(loaded)[0] == step(models[1])[0]


def test_they_have_the_same_rates_and_costs():
    flat, nested, _ = flat_and_nested()
    for model in (flat, nested):
        freeze_until(model, "block_6")
    assert stage_factors(nested, 0.5) == stage_factors(flat, 0.5)
    assert stage_rates(nested, 0.5) == stage_rates(flat, 0.5)
    for by in ("stage", "block"):
        first, second = (
            {row.name: row.macs for row in cost(model).rolled_up(by)} for model in (flat, nested)
        )
        common = [name for name in first if name not in ("out_relu", "predictions")]
        assert [second[name] for name in common] == [first[name] for name in common]


@pytest.mark.parametrize("model", [shared, towers, deep])
def test_figures_show_the_blocks_within(model):
    for detail, word in (("stage", "conv3"), ("block", "conv3"), ("layer", "conv3_block1_conv2")):
        plot_model(model(), "within.dot", detail=detail, expand_nested=True)
        assert word in Path("within.dot").read_text(encoding="utf-8")


def test_figures_show_the_blocks_of_a_base_and_a_small_model_as_a_box():
    inputs = image()
    model = classified(inputs, residual(L.Conv2D(4, 1)(base()(inputs))))

    def text(**options):
        plot_model(model, "within.dot", **options)
        return Path("within.dot").read_text(encoding="utf-8")

    assert "conv2_block1" in text()
    assert "model of 3 layers" in text()
    assert "conv2_block1" not in text(expand_nested=False)
    assert "model of" not in text(expand_nested=True)
    assert "model of" not in text(detail="layer")


def test_a_receptive_field_is_found_by_the_name_within():
    model = deep()
    found = receptive_field(model)
    assert receptive_field(model, "conv2_block1_conv1") == found["middle/base/conv2_block1_conv1"]
    assert (
        receptive_field(base(), "conv2_block1_conv1").size
        == found["middle/base/conv2_block1_conv1"].size
    )
    with pytest.raises(
        ValueError, match="^layer: .* in several models; expected one of 'left/conv1"
    ):
        receptive_field(towers(), "conv1_conv")


def test_feature_levels_are_those_of_the_base():
    inner, model = base(), deep()
    model.get_layer("middle").get_layer("base").set_weights(inner.get_weights())
    found = levels(model)
    assert [level._replace(layer=level.layer.split("/")[-1]) for level in found] == [*levels(inner)]
    assert found[-1].layer == "middle/base/final_relu"
    maps = features(model)
    images = np.random.default_rng(0).random((2, 16, 16, 3), "float32")
    for name, tensor in features(inner).predict_on_batch(images).items():
        assert np.allclose(maps.predict_on_batch(images)[name], tensor, atol=1e-5)
    assert len(maps.weights) == len(inner.weights)
    maps.save("maps.keras")
    assert list(keras.models.load_model("maps.keras").output) == list(maps.output)


def test_feature_levels_of_a_model_that_is_used_twice():
    halved = [L.Conv2D(3, 3, 2, padding="same"), L.ReLU(), L.Conv2D(3, 1)]
    inner = keras.Sequential([keras.Input((None, None, 3)), *halved])
    inputs = keras.Input((32, 32, 3))
    model = classified(inputs, inner(inner(inner(inputs))))
    maps = features(model).predict_on_batch(np.ones((1, 32, 32, 3), "float32"))
    assert {name: value.shape[1] for name, value in maps.items()} == {"C1": 16, "C2": 8, "C3": 4}
