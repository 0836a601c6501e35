"""The command ``maps``."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from finished import write_run
from helpers import refusal
from keras_convnets import activation_statistics, cli, feature_maps
from keras_convnets.training.data.loading import load_data


@pytest.fixture(scope="module")
def data():
    return load_data("digits", image_size=16, validation_split=0.2, seed=3)


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    model = write_run(folder, data)
    image = folder.parent / "digit.png"
    pixels = np.zeros((16, 16), np.uint8)
    pixels[3:13, 6:10] = 15  # digits have 0 to 16
    Image.fromarray(pixels).save(image)
    return str(folder), model, str(image)


def test_maps_of_a_run_are_drawn(finished, capfd, monkeypatch):
    run, _, image = finished
    drawn = []
    real = feature_maps
    inside = "keras_convnets.explaining.inside.feature_maps.feature_maps"
    monkeypatch.setattr(inside, lambda *given: drawn.append(real(*given)) or drawn[-1])
    for number, options in enumerate(
        ([], ["--stage", "conv2"], ["--layer", "conv1_conv", "--channels", "4"])
    ):
        out = f"maps{number}.svg"
        assert cli.main(["maps", run, image, out, *options]) == 0
        assert capfd.readouterr() == (f"{out}\n", "")
        assert "<svg" in Path(out).read_text()
    assert [(found.stage, found.maps.shape[1]) for found in drawn[1:]] == [
        ("conv2", 64),
        ("conv1", 64),
    ]


def test_statistics_are_those_of_the_prepared_image(finished, data, capfd):
    run, model, image = finished
    assert cli.main(["maps", run, image, image, "--statistics", "--format", "json"]) == 0
    rows = json.loads(capfd.readouterr().out)["rows"]
    pixels = np.asarray(Image.open(image))[..., np.newaxis]
    batch = keras.ops.convert_to_numpy(data.preprocessing(pixels))[np.newaxis]
    expected = activation_statistics(model, batch)
    assert [row["dead"] for row in rows] == [stage.dead_units for stage in expected.stages]
    assert [row["mean"] for row in rows] == pytest.approx(
        [stage.mean for stage in expected.stages], rel=1e-3, abs=1e-6
    )
    assert cli.main(["maps", run, image, "--statistics"]) == 0
    assert "Over one image." in capfd.readouterr().out


def test_kernels_of_a_run_and_of_a_saved_model_are_drawn(finished, capfd):
    run, model, _ = finished
    assert cli.main(["maps", run, "kernels.png", "--kernels"]) == 0
    model.save("saved.keras")
    assert cli.main(["maps", "saved.keras", "some.pdf", "--kernels", "--stage", "conv2"]) == 0
    assert capfd.readouterr().out == "kernels.png\nsome.pdf\n"
    assert Path("kernels.png").read_bytes()[1:4] == b"PNG"
    assert Path("some.pdf").read_bytes()[:4] == b"%PDF"


def test_what_cannot_be_drawn_is_refused_and_nothing_is_written(finished, capfd):
    run, _, image = finished
    Path("two").mkdir()
    for name in ("1.png", "2.png"):
        shutil.copy(image, Path("two") / name)
    for arguments, said in (
        ([], "maps: received no model; expected"),
        ([run], "maps: received 0 paths beside the model; expected an image, then the figure"),
        ([run, image], "maps: received 1 paths beside the model"),
        (
            [run, image, "a.png", "--kernels"],
            "maps: received 2 paths beside the model",
        ),
        ([run, image, "a.gif"], "to_file: received 'a.gif'"),
        ([run, image, "nowhere/a.png"], "cannot write 'nowhere/a.png'"),
        ([run, image, "a.png", "--layer", "conv9"], "layer: received 'conv9'; expected one of"),
        ([run, image, "a.png", "--layer", "conv1", "--stage", "conv1"], "not allowed with"),
        ([run, image, "a.png", "--channels", "0"], "channels: received 0; expected 1 to"),
        ([run, image, "a.png", "--output", "1"], "output: received --output 1; expected it only w"),
        ([run, image, "a.png", "--format", "json"], "format: received --format json; expected it"),
        ([run, "a.png", "--kernels", "--channels", "3"], "channels: received --channels 3"),
        ([run, "--statistics"], "images: received none"),
        ([run, image, "--statistics", "--layer", "conv1"], "layer: received --layer conv1"),
        ([run, "absent.png", "a.png"], "absent.png"),
        ([run, "two", "a.png"], "maps: received 2 images in 'two'; expected one. Name one of them"),
        ([run, image, "a.png", "--best"], "best: "),
    ):
        line = refusal(["maps", *arguments], capfd)
        assert said in line
        assert not list(Path().glob("a.*"))
