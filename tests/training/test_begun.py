"""A run that was begun goes on only as it was begun: every option that differs is named."""

import dataclasses
from pathlib import Path

import pytest
from train_command import GIVEN, WITH, options, parser, requested

from keras_convnets import cli
from keras_convnets.training.data import arguments
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import config_file
from keras_convnets.training.run.begun import MAY_DIFFER, check_same_request, recorded
from keras_convnets.training.run.request import RunRequest
from keras_convnets.training.run.request_parts import DataRequest, Devices
from keras_convnets.training.run.run_config import (
    DataArguments,
    DataFacts,
    ModelFacts,
    PreprocessingFacts,
    RequestFacts,
    RunConfig,
)


def begin(request, size=32):
    """Write the configuration of a run as `launch` does, without the run."""
    named = dataclasses.asdict(request.data) | {"seed": request.settings.seed, "data_dir": None}
    named |= {"name": arguments.anywhere(request.data.name)}
    channels = request.data.channels or 1
    config = RunConfig(
        model=ModelFacts(request.network_name, (channels, size, size), 10, "channels_last", 9, 0),
        data=DataFacts("digits", 9, 9, 9, tuple("0123456789"), (), "shift", DataArguments(**named)),
        preprocessing=PreprocessingFacts(
            *(channels, size, size, 16.0, (0.0,) * channels, (1.0,) * channels),
            *("none", None, "bilinear"),
        ),
        recipe=request.recipe,
        settings=request.settings,
        versions={},
        request=dataclasses.replace(recorded(request), precision=request.precision or "float32"),
    )
    request.folder.mkdir(exist_ok=True)
    config_file.write(request.folder, config)


@pytest.mark.parametrize(("option", "given"), [*options()], ids=str)
def test_every_option_that_differs_is_named(option, given):
    begin(requested("--out", "run", "--continue"))
    request = requested("--out", "run", "--continue", *given, *WITH.get(option, []))
    with pytest.raises(ValueError, match="^continue: 'run' was begun with") as caught:
        request.check_folder()
    assert f"--{option.replace('_', '-')} " in str(caught.value)


@pytest.mark.parametrize(("option", "given"), [*options()], ids=str)
def test_the_same_command_goes_on(option, given):
    command = ["--out", "run", "--continue", *given, *WITH.get(option, [])]
    size = int(GIVEN["image_size"]) if option == "image_size" else 32
    begin(requested(*command), size)
    requested(*command).check_folder()
    requested("--out", "run", "--continue").check_folder()  # what is not given cannot differ


def test_all_differences_are_in_one_line():
    begin(requested("--out", "run", "--continue", "--epochs", "3"))
    request = requested(
        "--out", "run", "--continue", "--epochs", "5", "--data", "mnist", "--image-size", "48"
    )
    with pytest.raises(ValueError) as caught:
        check_same_request(request)
    assert str(caught.value) == (
        "continue: 'run' was begun with --data 'digits' (received 'mnist'), --image-size 32 "
        "(received 48), --epochs 3 (received 5). Leave out what differs, or start a new run in "
        "another folder."
    )


def test_what_the_run_has_without_being_asked_may_be_given():
    begin(requested("--out", "run", "--continue"))
    equal = ["--image-size", "32", "--augmentation", "shift", "--model", "resnet_18"]
    equal += ["--precision", "float32", "--recipe", "quick", "--epochs", "12", "--seed", "0"]
    requested("--out", "run", "--continue", *equal).check_folder()


def test_a_run_that_does_not_hold_its_request_goes_on():
    begin(requested("--out", "run", "--continue", "--epochs", "3"))
    config = config_file.read(Path("run"))
    config_file.write(Path("run"), dataclasses.replace(config, request=None))
    given = ["--freeze-until", "conv3", "--precision", "float32", "--epochs", "3"]
    requested("--out", "run", "--continue", *given).check_folder()


def test_requests_in_python_give_what_is_not_the_default():
    out = Path("run")
    begin(RunRequest(out=out, recipe=RECIPES["imagenet"]))
    RunRequest(out=out, or_resume=True).check_folder()
    RunRequest(out=out, or_resume=True, recipe=RECIPES["imagenet"]).check_folder()
    for wanted, words in (
        ({"recipe": RECIPES["imagenet"].replace(epochs=12)}, "--epochs 90 .received 12"),
        ({"settings": Settings(seed=1)}, "--seed 0 .received 1"),
        ({"data": DataRequest("mnist")}, "--data 'digits' .received 'mnist'"),
        ({"network": "nin"}, "--model 'resnet_18' .received 'nin'"),
    ):
        with pytest.raises(ValueError, match=words):
            RunRequest(out=out, or_resume=True, **wanted).check_folder()


def test_every_option_is_a_field_of_a_request():
    kinds = (RunRequest, DataRequest, Recipe, Settings, Devices)
    fields = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    fields |= {"model", "data", "recipe", "continues", "resume", "dry_run", "help", "seeds"}
    assert {action.dest for action in parser()._actions} <= fields
    names = {field.name for field in dataclasses.fields(RunRequest)}
    kept = {field.name for field in dataclasses.fields(RequestFacts)}
    to_repeat = {"load_paths", "strategy", "workers"}  # which a run may go on without
    assert names - MAY_DIFFER - {"data", "recipe", "settings"} == kept - to_repeat


def test_a_finished_run_is_finished(capfd):
    small = ["train", "--model", "lenet_5", "--batch-size", "128", "--epochs", "1", "--out", "run"]
    assert cli.main([*small, "--continue"]) == 0
    whole = capfd.readouterr().out
    before = Path("run/model.keras").read_bytes()
    assert cli.main([*small, "--continue"]) == 0
    out = capfd.readouterr().out
    assert out.startswith("the run in 'run' is finished\n")
    accuracy = next(line for line in whole.splitlines() if line.startswith("test accuracy"))
    assert accuracy in out.splitlines()
    assert Path("run/model.keras").read_bytes() == before
    assert cli.main([*small, "--continue", "--seed", "3"]) == 2
    assert "was begun with --seed 0 (received 3)" in capfd.readouterr().err
    config = config_file.read(Path("run"))
    config_file.write(Path("run"), dataclasses.replace(config, outcome=None))
    assert cli.main([*small, "--continue"]) == 0  # of an earlier version, which did not keep it
    assert "1 epoch; print its test accuracy with keras-convnets evaluate run" in (
        capfd.readouterr().out
    )
