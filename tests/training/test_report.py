"""The report: what it says, that it needs nothing else, and that a browser shows it."""

import base64
import dataclasses
import io
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from browser import needs_a_browser, opened, too_narrow
from finished import network
from keras_convnets import cost, explain
from keras_convnets.files import NotWritten
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.evaluate import evaluate
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.keras_private import without_values
from keras_convnets.printable import printable
from keras_convnets.recursion import room_for
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.data.pipeline import training_batches
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.report import report
from keras_convnets.training.report.report import write_report
from keras_convnets.training.run.configuration import configuration
from reports import HISTORY, Page, made_up


@pytest.fixture(scope="module")
def data():
    return load_data("digits", image_size=16)


@pytest.fixture(scope="module")
def model(data):
    return network(data)


@pytest.fixture(scope="module")
def evaluation(model, data):
    return evaluate(model, data.test, data.preprocessing)


@pytest.fixture(scope="module")
def config(model, data):
    return configuration(model, data, RECIPES["quick"], Settings()).shown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, model, data, evaluation, config):
    """Return the folder of a report of the digits."""
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, model, data, evaluation, HISTORY, config)
    return folder


@pytest.fixture
def page(folder):
    return Page(folder / "report.html")


def labelled(data, labels):
    """Return made-up data for the model, with other labels of its test images."""
    test = dataclasses.replace(data.test, labels=labels)
    return dataclasses.replace(data, test=test, preprocessing=Preprocessing(1, 16, 16))


def test_the_page_says_what_came_of_the_run(page, model, evaluation):
    numbers = page.texts["numbers"]
    for words in (
        f"test accuracy {evaluation.accuracy:.2%}",
        f"top-5 accuracy {evaluation.top5:.2%}",
        f"test loss {evaluation.loss:.4f}",
        f"macro F1 {evaluation.macro.f1:.2%}",
        f"macro ROC-AUC {evaluation.macro.roc_auc:.4f}",
        f"calibration error (ECE) {evaluation.ece:.2%}",
        f"{(evaluation.predictions != evaluation.labels).sum()} of 360",
        "epochs 2",
        "training time 2 min 15 s",
    ):
        assert words in numbers
    assert page.texts["cost"].count(f"{cost(model).macs:,}") >= 1
    assert "conv2 5 layers" in page.texts["cost"]
    assert "conv2" in page.texts["graph"]
    assert f"ECE {evaluation.ece:.2%}" in page.texts["calibration"]
    assert f": {evaluation.roc_auc.min():.4f}" in page.texts["calibration"]
    third = f"{evaluation.precision[2]:.2%} {evaluation.recall[2]:.2%} {evaluation.f1[2]:.2%}"
    assert third in " ".join(page.texts["classes"].split())
    assert "training" in page.texts["curves"]
    words = page.texts["configuration"]
    assert "input shape 1, 16, 16" in words
    assert "in words 1 x 16 x 16, resized, pixels divided by 16" in words
    assert "nesterov yes" in words
    assert "arguments name=digits, seed=0, " in words
    assert not re.search("layout|time limit|[{}]", words)
    assert keras.__version__ in words
    assert len(page.source) < 400_000


def test_the_confusion_matrix(page, evaluation):
    matrix = evaluation.confusion
    assert squares(page)[..., 3].astype(bool).tolist() == matrix.astype(bool).tolist()
    most = evaluation.most_confused(1)[0]
    right, wrong = squares(page)[0, 0], squares(page)[most.label, most.predicted]
    assert right[2] > right[0]  # blue
    assert wrong[0] > wrong[2]  # orange
    numbers = page.source.split('<section id="confusion"')[1].split("<h3>")[0]
    assert sorted(map(int, re.findall(r">(\d+)</text>", numbers))) == sorted(
        [*matrix[matrix > 0].tolist(), *range(10), *range(10)]  # in the squares, and their names
    )
    says = f"{most.label} {most.predicted} {most.count} {most.share:.2%}"
    assert says in " ".join(page.texts["confusion"].split())


