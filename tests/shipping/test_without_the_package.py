"""The docs' few lines run exported files without this package, and say what it says."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from helpers import lively
from keras_convnets import ResnetBuilder, classify
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.known import Known, remember
from keras_convnets.shipping.engines.about import About
from keras_convnets.shipping.engines.kinds import KINDS, SAVED_MODEL
from keras_convnets.shipping.engines.metadata import embed
from keras_convnets.shipping.export.feeding import of_files
from keras_convnets.shipping.export.graph import graph_of
from keras_convnets.shipping.export.writers import write

for module in ("onnx", "onnxruntime", "ai_edge_litert", "openvino", "tf2onnx"):
    pytest.importorskip(module, reason="runtimes: pip install '.[onnx,litert,openvino]'")
if keras.backend.backend() != "tensorflow":
    pytest.skip("exports are made by TensorFlow", allow_module_level=True)

PAGE = Path(__file__).parents[2] / "docs/run-anywhere.md"
PREPARED, *RUNTIMES = re.findall(r"```py\n(.*?)```", PAGE.read_text(), re.DOTALL)
PROGRAMS = dict(zip(("onnx", "litert", "openvino", "saved_model"), RUNTIMES, strict=True))
NAMES = ("chow", '犬 of "Pekín"', "<b>|cat|</b>", "rose", "tulip", "oak")
HOW = Preprocessing(
    3, 32, 32, resize="crop", shorter_side=40, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.25)
)
FORBID = """
import sys
class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names}:
            raise ImportError(name)
sys.meta_path.insert(0, Forbidden())
"""


@pytest.fixture(scope="module")
def model():
    model = lively(ResnetBuilder.build((3, 32, 32), len(NAMES), "basic_block", (1, 1)))
    remember(model, Known(preprocessing=HOW.to_config(), class_names=NAMES))
    return model


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    folder, graph = tmp_path_factory.mktemp("exported"), graph_of(model)
    about = About(
        *("tiny", "keras_convnets", (3, 32, 32), graph.channels_last, "float32", False),
        *(HOW.to_config(), NAMES, "softmax", "float32"),
    )
    paths = {kind.name: folder / f"tiny{kind.suffix}" for kind in KINDS}
    for kind in KINDS:
        write(kind, graph, paths[kind.name], "float32", None)
        embed(kind, paths[kind.name], about)
    return paths


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    from sklearn.datasets import load_sample_images

    path = tmp_path_factory.mktemp("photo") / "flower.png"
    Image.fromarray(load_sample_images().images[1]).save(path)
    return path


@pytest.mark.parametrize("kind", PROGRAMS)
def test_the_docs_lines_say_what_the_package_says(model, exported, photo, tmp_path, kind):
    forbidden = {"keras_convnets"}
    forbidden |= set() if kind == SAVED_MODEL.name else {"keras", "tensorflow"}
    program = tmp_path / "program.py"
    lines = FORBID.format(names=forbidden) + PREPARED + PROGRAMS[kind]
    program.write_text(lines, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-X", "utf8", program, exported[kind], photo],
        capture_output=True,
        encoding="utf-8",
        env={"PATH": "/usr/bin", "PYTHONPATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr
    ours = classify(model, photo).probabilities[0]
    first = np.argsort(-ours)[:5]
    said = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    assert [name for _, name in said] == [NAMES[label] for label in first]
    found = [float(share.rstrip("%")) / 100 for share, _ in said]
    np.testing.assert_allclose(found, ours[first], atol=2e-3)
    assert found[0] - found[-1] > 0.05


@pytest.mark.parametrize(
    "change",
    [
        {"shorter_side": None},
        {"shorter_side": None, "resize": "none"},
        {"shorter_side": None, "resize": "stretch"},
        {"interpolation": "bicubic", "order": "BGR", "scale": 1.0},
        {"rows": 24, "cols": 40},
        {"shorter_side": None, "rows": 24, "cols": 40, "resize": "none"},
        {"channels": 1, "mean": (0.3,), "std": (0.5,)},
    ],
    ids=str,
)
@pytest.mark.parametrize("is_last", [True, False])
def test_images_are_prepared_as_the_package_prepares_them(photo, change, is_last):
    names = {}
    exec(compile(PREPARED, str(PAGE), "exec"), names)
    how = dataclasses.replace(HOW, **change)
    config = json.loads(json.dumps(how.to_config()))
    about = {"has_preprocessing": False, "preprocessing": config, "channels_last": is_last}
    found = names["prepared"](photo, about)
    ours = how.read_file(photo)
    assert found.dtype == np.float32
    found = found[0] if is_last else np.moveaxis(found[0], 0, -1)
    level = 1 / how.scale / min(how.std)  # pixels are whole numbers between Pillow's two passes
    np.testing.assert_allclose(found, ours, atol=1.5 * level)
    assert np.abs(found - ours).mean() < 0.4 * level


def test_pixels_of_training_that_were_no_bytes(photo):
    names = {}
    exec(compile(PREPARED, str(PAGE), "exec"), names)
    for how in (
        dataclasses.replace(HOW, scale=16.0),  # those of digits
        dataclasses.replace(HOW, scale=1.0, pixels=(0.0, 1.0)),
    ):
        config = json.loads(json.dumps(of_files(how).to_config()))
        about = {"has_preprocessing": False, "preprocessing": config, "channels_last": True}
        found = names["prepared"](photo, about)[0]
        np.testing.assert_allclose(found, HOW.read_file(photo), atol=1.5 / 255 / 0.2)
    about["preprocessing"]["pixels"] = [-1.0, 1.0]
    with pytest.raises(ValueError, match=r"for pixels from \[-1.0, 1.0\]"):
        names["prepared"](photo, about)


def test_images_that_the_file_prepares_are_given_as_they_are(photo):
    names = {}
    exec(compile(PREPARED, str(PAGE), "exec"), names)
    found = names["prepared"](photo, {"has_preprocessing": True})
    np.testing.assert_array_equal(found[0], np.asarray(Image.open(photo)))


@pytest.mark.parametrize("activation", ["usual", None])
@pytest.mark.parametrize("count", [1, 6])
def test_logits_and_one_output_for_two_classes_are_shown_as_probabilities(
    photo, capsys, activation, count
):
    if activation == "usual":
        activation = "sigmoid" if count == 1 else "softmax"
    block, names = "basic_block", NAMES[: max(2, count)]
    model = ResnetBuilder.build((3, 32, 32), count, block, (1,), classifier_activation=activation)
    lively(model)
    remember(model, Known(preprocessing=HOW.to_config(), class_names=names))
    outputs = model.predict_on_batch(HOW.read_file(photo)[np.newaxis])[0]
    program = {}
    exec(compile(PREPARED, str(PAGE), "exec"), program)
    program["show"](outputs, {"outputs": activation or "linear", "class_names": names})
    said = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    ours = classify(model, photo).probabilities[0]
    first = np.argsort(-ours)[:5]
    assert [name for _, name in said] == [names[label] for label in first]
    found = [float(share.rstrip("%")) / 100 for share, _ in said]
    np.testing.assert_allclose(found, ours[first], atol=1e-4)
