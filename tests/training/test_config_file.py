import dataclasses
import json
import os
from pathlib import Path

import pytest

from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import config_file
from keras_convnets.training.run.run_config import (
    DataArguments,
    DataFacts,
    ModelFacts,
    OutcomeFacts,
    PreprocessingFacts,
    RequestFacts,
    RunConfig,
    WeightsFacts,
)

CONFIG = RunConfig(
    ModelFacts("net", (1, 8, 8), 2, "channels_last", 100, 10),
    DataFacts(
        "digits",
        30,
        10,
        10,
        ("caf\udce9", "\x1b[31m"),
        ("x.png: is empty",),
        "none",
        DataArguments("digits", 0, 0.25, 8, None, None, False, None),
    ),
    PreprocessingFacts(1, 8, 8, 16.0, (0.1,), (1.0,), "none", None, "bilinear"),
    RECIPES["imagenet"].replace(batch_size=8),
    Settings(seed=7),
    {"python": "3.11", "keras": "3.15.1"},
    RequestFacts("net", None, None, "conv4", None, ("blocks.py",)),
    WeightsFacts("torchvision", "torchvision", "net.pth", "2" * 64, ("head_dense/kernel",)),
    OutcomeFacts(3, 0.5, "1" * 64),
    id="c0ffee",
    start="0" * 64,
)
WORDS = CONFIG.to_dict()
MISSING = object()


def changed(path, value):
    """Return the text of a configuration with another value in a place, or without any."""
    found = json.loads(json.dumps(WORDS))
    inner, (*way, name) = found, path.split(".")
    for step in way:
        inner = inner[step]
    if value is MISSING:
        del inner[name]
    else:
        inner[name] = value
    return json.dumps(found)


def refusal(text):
    """Return the line for a configuration that cannot be used."""
    file = Path("config.json")
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=r"^run: cannot read 'config.json' \(") as caught:
        config_file.read(Path())
    line = str(caught.value)
    assert line.endswith("Put back a copy of the file, or start a new run.")
    assert "\n" not in line
    assert len(line) < 1000
    return line


def test_all_that_is_written_is_read():
    config_file.write(Path(), CONFIG)
    assert config_file.read(Path()) == CONFIG
    plain = dataclasses.replace(
        CONFIG, data=dataclasses.replace(CONFIG.data, arguments=None), request=None, outcome=None
    )
    config_file.write(Path(), plain)
    assert config_file.read(Path()) == plain


def test_a_value_that_was_edited_is_refused_but_where_the_data_are():
    def edited(way, value):
        config_file.write(Path(), CONFIG)
        found = json.loads(Path("config.json").read_text())
        *outer, last = way.split(".")
        inner = found
        for step in outer:
            inner = inner[step]
        assert inner[last] != value
        inner[last] = value
        return json.dumps(found)

    for way, value in (
        ("preprocessing.mean", [0.2]),
        ("data.class_names", CONFIG.data.class_names[::-1]),
        ("data.arguments.seed", 1),
        ("recipe.learning_rate", 0.2),
        ("outcome.test_accuracy", 0.9),
        ("digest", "0" * 64),
    ):
        assert "its values are not those that were written" in refusal(edited(way, value)), way
    Path("config.json").write_text(edited("data.arguments.name", "folder:moved"))
    assert config_file.read(Path()).data.arguments.name == "folder:moved"


def test_each_value_of_the_wrong_type_is_named_and_none_may_lack():
    def places(value, path=""):
        for name, inner in value.items():
            where = f"{path}.{name}".removeprefix(".")
            yield where, inner
            if isinstance(inner, dict) and where != "versions":
                yield from places(inner, where)

    tried = 0
    for where, value in places(WORDS):
        if where != "format":  # without one, it is a file of an early version
            assert f"it lacks {where!r}" in refusal(changed(where, MISSING))
        for other in (None, True, "text", 1.5, [], {}, -1):
            text = changed(where, other)
            kinds = {type(value), type(None), int if isinstance(value, float) else None}
            if value is None or type(other) in kinds:
                assert_read_or_refused(text)
            else:
                assert where in refusal(text)
            tried += 1
    assert tried > 300