def squares(page):
    """Return the colours of the confusion matrix: a pixel a square, rows first."""
    (image,) = [found for name, found in page.elements if name == "image"]
    encoded = image["xlink:href"].split(",")[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA"))


def test_the_most_confident_mistakes_are_in_the_page(page, data, evaluation):
    pictures = [found["src"] for found in page.of("img")]
    typical = len(np.flatnonzero(evaluation.recall > 0))
    assert (
        len(pictures) == 2 * 16 + 2 * typical + 16
    )  # with what was looked at, and those of training
    worst = evaluation.most_wrong(1)[0]
    shown = tf.io.decode_png(base64.b64decode(pictures[0].split(",")[1])).numpy()
    pixels = data.test.array[worst.index] / 16
    assert np.abs(shown / 255 - pixels).max() < 0.01
    says = page.texts["mistakes"].split(data.test.describe(worst.index))[0]
    expected = f"true class {worst.label} predicted {worst.predicted} score {worst.confidence:.1%}"
    assert " ".join(says.split()).endswith(expected)


def test_mistakes_show_what_the_network_looked_at(page, model, data, evaluation):
    """It is the map of the predicted class, by `explain`, over the image in grey."""
    worst = evaluation.most_wrong(1)[0]
    image = data.preprocessing(data.test.array[worst.index]).numpy()[np.newaxis]
    found = explain(model, image, class_index=worst.predicted)
    assert f"by Grad-CAM at {found.layer}" in page.texts["mistakes"]
    shown = page.of("img")[1]
    assert shown["alt"] == "what the network looked at"
    pixels = tf.io.decode_png(base64.b64decode(shown["src"].split(",")[1])).numpy().astype(int)
    assert pixels.shape == (16, 16, 3)
    coloured, share = np.ptp(pixels, axis=-1) > 20, found.maps[0] / found.maps[0].max()
    assert coloured[share > 0.5].all()
    assert not coloured[share == 0].any()


def test_a_network_without_feature_maps_gets_a_report_without_maps(data):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((16, 16, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")]
    )
    write_report(Path(), model, data, evaluate(model, data.test, data.preprocessing), HISTORY)
    page = Page()
    assert len(page.of("img")) == 16 + 16
    assert "No maps of what the network looked at: model: " in page.texts["mistakes"]


def test_training_images_are_shown_as_the_network_gets_them(page, data):
    pictures = [found["src"] for found in page.of("img")]
    shown = tf.io.decode_png(base64.b64decode(pictures[-16].split(",")[1])).numpy()
    images, labels = next(iter(training_batches(data, 16, seed=0, epoch=0)))
    assert np.abs(shown / 255 - images[0]).max() < 0.01
    words = page.texts["training"]
    assert "after the augmentation shift" in words
    assert words.split()[-16:] == [data.class_names[label] for label in labels]


def test_the_page_needs_nothing_but_itself(page):
    addresses = set(re.findall(r"https?://[^\"' )<]+", page.source))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"<(link|iframe|script)\b|@import", page.source)
    assert all(found["src"].startswith("data:image/") for found in page.of("img"))
    used = re.findall(r"url\(([^)]*)\)", page.source)
    assert all(re.match("#|data:image/(png|jpeg);base64,", address) for address in used)
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    targets = {found["href"][1:] for found in page.of("a") if "href" in found}
    assert targets == {
        "curves",
        "confusion",
        "classes",
        "calibration",
        "mistakes",
        "typical",
        "map",
        "training",
        "cost",
        "graph",
        "configuration",
    }


HOSTILE = (
    "<script>alert(1)</script>",
    "</style></svg></script>",
    "a & b &lt;",
    """say "x" or 'y'""",
    "<!--STYLE-->",
    "{{ 7*7 }}{% raw %}{#",
    r"$\frac$ \1",
    "one\u2028line",
    "\x1b[31m\n\u202e犬",
    'id="a"',
)


def test_names_are_text(model):
    data, evaluation = made_up(60, 10, names=HOSTILE, file="<i>/{} & \udcff.jpg")
    data = dataclasses.replace(data, preprocessing=Preprocessing(1, 16, 16))
    config = {"model": {"name": "<u>"}, "recipe": {"<k>": "<v>"}, "note": "<n>"}
    write_report(Path(), model, data, evaluation, HISTORY, config)
    page = Page()
    assert page.of("script") == page.of("u") == page.of("i", style=None) == []
    assert not [tag for tag, _ in page.elements if tag in ("b>pets<", "k", "v", "n", "y")]
    assert "resnet on <b>pets</b>" in page.texts[None]
    assert "<i>/" in page.texts["mistakes"]
    assert "& \\xff.jpg" in page.texts["mistakes"]  # a byte that is not text
    bars = [found["title"] for found in page.of("li") if "title" in found]
    for name, bar in zip(map(printable, HOSTILE), bars, strict=True):
        assert name in page.texts["classes"]
        assert bar.startswith(f"{name}: ")
        beside = name if len(name) <= 16 else f"{name[:15]}…"
        assert page.texts["confusion"].count(beside) >= 2
    assert "<k> <v>" in page.texts["configuration"]
    assert "x <y>" in page.texts["configuration"]


@pytest.mark.parametrize("classes", [100, 130])
def test_many_classes(model, classes):
    data, evaluation = made_up(3_000, classes, size=300)
    data = dataclasses.replace(data, preprocessing=Preprocessing(1, 16, 16))
    write_report(Path(), model, data, evaluation, HISTORY, {})
    page = Page()
    assert len(page.source) < 1_000_000
    assert f"All {classes} classes" in page.texts["classes"]
    bars = [found for found in page.of("li") if "title" in found]
    assert len(bars) == 24 + classes
    worst = int(np.argsort(evaluation.class_accuracy, kind="stable")[0])
    assert bars[0]["title"].startswith(f"class {worst}: ")
    assert page.texts["confusion"].count("%") >= 12
    assert squares(page).shape == (classes, classes, 4)
    beside = page.source.count(">class 99</text>")  # named in rows and columns, or not at all
    assert beside == (2 if classes == 100 else 0)


def test_a_perfect_model_before_its_first_epoch(model):
    data, evaluation = made_up(20, 4, accuracy=1)
    data = dataclasses.replace(data, preprocessing=Preprocessing(1, 16, 16), skipped=())
    write_report(Path(), model, data, evaluation, {"loss": []}, {})
    page = Page()
    assert "No epoch was completed" in page.texts["curves"]
    assert "None: every test image is classified correctly" in page.texts["mistakes"]
    assert "top-5" not in page.texts["numbers"]  # four classes
    assert "Most frequent" not in page.texts["confusion"]


def test_a_class_without_images(model):
    data, evaluation = made_up(20, 4)
    matrix = Evaluation(evaluation.labels % 3, evaluation.probabilities)
    write_report(Path(), model, labelled(data, matrix.labels), matrix, HISTORY, {})
    words = " ".join(Page().texts["classes"].split())
    assert "class 3 no images" in words
    assert "class 3 0 0 0.00% - - -" in words


@pytest.fixture
def four(model):
    """Return data of four classes, and an evaluation of them."""
    data, evaluation = made_up(20, 4)
    return dataclasses.replace(data, preprocessing=Preprocessing(1, 16, 16)), evaluation


def test_images_of_several_classes(model, four):
    data, evaluation = four
    labels = np.eye(4, dtype=np.int32)[evaluation.labels]
    labels[:5, 1] = 1
    several = Evaluation(labels, evaluation.probabilities, are_independent=True)
    write_report(Path(), model, labelled(data, labels), several, HISTORY, {})
    page = Page()
    assert f"binary accuracy {several.accuracy:.2%}" in page.texts["numbers"]
    assert f"mAP {several.macro.average_precision:.2%}" in page.texts["numbers"]
    worst = several.most_wrong_labels(1)[0]
    has = "has the label" if worst.has else "has not the label"
    assert f"{has} class {worst.label} " in " ".join(page.texts["mistakes"].split())
    assert "precision recall" in " ".join(page.texts["classes"].split())
    assert "confusion" not in page.texts
    sections = {found["id"] for found in page.of("section") if "id" in found}
    assert {found["href"][1:] for found in page.of("a") if "href" in found} == sections


def test_yes_or_no(model):
    data, evaluation = made_up(20, 2, names=("no", "yes"))
    data = dataclasses.replace(data, preprocessing=Preprocessing(1, 16, 16))
    binary = Evaluation(evaluation.labels, evaluation.probabilities, are_independent=True)
    write_report(Path(), model, data, binary, HISTORY, {})
    page = Page()
    assert f"test loss {binary.loss:.4f}" in page.texts["numbers"]
    assert squares(page).shape == (2, 2, 4)
    assert "top-5" not in page.texts["numbers"]
    assert f" ROC-AUC {binary.macro.roc_auc:.4f}" in page.texts["numbers"]


@pytest.mark.slow
def test_a_graph_of_a_thousand_layers(data, evaluation):
    x = inputs = keras.Input((16, 16, 1))
    activations = ["relu", "tanh", "linear"]
    with without_values(), room_for(2_000):
        for number in range(1_000):  # no two in a row are alike
            x = keras.layers.Activation(activations[number % 3])(x)
        x = keras.layers.GlobalAveragePooling2D()(x)
        deep = keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x))
        write_report(Path(), deep, data, evaluation, HISTORY, {})
    assert len(Page().source) < 600_000


