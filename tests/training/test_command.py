"""The command that repeats a run: parsed again, it makes the same request."""

import dataclasses
import shlex
from pathlib import Path

import pytest
import train_command

from keras_convnets.training.recipe.recipes import RECIPES, Recipe
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import config_file
from keras_convnets.training.run.begun import recorded, stored_value
from keras_convnets.training.run.command import command, repetition, requested
from keras_convnets.training.run.request import RunRequest
from keras_convnets.training.run.request_parts import DataRequest, Devices

KEPT = Path(__file__).parents[1] / "data/runs"
FREE = [
    ["--data", "mnist", "--data-dir", "some where"],
    ["--strategy", "multi-worker", "--workers", "a:1,b:2", "--index", "0"],
    ["--strategy", "mirrored"],
    ["--secret-file", "secret", "--workers", "a:1,b:2", "--index", "1"],
    ["--out", "there", "--continue"],
    ["--time-limit", "1h30m4.25s", "--keep-best", "--validation-split", "0.1"],
    ["--time-limit", "4000h0.000001s", "--preprocessing", "-1-1"],
    ["--load", "one.py", "--load=-two.py"],
    ["--data", "folder:it's; rm -rf *", "--seed", "7"],
    ["--no-nesterov", "--drops", "0.3333333333333333,0.9", "--schedule", "drops"],
]


def commands():
    yield from FREE
    for name in RECIPES:
        yield ["--recipe", name]
        yield ["--recipe", name, "--steps", "90000", "--schedule", "cosine", "--momentum", "0"]
    for option, words in train_command.options():
        yield [*words, *train_command.WITH.get(option, ())]


def as_stored(value):
    """Return a request as data, with paths that are valid from anywhere."""
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        fields.pop("given", None)
        return {name: stored(name, each) for name, each in fields.items()}
    return value


def stored(name, value):
    if dataclasses.is_dataclass(value):
        return as_stored(value)
    if name == "load":
        return [str(path.absolute()) for path in value]
    return stored_value({"name": "data"}.get(name, name), value)


@pytest.mark.parametrize("words", [*commands()], ids=" ".join)
def test_it_makes_the_same_request(words):
    try:
        request = train_command.requested(*words)
    except ValueError as error:  # what this recipe has makes an option moot
        pytest.skip(str(error))
    line = shlex.join(["keras-convnets", *command(request)])
    _, _, *again = shlex.split(line)
    assert as_stored(train_command.requested(*again)) == as_stored(request), line


def test_every_option_is_tried():
    given = {word.partition("=")[0] for words in commands() for word in words}
    known = {flag for action in train_command.parser()._actions for flag in action.option_strings}
    assert (
        known - given - {"-h", "--help", "--dry-run", "--resume", "--seeds", "--nesterov"} == set()
    )


def test_of_a_request_of_defaults_it_is_the_bare_command():
    assert command(RunRequest()) == ["train"]


def test_a_recipe_of_ones_own_is_made_of_the_closest():
    own = Recipe("mine", 64, 0.2, epochs=9, drops=(0.5,), weight_decay=1e-4, augmentation="crop")
    request = RunRequest(recipe=own)
    again = train_command.requested(*command(request)[1:]).recipe
    assert dataclasses.replace(again, source="mine") == own


def config_of(request):
    """Return the configuration of a run that a request began."""
    config = config_file.read(KEPT / "format_3")
    arguments = dataclasses.asdict(config.data.arguments)
    arguments |= {name: value for name, value in vars(request.data).items() if name in arguments}
    arguments |= {"data_dir": str(Path("files").absolute()), "seed": request.settings.seed}
    data = dataclasses.replace(
        config.data, arguments=type(config.data.arguments)(**arguments | {"name": "mnist"})
    )
    return dataclasses.replace(
        config,
        data=data,
        recipe=request.recipe,
        settings=request.settings,
        request=recorded(request),
    )


def test_a_run_knows_it():
    request = RunRequest(
        "resnet_18",
        freeze_until="conv4",
        precision="mixed_bfloat16",
        data=DataRequest("mnist", data_dir=Path("files"), image_size=24, validation_split=0.1),
        recipe=RECIPES["imagenet"].replace(steps=700, warmup_epochs=2),
        settings=Settings(seed=3, deterministic=True),
        devices=Devices("mirrored"),
        load=(Path("my blocks.py"),),
    )
    config = config_of(request)
    assert as_stored(requested(config)) == as_stored(request)
    line = repetition(config).command
    assert line.startswith("keras-convnets train --model resnet_18 ")
    assert f"'{Path('my blocks.py').absolute()}'" in line
    _, _, *again = shlex.split(line)
    assert as_stored(train_command.requested(*again)) == as_stored(request)


def test_of_a_run_begun_in_python_it_is_the_call():
    found = repetition(config_file.read(KEPT / "format_3"))
    assert found.command is None
    assert found.call == (
        "train(model, load_data('digits', image_size=8), \"run\", "
        "RECIPES['quick'].replace(batch_size=256, epochs=2), "
        "Settings(seed=3, checkpoint_steps=2, deterministic=True, keep_best=False))"
    )
