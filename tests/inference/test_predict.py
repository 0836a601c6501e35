from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finished import network, write_images
from helpers import FORMATS
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.evaluate import evaluate
from keras_convnets.inference.predict import Predictions, predict
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.run.saved_run import SavedRun


def run_of(data, data_format="channels_last", preprocessing=None):
    model = network(data, data_format)
    return SavedRun(Path("run"), model, preprocessing or data.preprocessing, data.class_names, {})


@pytest.mark.parametrize("data_format", FORMATS)
def test_a_file_gives_what_the_evaluation_of_the_same_image_gives(data_format):
    """Digits' pixels go to 16, in the file as in the data."""
    data = load_data("digits", image_size=16)
    images = data.test.subset(np.arange(64))
    files = [f"{number}.png" for number in range(64)]
    for file, pixels in zip(files, images.array, strict=True):
        Image.fromarray(pixels[..., 0]).save(file)
    run = run_of(data, data_format)
    found = predict(run, files)
    expected = evaluate(run.model, images, data.preprocessing, batch_size=64)
    assert np.array_equal(found.probabilities, expected.probabilities)
    assert found.files == tuple(files)
    assert found.refused == found.doubtful == ()
    assert np.ptp(found.probabilities, axis=0).max() > 0.05  # images are told apart


def test_a_folder_is_treated_alike_and_its_means_matter():
    write_images(Path("pets"))
    data = load_data("folder:pets", image_size=16)
    assert min(data.preprocessing.mean) > 0.1
    assert max(data.preprocessing.std) < 0.9
    files = sorted(Path("pets").rglob("*.png"))
    told = {data.test.describe(number): number for number in range(len(data.test))}
    numbers = {file: told[name] for file in files for name in told if str(file).endswith(name)}
    assert len(numbers) == len(data.test)
    run = run_of(data)
    found = predict(run, numbers)
    images = data.test.subset(np.array(list(numbers.values())))
    expected = evaluate(run.model, images, data.preprocessing).probabilities
    assert np.array_equal(found.probabilities, expected)
    plain = run_of(data, preprocessing=Preprocessing(3, 16, 16, resize="crop"))
    assert np.abs(predict(plain, numbers).probabilities - expected).max() > 0.001


def test_files_that_are_no_images_are_named_and_the_others_looked_at():
    data = load_data("digits", image_size=16)
    Image.fromarray(data.test.array[0, ..., 0]).save("first.png")
    Image.fromarray(data.test.array[1, ..., 0] * 15).save("bright.png")
    Path("text.png").write_text("no image")
    Path("folder").mkdir()
    files = ["none.png", "first.png", "text.png", "bright.png", "folder"]
    found = predict(run_of(data), files)
    assert found.files == ("first.png", "bright.png")
    assert [line.split(":")[0] for line in found.refused] == ["none.png", "text.png", "folder"]
    assert found.refused[0] == "none.png: no such file"
    assert [line.split(";")[0] for line in found.doubtful] == [
        "bright.png: its pixels go up to 240, those of the run's images to 16"
    ]
    assert found.to_dict()["doubtful"] == list(found.doubtful)


def test_more_files_than_a_batch(monkeypatch):
    monkeypatch.setattr("keras_convnets.inference.predict._BATCH", 3)
    data = load_data("digits", image_size=16)
    files = []
    for number, pixels in enumerate(data.test.array[:8]):
        Image.fromarray(pixels[..., 0]).save(f"{number}.png")
        files += [f"{number}.png", f"none{number}.png"]
    run = run_of(data)
    found = predict(run, files)
    images = data.test.subset(np.arange(8))
    expected = evaluate(run.model, images, data.preprocessing).probabilities
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    assert found.files == tuple(files[::2])
    assert len(found.refused) == 8


def test_the_most_probable_classes():
    rows = np.float32([[0.1, 0.2, 0.7], [0.4, 0.4, 0.2]])
    found = Predictions(("a.png", "b.png"), rows, ("cat", "dog", "owl"), ("c.png: empty",))
    assert found.top(2) == [
        [(2, pytest.approx(0.7)), (1, pytest.approx(0.2))],
        [(0, pytest.approx(0.4)), (1, pytest.approx(0.4))],
    ]
    assert [len(best) for best in found.top()] == [3, 3]
    lines = found.table(2).to_text().splitlines()
    assert [line.split() for line in lines[2:]] == [
        ["a.png", "owl", "70.00%"],
        ["dog", "20.00%"],
        ["b.png", "cat", "40.00%"],
        ["dog", "40.00%"],
    ]
    as_data = found.to_dict(1)
    best = {"class": "owl", "label": 2, "probability": pytest.approx(0.7)}
    assert as_data["images"][0] == {"image": "a.png", "top": [best]}
    assert as_data["refused"] == ["c.png: empty"]
    with pytest.raises(ValueError, match="^top: received 0"):
        found.top(0)