def assert_read_or_refused(text):
    Path("config.json").write_text(text)
    try:
        config_file.read(Path())
    except ValueError:
        refusal(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ("{}", "it lacks 'model'"),
        ("null", "it holds None; expected a JSON object"),
        ("[1]", "it holds [1]; expected a JSON object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        (b"\xff\xfe{}", "it is not UTF-8"),
        (b"\x00" * 50, "it is not JSON"),
        ('{"format": 1, "format": 1}', "it has 'format' twice"),
        (changed("recipe.learning_rate", float("nan")), "it holds NaN"),
        (changed("recipe.learning_rate", -float("inf")), "it holds -Infinity"),
        (changed("recipe.learning_rate", 1).replace('rate": 1,', 'rate": 1e999,'), "holds 1e999"),
        (changed("settings.seed", 10**60), "an integer of 61 digits"),
        (changed("settings.seed", -1), "settings: seed: received -1"),
        (changed("recipe.batch_size", 0), "recipe: batch_size: received 0"),
        (changed("recipe.drops", [0.5, 0.25]), "recipe: drops: received"),
        (changed("model.data_format", "NCHW"), "model: data_format: received 'NCHW'"),
        (changed("model.input_shape", [1, 8]), "model.input_shape: received [1, 8]; expected a li"),
        (changed("model.input_shape", [1, 8, -8]), "model: input_shape: received -8"),
        (changed("model.input_shape", [1, 8, 9]), "expected (1, 8, 8), the size that the prepro"),
        (changed("data.class_names", []), "data: class_names: received none"),
        (changed("data.class_names", ["a", "b", "c"]), "received 3 classes; expected 2"),
        (changed("data.class_names", ["a", 2]), "class_names[1]: received 2; expected a string"),
        (changed("data.train_images", 0), "data: train_images: received 0"),
        (changed("data.arguments.more", 1), "it has 'data.arguments.more', which is unknown"),
        (changed("future", 1), "it has 'future', which is unknown"),
        (changed("format", 0), "format: received 0; expected a number from 1"),
        (changed("format", "1"), "format: received '1'"),
        (changed("format", True), "format: received True"),
        (changed("data.name", "x" * 10_000) + "x", "it is not JSON"),
        (changed("data.arguments.strict", "x" * 10_000), "strict: received 'xxx"),
    ],
)
def test_what_is_no_configuration_is_refused_in_a_line(text, words):
    assert words in refusal(text)


def test_a_configuration_of_a_newer_version():
    Path("config.json").write_text('{"format": 5, "all": "is different"}')
    with pytest.raises(ValueError) as caught:
        config_file.read(Path())
    assert str(caught.value) == (
        "run: 'config.json' was made by a newer keras_convnets (format 5; this one reads up to 4). "
        "Upgrade the package."
    )


def test_a_file_of_an_earlier_format_lacks_only_what_did_not_exist():
    def of_format_3(path, text):
        found = json.loads(changed(path, MISSING)) | {"format": 3}
        Path("config.json").write_text(json.dumps(found | {"digest": config_file._digest(found)}))
        return text in refusal(Path("config.json").read_bytes())

    for name in ("recipe.momentum", "settings.jit", "id", "weights"):
        assert of_format_3(name, f"it lacks {name!r}")


def test_what_is_no_file():
    file = Path("config.json")
    file.symlink_to("nowhere")
    with pytest.raises(ValueError, match=r"^run: there is no 'config.json'"):
        config_file.read(Path())
    file.unlink()
    for make, words in (
        (file.mkdir, "it is a folder"),
        (lambda: os.mkfifo(file), "it is a pipe"),
        (lambda: file.symlink_to(file), "Too many levels of symbolic links"),
        (lambda: file.symlink_to("/dev/zero"), "it is a pipe, socket or device"),
        (lambda: (file.touch(), os.truncate(file, 2**30)), "it has 1,073,741,824 bytes"),
    ):
        make()
        with pytest.raises(ValueError, match=r"^run: cannot read 'config.json' \(") as caught:
            config_file.read(Path())
        assert words in str(caught.value)
        file.rmdir() if file.is_dir() else file.unlink()


def test_a_configuration_that_could_not_be_read_again_is_not_written(monkeypatch):
    monkeypatch.setattr(config_file, "_MOST_BYTES", 1000)
    with pytest.raises(ValueError, match="data: 1 files are left out and there are 2 classes"):
        config_file.write(Path(), CONFIG)
    assert os.listdir() == []
