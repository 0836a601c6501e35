"""The report's test images: the typical one of each class, and the map by their features."""

import base64
import dataclasses
import io
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from browser import needs_a_browser, opened, too_narrow
from finished import network
from helpers import lively
from keras_convnets import ResnetBuilder
from keras_convnets.explaining.feature_layer import feature_layer
from keras_convnets.images.labelled import from_array
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.evaluate import evaluate
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.report.features.pooled import evenly, of_each
from keras_convnets.training.report.features.sheet import sheet_of
from keras_convnets.training.report.report import write_report
from reports import HISTORY, Page, made_up


@pytest.fixture(scope="module")
def data():
    return load_data("digits", image_size=16)


@pytest.fixture(scope="module")
def model(data):
    return network(data)


@pytest.fixture(scope="module")
def evaluation(model, data):
    """An evaluation of labels that the network mostly predicts, so that each class has some."""
    found = evaluate(model, data.test, data.preprocessing)
    labels = data.test.labels
    rng = np.random.default_rng(0)
    probabilities = np.full((len(labels), 10), 0.05, np.float32)
    guessed = np.where(rng.random(len(labels)) < 0.8, labels, rng.integers(0, 10, len(labels)))
    probabilities[np.arange(len(labels)), guessed] = 0.55
    return dataclasses.replace(found, probabilities=probabilities, logits=None)


@pytest.fixture(scope="module")
def features(model, data):
    """The pooled features of all test images, computed by Keras."""
    images = data.preprocessing(data.test.array).numpy()
    until = keras.Model(model.input, model.get_layer("final_relu").output)
    return until.predict(images, verbose=0).mean(axis=(1, 2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, model, data, evaluation):
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, model, data, evaluation, HISTORY)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return Page(folder / "report.html")


def section(page, name):
    return page.source.split(f'<section id="{name}"')[1].split("</section>")[0]


def test_the_typical_image_is_nearest_to_the_mean_of_its_class(page, data, evaluation, features):
    files = re.findall(r"<small>(.*?)</small>", section(page, "typical"))
    assert len(files) == 10
    right = evaluation.predictions == evaluation.labels
    for label, file in enumerate(files):
        own = np.flatnonzero(right & (evaluation.labels == label))
        distances = np.linalg.norm(features[own] - features[own].mean(axis=0), axis=1)
        assert file == data.test.describe(own[distances.argmin()])
    assert f"of {right[evaluation.labels == 9].sum()} images" in " ".join(
        page.texts["typical"].split()
    )
    assert section(page, "typical").count('alt="what the network looked at"') == 10


def test_the_map_has_the_principal_components(page, data, evaluation, features):
    drawn = section(page, "map")
    found = re.findall(r'left:([\d.]+)%;top:([\d.]+)%"><input type="radio" .*?<small>(.*?)<', drawn)
    assert len(found) == 300
    by_file = {data.test.describe(number): number for number in range(len(data.test))}
    numbers = [by_file[file] for *_, file in found]
    assert np.bincount(evaluation.labels[numbers]).tolist() == [30] * 10
    centred = features[numbers] - features[numbers].mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    across, up = np.array([one[:2] for one in found], float).T
    for ours, axis in ((across, axes[0]), (up, axes[1])):
        assert abs(np.corrcoef(ours, centred @ axis)[0, 1]) > 0.999
    share = sizes**2 / (sizes**2).sum()
    assert f"{share[0]:.2%} (across) and {share[1]:.2%} (up)" in " ".join(page.texts["map"].split())
    wrong = (evaluation.predictions != evaluation.labels)[numbers]
    assert len(re.findall(r'<label class="c\d wrong', drawn)) == wrong.sum()


def test_the_picture_of_a_dot_is_its_image(page, data):
    drawn = section(page, "map")
    encoded = re.search(r"--sheet:url\(data:image/\w+;base64,([^)]*)\)", drawn)[1]
    columns, rows = map(int, re.search(r"--size:(\d+)00% (\d+)00%", drawn).groups())
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))), float) / 255
    assert sheet.shape == (rows * 16, columns * 16)
    by_file = {data.test.describe(number): number for number in range(len(data.test))}
    places = re.findall(r"background-position:([\d.]+)% ([\d.]+)%.*?<small>(.*?)<", drawn)
    for across, down, file in places[::37]:
        col, row = round(float(across) * (columns - 1) / 100), round(float(down) * (rows - 1) / 100)
        tile = sheet[16 * row : 16 * row + 16, 16 * col : 16 * col + 16]
        image = data.preprocessing(data.test.array[by_file[file]]).numpy()[..., 0]
        assert np.abs(tile - image).mean() < 0.05, file


def test_channels_first_sees_the_same(data, evaluation, page):
    model = network(data, data_format="channels_first")
    write_report(Path(), model, data, evaluation, HISTORY)
    first = Page()
    assert first.texts["typical"] == page.texts["typical"]
    places = [
        np.array(re.findall(r"(?:left|top):([\d.]+)%", section(one, "map")), float)[:600]
        for one in (first, page)
    ]
    np.testing.assert_allclose(*places, atol=0.2)


def test_images_are_taken_evenly():
    assert evenly(np.arange(7), 3).tolist() == [0, 3, 6]
    assert evenly(np.arange(2), 3).tolist() == [0, 1]
    labels = np.repeat([0, 1, 2], [100, 1, 10])
    found = of_each(labels, np.arange(111) % 2 == 0, [0, 1], 20)
    assert np.bincount(labels[found]).tolist() == [10, 1]
    assert (found % 2 == 0).all()
    assert (np.diff(found) > 0).all()