def test_a_graph_that_is_too_large_says_so(monkeypatch, model, data, evaluation):
    monkeypatch.setattr(report, "_LARGEST_GRAPH", 100)
    write_report(Path(), model, data, evaluation, HISTORY, {})
    assert "Too large for this page" in Page().texts["graph"]


def test_what_stood_there_stays_when_the_report_fails(monkeypatch, model, data, evaluation):
    Path("report.html").write_text("before")
    few = Evaluation(evaluation.labels[:5], evaluation.probabilities[:5])
    with pytest.raises(ValueError, match="received one of 5 images and 10 classes; expected 360"):
        write_report(Path(), model, data, few, HISTORY, {})
    monkeypatch.setattr(Path, "write_text", lambda *_, **__: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(NotWritten, match="full"):
        write_report(Path(), model, data, evaluation, HISTORY, {})
    assert Path("report.html").read_text() == "before"
    assert [path.name for path in Path().iterdir()] == ["report.html"]


@needs_a_browser
def test_a_browser_shows_it_in_light_and_dark_and_on_a_phone(tmp_path, folder):
    with opened(tmp_path / "profile") as browser:
        papers = []
        for scheme in ("light", "dark"):
            feature = {"name": "prefers-color-scheme", "value": scheme}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            browser.get((folder / "report.html").as_uri())
            assert browser.get_log("browser") == []
            ask = browser.execute_script
            assert ask("return document.documentElement.scrollWidth <= innerWidth")
            assert ask("return [...document.images].every((image) => image.naturalWidth > 0)")
            papers.append(ask("return getComputedStyle(document.body).backgroundColor"))
            # Letters of the curves and of the matrix have the page's colour in both.
            colour = ask("return getComputedStyle(document.body).color")
            for letters in ("#curves text", ".matrix text", "#graph text"):
                fill = f"return getComputedStyle(document.querySelector('{letters}')).fill"
                assert ask(fill) == colour, letters
        assert papers == ["rgb(255, 255, 255)", "rgb(21, 25, 30)"]
        assert too_narrow(browser, folder / "report.html") == []
