"""What the served model looked at: one image, for who asks."""

import base64
import io
import threading

import keras
import numpy as np
import pytest
from PIL import Image

if keras.backend.backend() != "tensorflow":
    pytest.skip("serves with TensorFlow", allow_module_level=True)

from browser import needs_a_browser, opened
from keras_convnets import explain
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.trained import TrainedModel
from keras_convnets.shipping.serve.limits import Limits
from keras_convnets.shipping.serve.served import of_classifier
from keras_convnets.shipping.serve.web import schemas
from serving import NAMES, colours, form, image_file, running

PNG = {"Content-Type": "image/png"}
RED = image_file()


@pytest.fixture(scope="module")
def run():
    """A run of a network with a convolution, so that it has feature maps."""
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="conv1")(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(4, activation="softmax")(x), name="looker")
    return TrainedModel(model, Preprocessing(3, 16, 16, resize="crop"), NAMES)


@pytest.fixture(scope="module")
def served(run):
    return of_classifier(run, 4)


@pytest.fixture(scope="module")
def client(served):
    with running(served, Limits(queue=4)) as client:
        yield client


@pytest.mark.parametrize("query", ["", "?label=2"])
def test_the_answer_is_that_of_explain(client, run, query):
    label = 2 if query else None
    wanted = explain(run, RED, class_index=label)
    for body, headers in ((RED, PNG), form(("image 0", RED))):
        status, _, found = client.ask("POST", f"/explain{query}", body, headers)
        assert status == 200
        schemas.LookedAt.model_validate(found)
        assert (found["class"], found["label"]) == (wanted.names[0], wanted.labels[0])
        assert found["probability"] == pytest.approx(wanted.probability[0], abs=1e-6)
        assert (found["model"], found["image"], found["layer"]) == ("looker", "image 0", "conv1")
        kind, _, text = found["picture"].partition(",")
        assert kind == "data:image/png;base64"
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))
        assert pixels.shape == (16, 16, 3)
        most = np.unravel_index(wanted.maps[0].argmax(), (16, 16))
        colour = np.ptp(pixels.astype(int), axis=-1)
        assert colour[most] > 50  # the image is grey, the map is not


def test_the_page_offers_it_only_where_it_is_there(client):
    assert 'id="look"' in client.ask("GET", "/")[2]
    with running(of_classifier(colours(), 4)) as without:
        assert 'id="look"' not in without.ask("GET", "/")[2]
        status, _, found = without.ask("POST", "/explain", RED, PNG)
        assert status == 422
        assert found["error"].startswith("model: received colours, run by Keras")
        assert "expected a Keras model with feature maps" in found["error"]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "line"),
    [
        ("?label=4", RED, PNG, 422, "label: received 4; expected 0 to 3"),
        ("?label=-1", RED, PNG, 422, "label: received -1; expected 0 to 3"),
        ("?label=x", RED, PNG, 422, "label: received 'x'; expected an integer, the number of a"),
        ("", b"<html>", PNG, 415, "received a file that is no image"),
        ("", RED[:-300], PNG, 422, "expected a whole one"),
        ("", *form(("a", RED), ("b", RED)), 413, "images: received 2 images; expected 1"),
    ],
)
def test_bad_requests_are_refused_in_one_line(client, path, body, headers, status, line):
    found = client.ask("POST", f"/explain{path}", body, headers)
    assert found[0] == status
    assert line in found[2]["error"]


def test_many_at_once_wait_or_are_refused_and_the_server_stays(client):
    answers = []

    def ask():
        answers.append(client.ask("POST", "/explain", RED, PNG)[0])

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 503}
    assert answers.count(200) >= 4
    assert client.ask("POST", "/explain", RED, PNG)[0] == 200
    assert client.ask("GET", "/health")[2]["waiting"] == 0


@needs_a_browser
def test_the_page_shows_it_at_a_button(client, tmp_path):
    from selenium.webdriver.support.ui import WebDriverWait

    file = tmp_path / "red.png"
    file.write_bytes(RED)
    with opened(tmp_path / "profile") as browser:
        browser.get(f"http://127.0.0.1:{client.port}/")
        button, looked = (browser.find_element("id", name) for name in ("look", "looked"))
        assert not button.is_displayed()
        browser.find_element("id", "file").send_keys(str(file))
        wait = WebDriverWait(browser, 15, 0.05)
        wait.until(lambda _: button.is_displayed())
        assert not looked.is_displayed()
        button.click()
        wait.until(lambda _: looked.is_displayed())
        said = looked.find_element("tag name", "figcaption").text
        assert f"Where the score of {first_name(browser)} comes from" in said
        wide = "return document.getElementById('map').naturalWidth"
        wait.until(lambda _: browser.execute_script(wide) == 16)
        assert browser.get_log("browser") == []
        blue = tmp_path / "blue.png"
        blue.write_bytes(image_file((10, 20, 230)))
        browser.find_element("id", "file").send_keys(str(blue))
        wait.until(lambda _: not looked.is_displayed())
        wait.until(lambda _: button.is_displayed())


def first_name(browser):
    """Return the class that is named first below a photograph."""
    return browser.find_element("css selector", "#bars .name").text
