"""No value of a recipe, and no option of the command, is without an effect in silence."""

import dataclasses
import json

import numpy as np
import pytest
from train_command import GIVEN, options, requested

from helpers import refusal
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run.request import RunRequest
from keras_convnets.training.run.request_parts import DataRequest

QUICK, CIFAR = RECIPES["quick"], RECIPES["resnet-cifar-110"]
MORE = {"drop_factor": 0.2, "warmup_steps": 3, "warmup_rate": 0.5, "drops": (0.5,)}


@pytest.mark.parametrize(
    ("recipe", "changes", "words"),
    [
        (QUICK, {"drops": (0.5,)}, "drops: .* only with the schedule 'drops'"),
        (QUICK, {"drop_factor": 0.1}, "drop_factor: .* only with drops"),
        (QUICK, {"warmup_steps": 9}, "warmup_steps: .* the schedule 'drops' and no warmup_epochs"),
        (QUICK, {"warmup_rate": 0.1}, "warmup_rate: .* only with warmup_epochs or warmup_steps"),
        (QUICK, {"momentum": 0, "nesterov": True}, "nesterov: .* only with a momentum above 0"),
        (CIFAR, {"schedule": "cosine", "drops": (0.5,)}, "drops: received"),
        (CIFAR, {"drops": (), "drop_factor": 0.5}, "drop_factor: received"),
        (CIFAR, {"warmup_epochs": 3, "warmup_steps": 9}, "warmup_steps: received 9"),
        (CIFAR, {"warmup_steps": 0, "warmup_rate": 0.1}, "warmup_rate: received 0.1"),
    ],
)
def test_a_change_without_effect_is_refused(recipe, changes, words):
    with pytest.raises(ValueError, match=words):
        recipe.replace(**changes)
    whole = dataclasses.asdict(recipe) | changes
    if changes.get("drop_factor") != 0.1:  # the default, which nobody needs to have asked for
        with pytest.raises(ValueError, match=words.partition(":")[0]):
            Recipe(**whole)


@pytest.mark.parametrize(
    ("name", "changes", "gone"),
    [
        ("resnet-cifar-110", {"schedule": "cosine"}, {"drops", "warmup_steps", "warmup_rate"}),
        ("resnet-cifar-110", {"warmup_epochs": 2}, {"warmup_steps"}),
        ("resnet-cifar-110", {"warmup_steps": 0}, {"warmup_rate"}),
        ("wide-resnet-cifar", {"drops": ()}, {"drop_factor"}),
        ("wide-resnet-cifar", {"momentum": 0}, {"nesterov"}),
        ("imagenet", {"warmup_steps": 5}, {"warmup_epochs"}),
        ("imagenet", {"steps": 5}, {"epochs"}),
        ("resnet-cifar", {"epochs": 5}, {"steps"}),
    ],
)
def test_the_values_of_a_recipe_give_way(name, changes, gone):
    recipe = RECIPES[name]
    changed = recipe.replace(**changes)
    differ = {f.name for f in dataclasses.fields(Recipe)}
    differ = {one for one in differ if getattr(recipe, one) != getattr(changed, one)}
    assert differ == gone | {one for one in changes if getattr(recipe, one) != changes[one]}


