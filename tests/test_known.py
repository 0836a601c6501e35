import copy
import dataclasses
import json
import pickle
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_convnets import (
    class_names_of,
    features,
    load_model,
    preprocessing_of,
)
from keras_convnets.known import KEY, Known, known, pass_on, remember
from keras_convnets.saved_models import opens_with_keras, without_optimizer
from keras_convnets.training import Preprocessing, new_head
from keras_convnets.training.run.pretrained import open_pretrained

IMAGES = Preprocessing(3, 8, 8, mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2), resize="crop")
WHAT = Known("torchvision", IMAGES.to_config(), ("cat", "dog", "a bird"))


def small(kind=keras.Model, knows=True):
    layers = [
        keras.layers.Conv2D(2, 3, strides=2, padding="same", name="conv1_conv"),
        keras.layers.GlobalAveragePooling2D(name="head_pool"),
        keras.layers.Dense(3, name="head_dense"),
    ]
    if kind is keras.Sequential:
        model = keras.Sequential([keras.Input((8, 8, 3)), *layers], name="small")
    else:
        inputs = x = keras.Input((8, 8, 3))
        for layer in layers:
            x = layer(x)
        model = keras.Model(inputs, x, name="small")
    if knows:
        remember(model, WHAT)
    return model


@pytest.mark.parametrize("kind", [keras.Model, keras.Sequential])
def test_a_saved_model_knows_and_keras_alone_opens_it(kind):
    model = small(kind)
    model.save("small.keras")
    again, plain = load_model("small.keras"), keras.models.load_model("small.keras")
    assert known(again) == WHAT
    assert preprocessing_of(again) == IMAGES
    assert class_names_of(again) == ("cat", "dog", "a bird")
    assert known(plain) == Known()
    assert type(plain) is type(model)
    images = np.ones((1, 8, 8, 3))
    assert np.array_equal(plain(images), model(images))
    again.save("again.keras")
    assert known(load_model("again.keras")) == WHAT


def test_a_model_that_knows_nothing_is_saved_as_keras_does():
    plain = small(knows=False)
    emptied = small()
    remember(emptied, Known())
    for model in (plain, emptied):
        assert KEY not in json.dumps(keras.saving.serialize_keras_object(model))
        assert preprocessing_of(model) is None
        assert class_names_of(model) is None


def test_copies_know_what_the_model_knows():
    model = small()
    model.compile("sgd", "mse")
    for made in (
        copy.deepcopy(model),
        copy.copy(model),
        pickle.loads(pickle.dumps(model)),
        without_optimizer(model),
        opens_with_keras(model),
    ):
        assert known(made) == WHAT
    clone = keras.models.clone_model(model)
    assert known(clone) == Known()
    pass_on(model, clone)
    assert known(clone) == WHAT


def test_models_of_other_outputs_keep_the_preprocessing_without_the_names():
    model = small()
    expected = dataclasses.replace(WHAT, class_names=None)
    assert known(new_head(model, 5)) == expected
    assert known(features(model, (1,))) == expected


def test_within_another_model_it_is_a_layer_like_any_other():
    outer = keras.Sequential([keras.Input((8, 8, 3)), small()])
    outer.save("outer.keras")
    assert known(load_model("outer.keras")) == Known()


def changed(what):
    """Write a model whose file says something else."""
    small().save("small.keras")
    with zipfile.ZipFile("small.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["build_config"][KEY] = what
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile("changed.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (7, "keras_convnets: received 7; expected a JSON object"),
        ({"weights": 7}, r"keras_convnets\.weights: received 7; expected a name"),
        ({"class_names": "cat"}, r"class_names: received 'cat'; expected a list of names"),
        ({"class_names": ["a", 7, "c"]}, r"class_names: received \['a', 7, 'c'\]; expected a list"),
        ({"class_names": ["a", "b"]}, r"class_names: 2 names for a model of 3 outputs"),
        ({"class_names": ["a"] * 100_000}, r"class_names: 100,000 names for a model of 3 outputs"),
        ({"preprocessing": []}, r"preprocessing: received \[\]; expected a JSON object"),
        ({"preprocessing": {"mean": [[1]]}}, r"preprocessing\.mean: received \[\[1\]\]; expected"),
    ],
)
def test_a_file_that_says_what_no_model_can_know_is_refused_in_a_line(what, words):
    changed(what)
    with pytest.raises(ValueError, match=words) as refused:
        load_model("changed.keras")
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize(
    "config",
    [
        {},
        IMAGES.to_config() | {"scale": 0},
        IMAGES.to_config() | {"scale": "255"},
        IMAGES.to_config() | {"mean": [1.0]},
        IMAGES.to_config() | {"mean": "grey"},
        IMAGES.to_config() | {"std": None},
        IMAGES.to_config() | {"sharpen": True},
        IMAGES.to_config() | {"rows": 10**30},
    ],
)
def test_what_is_no_preprocessing_is_refused_in_a_line(config):
    changed({"preprocessing": config})
    model = load_model("changed.keras")
    with pytest.raises(ValueError, match="^model: its preprocessing cannot be used: ") as refused:
        preprocessing_of(model)
    assert "\n" not in str(refused.value)


def test_keys_of_a_later_version_are_ignored():
    changed({"weights": "timm", "licence": "mit"})
    assert known(load_model("changed.keras")) == Known("timm")


def test_training_goes_on_with_the_images_of_the_model():
    small().save("small.keras")
    start = open_pretrained(Path("small.keras"))
    assert start.data_arguments() == {"preprocessing": IMAGES}
    assert start.data_arguments(16) == {"preprocessing": IMAGES}  # which load_data refuses
    assert start.for_classes(("cat", "dog", "a bird")) is start.model
    other = start.for_classes(("cat", "dog"))
    assert (class_names_of(other), preprocessing_of(other)) == (None, IMAGES)


def test_a_model_for_any_size_is_given_images_of_the_size_asked_for():
    inputs = x = keras.Input((None, None, 3))
    for layer in small().layers[1:]:
        x = layer(x)
    model = keras.Model(inputs, x)
    remember(model, WHAT)
    model.save("any.keras")
    start = open_pretrained(Path("any.keras"))
    assert start.data_arguments() == {"preprocessing": IMAGES}
    expected = dataclasses.replace(IMAGES, rows=16, cols=16)
    assert start.data_arguments(16) == {"preprocessing": expected}
