"""Regenerate the figures of README and docs: ``python scripts/docs_figures.py``, two minutes.

The screenshot of the page needs Chromium, ``chromedriver``, and ``pip install selenium``.
"""

import contextlib
import csv
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from selenium import webdriver
from selenium.webdriver.common.by import By

from keras_convnets import cli, create_model, explain, plot_accuracies, plot_model, plot_models
from keras_convnets.lecture.figures import FIGURES
from keras_convnets.training import open_run, plot_curves, plot_reliability

IMAGES = Path(__file__).parents[1] / "docs" / "images"


def main() -> None:
    """Draw the networks, and train as ``keras-convnets train`` does for the learning curves."""
    draw()
    tour()
    photograph(IMAGES / "resnet_34.html", IMAGES / "page.png", "conv2_block2")
    report(IMAGES / "report.png")
    inside()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        cli.main(["train", "--out", str(run)])
        learning_curves(run, IMAGES / "curves.png")
        looked_at(run, IMAGES / "looked_at.png")
        image_map(run / "report.html", IMAGES / "image_map.png")


def learning_curves(run: Path, picture: Path) -> None:
    """Plot loss and accuracy of a run, without its learning rate: two panels fit on a phone."""
    with (run / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = ("loss", "accuracy", "val_loss", "val_accuracy")
    history = {name: [float(row[name]) for row in rows] for name in columns}
    plot_curves(history, picture, "resnet_18 on digits")


def looked_at(folder: Path, picture: Path) -> None:
    """Draw what the network of a run looked at in test images of six digits."""
    run = open_run(folder)
    images = run.load_images().images
    places = [int(np.flatnonzero(images.labels == label)[0]) for label in (0, 2, 4, 6, 7, 9)]
    pixels = [np.asarray(images.read(np.int64(place))) for place in places]
    explain(run, pixels).plot(picture)


def draw() -> None:
    """Draw the networks for the README and the page "Draw it"."""
    resnet_34 = create_model("resnet_34")
    plot_model(resnet_34, IMAGES / "resnet_34.svg")
    plot_model(resnet_34, IMAGES / "resnet_34.html")
    plot_model(resnet_34, IMAGES / "resnet_34_stages.svg", detail="stage")
    plot_model(resnet_34, IMAGES / "resnet_34_layers.svg", detail="layer")
    plot_model(create_model("googlenet"), IMAGES / "googlenet_slide.svg", rankdir="LR")
    plot_model(create_model("resnet_152"), IMAGES / "resnet_152.svg")
    pair = [create_model("plain_34"), create_model("resnet_v1_34")]
    plot_models(pair, IMAGES / "side_by_side.svg")
    plot_accuracies(IMAGES / "accuracies.svg")
    plot_model(mixed_network(), IMAGES / "mixed.svg")
    applications = keras.applications
    plot_model(applications.DenseNet121(weights=None), IMAGES / "densenet_121.svg")
    plot_model(applications.InceptionV3(weights=None), IMAGES / "inception_v3.svg")


def tour() -> None:
    """Draw the figures of the tour: those that ``keras-convnets figures`` writes."""
    for figure in FIGURES:
        figure.draw(IMAGES / "tour" / f"{figure.name}.svg")


def mixed_network() -> keras.Model:
    """Return the network of the first example on the page "Blocks of your own"."""
    page = (IMAGES.parent / "own-blocks.md").read_text()
    example = page.split("```python\n")[1].split("plot_model(mixed")[0]
    made: dict[str, keras.Model] = {}
    exec(example, made)
    return made["mixed"]


def report(picture: Path) -> None:
    """Run the examples of the page "Your own fit", and photograph the report that they write.

    The reliability diagram of the page "Metrics" is that of the same network.
    """
    page = (IMAGES.parent / "own-fit.md").read_text()
    blocks = [block.split("```")[0] for block in page.split("```python\n")[1:]]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        made: dict[str, Any] = {}
        exec("\n".join(blocks), made)
        plot_reliability(made["found"], picture.with_name("reliability.png"), "digits")
        photograph(Path(folder) / "my_report" / "report.html", picture, rows=1600)


def inside() -> None:
    """Run the examples of the page "Look inside", and keep the figures that they draw."""
    page = (IMAGES.parent / "look-inside.md").read_text()
    blocks = [block.split("```")[0] for block in page.split("```python\n")[1:]]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        exec("\n".join(blocks), {})
        for figure in Path().glob("*.svg"):
            shutil.copy(figure, IMAGES / f"inside_{figure.name}")


def image_map(page: Path, picture: Path) -> None:
    """Take a screenshot of the map of a report, with the image of a mistake."""
    with opened(page, rows=1200) as browser:
        dot = browser.find_element(By.CSS_SELECTOR, "#map label.wrong input")
        browser.execute_script("arguments[0].focus()", dot)
        browser.find_element(By.CSS_SELECTOR, "#map").screenshot(str(picture))


def photograph(page: Path, picture: Path, block: str = "", rows: int = 900) -> None:
    """Open a page in Chromium, select a block if one is named, and take a screenshot."""
    with opened(page, rows) as browser:
        if block:
            title = f"//*[name()='title' and text()='{block}']/.."
            browser.find_element(By.XPATH, title).click()
        browser.save_screenshot(str(picture))


@contextlib.contextmanager
def opened(page: Path, rows: int) -> Iterator[Any]:
    """Open a page in Chromium, 1,300 pixels wide."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    options.add_argument(f"--window-size=1300,{rows}")
    browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        browser.get(page.as_uri())
        yield browser
    finally:
        browser.quit()


if __name__ == "__main__":
    main()