def test_a_recipe_of_an_earlier_version_keeps_what_has_no_effect():
    kept = dataclasses.asdict(QUICK) | {"drops": [0.5], "warmup_steps": 7, "nesterov": True}
    recipe = Recipe.from_config(json.loads(json.dumps(kept)))
    assert (recipe.drops, recipe.warmup_steps) == ((0.5,), 7)
    assert [float(recipe.rates(10)(step)) for step in (0, 60, 119)] == [
        float(QUICK.rates(10)(step)) for step in (0, 60, 119)
    ]


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize(("option", "given"), [*options()], ids=str)
def test_every_option_changes_what_is_planned_or_is_refused(name, option, given):
    plain = requested("--recipe", name)
    try:
        request = requested("--recipe", name, *given)
    except ValueError as error:
        said = str(error)
        assert option in said or option.replace("_", "-") in said
        return
    changed = dataclasses.replace(request, given=None) != dataclasses.replace(plain, given=None)
    is_equal = option == "recipe" and name == "imagenet"
    is_equal |= option == "nesterov" and not RECIPES[name].nesterov
    is_equal |= str(getattr(RECIPES[name], option, None)) == GIVEN.get(option)
    assert changed != is_equal


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            "--data-dir .",
            "data_dir: received '.' with 'digits'; expected none, for it has no files",
        ),
        ("--data folder:x --data-dir .", "its name says where the images are"),
        ("--strict", "strict: received True with 'digits'"),
        ("--data mnist --strict", "strict: received True with 'mnist'"),
        ("--model lenet_5 --sync-bn", "lenet_5, which has no batch normalisation"),
        ("--model lenet_5 --memory-efficient", "lenet_5, which has no dense blocks"),
        ("--model lenet_5 --freeze-until conv1", "before which lenet_5 has no layers with weights"),
        ("--resume x --epochs 3 --continue", "received --epochs, --continue with it"),
        ("--drops 0.5", "drops: received (0.5,), which has no effect here"),
        ("--jit --workers a:1,localhost:2999 --index 1 --out x", "jit: received True with 2"),
        ("--batch-size 3 --workers a:1,localhost:2999 --index 1 --out x", "a multiple of 2"),
    ],
)
def test_options_of_train_without_effect(arguments, words, capfd):
    assert words in refusal(["train", *arguments.split()], capfd)


def test_arguments_of_data_without_effect():
    for arguments in ({"data_dir": "."}, {"strict": True}):
        with pytest.raises(ValueError, match=f"{next(iter(arguments))}: received"):
            load_data("digits", **arguments)
        with pytest.raises(ValueError, match=f"{next(iter(arguments))}: received"):
            DataRequest(**arguments)


def test_numbers_of_numpy_are_kept_as_pythons():
    recipe = QUICK.replace(
        epochs=np.int64(3),
        learning_rate=np.float32(0.5),
        nesterov=np.True_,
        momentum=np.float64(1) * 0.5,
    )
    settings = Settings(seed=np.uint8(7), jit=np.False_, checkpoint_steps=np.int32(9))
    data = DataRequest("digits", image_size=np.int16(16), validation_split=np.float32(0.25))
    values = [dataclasses.asdict(one) for one in (recipe, settings, data)]
    assert json.loads(json.dumps(values))[0] == values[0] | {"drops": []}
    assert {type(value) for one in values for value in one.values()} <= {
        int, float, bool, str, tuple, dict, type(None),
    }  # fmt: skip


@pytest.mark.parametrize("value", [10**25, -1, 0, 1.5, float("nan"), "3", True, b"3", [], None])
def test_numbers_of_steps_that_are_none(value):
    with pytest.raises(ValueError, match="^(steps|epochs): received"):
        QUICK.replace(steps=value, epochs=None)
    with pytest.raises(ValueError, match="^checkpoint_steps: received"):
        Settings(checkpoint_steps=value)


@pytest.mark.parametrize("value", [1e400, 1e-300, 10**400, "0.1", 0.1 + 1j, None, [0.1], np.inf])
def test_rates_that_are_none(value):
    with pytest.raises(ValueError, match="^learning_rate: received"):
        QUICK.replace(learning_rate=value)


def test_a_run_of_more_steps_than_can_be_counted():
    with pytest.raises(ValueError, match=r"^epochs: .* at most 2,147,483,647"):
        QUICK.replace(epochs=2**31 - 1).total_steps(45)
    with pytest.raises(ValueError, match="^seed: received 4294967296;.* less than 2"):
        Settings(seed=2**32)


@pytest.mark.parametrize("wrong", [5, -1, 1.5, [], {}, b"x", object()])
@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(RunRequest)])
def test_requests_of_the_wrong_kind(name, wrong):
    if name in ("load", "given") and wrong in ([], {}):
        return
    with pytest.raises(ValueError, match=f"{name.replace('network', 'model')}: received"):
        RunRequest(**{name: wrong})
