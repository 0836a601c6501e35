"""The confusion matrix as a figure, from two classes to a thousand."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from keras_convnets.training.report.confusion_figure import confusion_figure


def matrix(classes):
    """Return a matrix of a classifier that is right but for one image of the last class."""
    found = np.diag(np.full(classes, 50))
    found[-1, 0], found[-1, -1] = 1, 49
    return found


def cells(drawn):
    (address,) = re.findall('<image xlink:href="data:image/png;base64,([^"]*)"', drawn)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address))).convert("RGBA"), int)


def letters(drawn):
    return re.findall("<text [^>]*>([^<]*)</text>", drawn)


@pytest.mark.parametrize(("classes", "shown"), [(2, 2), (101, 101), (400, 400), (1000, 334)])
def test_a_single_mistake_is_seen(classes, shown):
    drawn = confusion_figure(matrix(classes), [f"class {n}" for n in range(classes)])
    red, _, blue, alpha = np.moveaxis(cells(drawn), 2, 0)
    assert alpha.shape == (shown, shown)
    places = np.argwhere(alpha)
    assert len(places) == shown + 1
    mistake = places[(places[:, 0] != places[:, 1])]
    assert mistake.tolist() == [[shown - 1, 0]]
    assert (np.diag(blue) > np.diag(red)).all()
    assert red[-1, 0] > blue[-1, 0]
    assert alpha[-1, 0] >= 40
    assert np.diag(alpha)[0] == 255
    assert len(drawn) < 20_000


def test_a_mistake_within_a_shared_cell_does_not_hide_what_is_right():
    found = np.diag(np.full(1000, 50))
    found[0, 1], found[0, 0] = 40, 10
    colours = cells(confusion_figure(found, [""] * 1000))
    assert colours[0, 0].tolist() == colours[1, 1].tolist()


def test_numbers_and_names_are_there_while_there_is_room():
    names = [f"class {n}" for n in range(130)]
    few, some, many = (confusion_figure(matrix(n), names[:n]) for n in (20, 100, 130))
    assert letters(few).count("50") == 19
    assert {"1", "49", "class 0", "true class", "predicted class"} <= set(letters(few))
    assert letters(some).count("class 99") == 2
    assert "50" not in letters(some)
    assert "class 99" not in letters(many)
    assert letters(many).count("100") == letters(many).count("120") == 2


def test_classes_without_images_stay_empty():
    drawn = confusion_figure(np.zeros((3, 3), int), ["a", "b", "c"])
    assert not cells(drawn)[..., 3].any()