def test_many_classes_and_photographs():
    """The classes of lowest accuracy are shown, and the pictures have a bound."""
    keras.utils.set_random_seed(0)
    model = lively(ResnetBuilder.build((3, 16, 16), 30, "basic_block", (1,)))
    data, evaluation = made_up(400, 30, size=300)
    write_report(Path(), model, data, evaluation, HISTORY)
    page = Page()
    lowest = sorted(np.argsort(evaluation.recall, kind="stable").tolist()[:10])
    names = re.findall(r'<li class="c\d"><b>(.*?)</b>', section(page, "map"))
    assert names == [f"class {label}" for label in lowest]
    assert "The 10 classes with the lowest accuracy." in page.texts["map"]
    assert "The 24 classes with the lowest accuracy." in page.texts["typical"]
    assert len(section(page, "map")) < 500_000


def test_the_pictures_of_a_map_have_a_bound():
    noise = np.random.default_rng(0).integers(0, 256, (300, 48, 48, 3), np.uint8)
    sheet = sheet_of(noise)
    assert len(sheet.address) < 4 / 3 * 300_000 + 100


def few(labels, model):
    """Return data of grey images of random pixels with some labels, and their evaluation."""
    rng = np.random.default_rng(0)
    labels = np.array(labels)
    array = rng.integers(0, 256, (len(labels), 16, 16, 1), np.uint8)
    images = from_array(array, labels, "{}.png".format)
    names = tuple("abcdefghij")
    data = Data("few", images, images, images, names, Preprocessing(1, 16, 16), "none")
    return data, evaluate(model, images, data.preprocessing)


@pytest.mark.parametrize("labels", [[3], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]])
def test_few_images(model, labels):
    data, evaluation = few(labels, model)
    write_report(Path(), model, data, evaluation, HISTORY)
    page = Page()
    assert ("map" in page.texts) == (len(labels) >= 3)
    right = (evaluation.predictions == evaluation.labels).sum()
    assert ("typical" in page.texts) == (right > 0)


def test_a_class_that_is_never_predicted_has_no_typical_image(model, data, evaluation):
    probabilities = evaluation.probabilities.copy()
    probabilities[:, 3] = 0
    never = Evaluation(evaluation.labels, probabilities)
    write_report(Path(), model, data, never, HISTORY)
    page = Page()
    assert "No image is classified correctly of 3." in " ".join(page.texts["typical"].split())
    assert 'alt="what the network looked at"' in section(page, "typical")
    assert len(re.findall("<figure>", section(page, "typical"))) == 9


def test_feature_maps_of_one_pixel_are_pooled_too():
    """They are what the head gets; Grad-CAM needs those before them, which have places."""
    shape = (3, 8, 8)
    model = ResnetBuilder.build(shape, 10, "basic_block", (1, 1))
    assert feature_layer(model, None, shape).stage == "conv2"
    last = feature_layer(model, None, shape, of_one_pixel=True)
    assert (last.name, last.size) == ("final_relu", (1, 1))
    layers = keras.layers
    headed = keras.Sequential(  # as MobileNetV3: a convolution that is of the head
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, name="last"),
            layers.GlobalAveragePooling2D(keepdims=True),
            layers.Conv2D(5, 1),
            layers.Flatten(),
            layers.Dense(2, "softmax"),
        ]
    )
    assert feature_layer(headed, None, (3, 8, 8), of_one_pixel=True).name == "last"


def test_no_features_no_map(data, evaluation):
    model = keras.Sequential(
        [keras.Input((16, 16, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")]
    )
    write_report(Path(), model, data, evaluation, HISTORY)
    assert {"map", "typical"}.isdisjoint(Page().texts)


def test_broken_weights_do_not_stop_the_report(data, evaluation):
    model = network(data)
    layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    layer.set_weights([np.full_like(weight, np.nan) for weight in layer.get_weights()])
    write_report(Path(), model, data, evaluation, HISTORY)
    page = Page()
    assert {"map", "typical"}.isdisjoint(page.texts)
    assert "No maps of what the network looked at: " in page.texts["mistakes"]


@needs_a_browser
def test_a_browser_shows_images_on_hover_and_by_the_keyboard(tmp_path, folder):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    with opened(tmp_path / "profile") as browser:
        browser.get((folder / "report.html").as_uri())
        ask = browser.execute_script
        shown = (
            "return [...document.querySelectorAll('.dots span')].filter(s => s.offsetWidth).length"
        )
        assert ask(shown) == 0
        dot = browser.find_element(By.CSS_SELECTOR, ".dots label.wrong")
        ask("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", dot)
        ActionChains(browser).move_to_element(dot).perform()
        assert ask(shown) == 1
        picture = "return getComputedStyle(document.querySelector('.dots i')).backgroundImage"
        assert ask(picture).startswith('url("data:image/')
        first = browser.find_elements(By.CSS_SELECTOR, ".dots input")[0]
        title = browser.find_element(By.CSS_SELECTOR, "#map h2")
        ActionChains(browser).move_to_element(title).perform()
        assert ask(shown) == 0
        ask("arguments[0].focus({preventScroll: true})", first)
        seen = "return document.activeElement.getAttribute('aria-label')"
        before = ask(seen)
        browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
        assert ask(seen) not in ("", None, before)
        assert ask(shown) == 1
        assert ask("return document.documentElement.scrollWidth <= innerWidth")
        assert too_narrow(browser, folder / "report.html") == []
