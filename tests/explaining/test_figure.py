"""The figure and the page of an explanation."""

import re
from pathlib import Path

import numpy as np
import pytest

from keras_convnets import Explanation
from keras_convnets.explaining.figure.look import overlay, relative, scale_of


def explanation(count=3, method="grad_cam", channels=3, **others):
    rng = np.random.default_rng(0)
    maps = rng.random((count, 12, 16)).astype(np.float32)
    given = {
        "maps": maps - 0.5 if method == "occlusion" else maps,
        "labels": np.arange(count) % 3,
        "probabilities": np.full((count, 3), 1 / 3, np.float32),
        "class_names": ("$cat$", "<dog>", "cow"),
        "files": tuple(f"{number}.png" for number in range(count)),
        "pictures": rng.integers(0, 256, (count, 12, 16, channels), np.uint8),
        "method": method,
        "layer": "conv5",
        "model": "net",
        "notes": ("score_cam: <some>",),
    }
    return Explanation(**(given | others))


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
@pytest.mark.parametrize("method", ["grad_cam", "occlusion"])
def test_figures_are_written_in_each_format(method, suffix):
    explanation(4, method, channels=1).plot(f"figure.{suffix}")
    head = Path(f"figure.{suffix}").read_bytes()[:200]
    assert {"png": b"PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix] in head


def test_a_figure_says_class_probability_method_and_layer():
    explanation(2).plot("figure.svg")
    drawn = Path("figure.svg").read_text(encoding="utf-8")
    said = re.findall(r"<!-- (.*?) -->", drawn)
    assert "Grad-CAM of net at conv5" in said
    assert "$cat$  33.33%" in said
    assert "0.png" in said


def test_a_page_is_one_file_that_says_the_same():
    explanation().plot("page.html")
    page = Path("page.html").read_text(encoding="utf-8")
    assert "&lt;dog&gt;" in page
    assert "<dog>" not in page
    assert "score_cam: &lt;some&gt;" in page
    assert page.count("data:image/png;base64,") == 9
    assert page.count("33.33%") >= 9
    assert not re.findall(r'(?:src|href)="(?!data:)', page)


@pytest.mark.parametrize("name", ["figure.gif", "figure"])
def test_another_format_is_refused(name):
    line = r"to_file: received '.*'; expected a name that ends in .svg, .png, .pdf, .html"
    with pytest.raises(ValueError, match=line):
        explanation().plot(name)


@pytest.mark.parametrize("count", [0, 25])
def test_no_images_or_too_many_are_refused(count):
    line = f"to_file: received {count} images for one figure; expected 1 to 24"
    with pytest.raises(ValueError, match=line):
        explanation(count).plot("figure.png")


def test_where_there_is_nothing_the_image_is_seen():
    found = explanation(1)
    scale = scale_of(found)
    shares = np.zeros((12, 16))
    shares[3, 4] = 1
    seen = overlay(found.pictures[0], shares, scale)
    grey = found.pictures[0].mean(axis=-1) / 255
    assert seen[0, 0] == pytest.approx(np.repeat(grey[0, 0], 3), abs=1e-6)
    assert seen[3, 4] != pytest.approx(np.repeat(grey[3, 4], 3), abs=0.05)


def test_each_map_is_on_its_own_scale():
    maps = np.stack([np.full((2, 2), 3.0), np.array([[0, -4], [2, 1.0]]), np.zeros((2, 2))])
    shares = relative(maps, is_fine=False)
    np.testing.assert_allclose(shares[0], 1)
    np.testing.assert_allclose(shares[1], [[0, -1], [0.5, 0.25]])
    np.testing.assert_allclose(shares[2], 0)


def test_the_result_reads_well():
    lines = repr(explanation(22)).splitlines()
    assert lines[2].split() == ["0.png", "$cat$", "33.33%", *lines[2].split()[-2:]]
    assert lines[-2:] == ["and 2 more", "score_cam: <some>"]
