"""The page, in a real browser: headless Chromium, driven over WebDriver."""

import base64
import html
import json
import re
from pathlib import Path

import keras
import pytest

import browser as browsers
from browser import needs_a_browser
from helpers import application
from keras_convnets import ResnetBuilder, cost, plot_model
from keras_convnets.analysis.pages import render
from keras_convnets.keras_private import without_values
from keras_convnets.printable import printable


@pytest.fixture(scope="module")
def model():
    with without_values():
        return ResnetBuilder.build_resnet_34((3, 224, 224), 10)


def test_the_page_needs_nothing_but_itself(model):
    plot_model(model, "model.html")
    page = Path("model.html").read_text(encoding="utf-8")
    addresses = set(re.findall(r"https?://[^\"' )<]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"<(link|img|iframe)\b|@import|url\(|\ssrc=", page)


def test_the_data_is_that_of_the_model(model):
    plot_model(model, "model.html")
    page = Path("model.html").read_text(encoding="utf-8")
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    layers = {layer["name"]: layer for box in data["boxes"] for layer in box["layers"]}
    assert layers.keys() == {layer.name for layer in model.layers}
    found = cost(model)
    assert {row.name: (row.params, row.macs) for row in found.rows} == {
        name: (layer["params"], layer["macs"]) for name, layer in layers.items()
    }
    assert data["macs"] == f"{found.macs:,}"


@pytest.mark.parametrize(
    "name",
    [
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "{{ 7*7 }}{% raw %}{#",
        """say "x" or 'y' & \\""",
        "one\u2028line\udcff",
    ],
)
def test_no_name_leaves_its_place(name):
    plain, page = (
        render("keras_convnets.analysis.plot", "page.html", title=one, svg="<svg/>", data=[one])
        for one in ("x", name)
    )
    assert page.encode()
    for mark in ("<script", "</script>", "<!--", "<!", "49"):
        assert page.count(mark) == plain.count(mark)
    assert json.loads(page.split('id="data">')[1].split("</script>")[0]) == [printable(name)]
    title = page.split("<title>")[1].split("</title>")[0]
    assert html.unescape(title) == printable(name)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with browsers.opened(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def opened(browser, model, **options):
    plot_model(model, "model.html", **options)
    browser.get(Path("model.html").absolute().as_uri())
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    return browser


def press(browser, *keys):
    from selenium.webdriver.common.by import By

    (browser.switch_to.active_element or browser.find_element(By.TAG_NAME, "body")).send_keys(*keys)


def heading(browser):
    return browser.execute_script("return document.querySelector('#details h2').textContent")


def rows(browser):
    return browser.execute_script(
        "return [...document.querySelectorAll('#details tbody tr')]"
        ".map(row => [...row.cells].map(cell => cell.textContent))"
    )


def view_box(browser):
    text = browser.execute_script(
        "return document.querySelector('#figure svg').getAttribute('viewBox')"
    )
    return [float(number) for number in text.split()]


def by_id(browser, name):
    from selenium.webdriver.common.by import By

    return browser.find_element(By.ID, name)


def box(browser, name):
    """Return the box in the figure that stands for a stage, a block or a layer."""
    return browser.execute_script(
        "return [...document.querySelectorAll('svg .box')]"
        ".find(one => one.querySelector('title').textContent === arguments[0])",
        name,
    )


@needs_a_browser
@pytest.mark.slow
def test_a_click_shows_a_box_s_layers(browser, model):
    opened(browser, model)
    assert heading(browser) == "resnet_34"
    assert ["conv1", "64 × 56 × 56", "9,600", "118,013,952"] in rows(browser)
    press(browser, "0")
    box(browser, "conv4_block2").click()
    assert heading(browser) == "conv4_block2 to conv4_block6: 5 alike"
    assert len(rows(browser)) == 5 * 7
    assert rows(browser)[2] == [
        *("conv4_block2_conv1", "conv 3×3, 256", "256 × 14 × 14", "590,080", "115,605,504")
    ]
    assert "chosen" in box(browser, "conv4_block2").get_attribute("class")


@needs_a_browser
@pytest.mark.slow
def test_the_page_fits_on_a_phone(browser, model):
    plot_model(model, "model.html")
    assert browsers.too_narrow(browser, Path("model.html")) == []


@needs_a_browser
@pytest.mark.slow
def test_the_keyboard_does_it_all(browser, model):
    from selenium.webdriver.common.keys import Keys

    opened(browser, model)
    press(browser, Keys.ARROW_DOWN)
    press(browser, Keys.ARROW_DOWN)
    assert heading(browser) == "conv1"
    press(browser, Keys.ARROW_UP)
    assert heading(browser) == "input"
    press(browser, Keys.TAB)
    press(browser, Keys.ENTER)
    assert heading(browser) == "conv1"
    whole = view_box(browser)
    press(browser, "+")
    assert view_box(browser)[2] == pytest.approx(whole[2] / 1.25)
    press(browser, "-")
    press(browser, "0")
    press(browser, Keys.ESCAPE)
    assert heading(browser) == "resnet_34"


@needs_a_browser
@pytest.mark.slow
def test_search_finds_a_layer_in_its_box(browser, model):
    from selenium.webdriver.common.keys import Keys

    opened(browser, model)
    press(browser, "/")
    press(browser, "block1_short")
    found = browser.execute_script(
        "return [...document.querySelectorAll('#found li')].map(item => item.textContent)"
    )
    assert found == [f"conv{n}_block1_shortcut_conv" for n in (3, 4, 5)]
    press(browser, Keys.ARROW_DOWN, Keys.ENTER)
    assert heading(browser) == "conv4_block1"
    marked = browser.execute_script("return document.querySelector('tr.marked').dataset.layer")
    assert marked == "conv4_block1_shortcut_conv"
    press(browser, "zzz")
    assert "no layer" in browser.find_element("id", "found").text


@needs_a_browser
@pytest.mark.slow
def test_drag_and_wheel_move_the_figure(browser, model):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    opened(browser, model)
    pane, before = by_id(browser, "figure"), view_box(browser)
    ActionChains(browser).drag_and_drop_by_offset(pane, 0, -100).perform()
    moved = view_box(browser)
    assert moved[1] > before[1]
    assert moved[2:] == before[2:]
    assert heading(browser) == "resnet_34"  # a drag is no click
    ActionChains(browser).scroll_from_origin(ScrollOrigin.from_element(pane), 0, -300).perform()
    assert view_box(browser)[2] < moved[2]


@needs_a_browser
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(browser, model, scheme):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    opened(browser, model)
    shades = browser.execute_script(
        "const box = document.querySelector('#box1');"
        "return [document.body, box.querySelector('path'), box.querySelector('text:last-of-type')]"
        ".map((one, n) => getComputedStyle(one)[n ? 'fill' : 'backgroundColor'])"
    )
    bright = [sum(map(int, re.findall(r"\d+", shade)[:3])) > 380 for shade in shades]
    assert bright == ([True, True, False] if scheme == "light" else [False, False, True])
    outlines = browser.execute_script(
        "return [...document.querySelectorAll('.node [fill=none]')]"
        ".map(one => getComputedStyle(one).fill)"
    )
    assert set(outlines) == {"none"}  # a filled outline would cover the text that precedes it
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@needs_a_browser
@pytest.mark.slow
def test_print_has_the_figure_and_all_layers(browser, model):
    opened(browser, model)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = browser.execute_script(
        "return ['#figure', '#all', '#details', '#zoom']"
        ".map(name => getComputedStyle(document.querySelector(name)).display !== 'none')"
    )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shown == [True, True, False, False]
    printed = browser.execute_script("return document.getElementById('all').textContent")
    assert all(layer.name in printed for layer in model.layers)
    assert base64.b64decode(browser.print_page()).startswith(b"%PDF")


@needs_a_browser
@pytest.mark.slow
@pytest.mark.parametrize("detail", ["stage", "layer"])
def test_other_details(browser, model, detail):
    opened(browser, model, detail=detail)
    press(browser, "0")
    box(browser, {"stage": "conv4", "layer": "conv4_block2_add"}[detail]).click()
    assert heading(browser) == {"stage": "conv4", "layer": "conv4_block2"}[detail]
    marked = browser.execute_script("return document.querySelector('tr.marked')?.dataset.layer")
    assert marked == {"stage": None, "layer": "conv4_block2_add"}[detail]


@needs_a_browser
@pytest.mark.slow
def test_names_are_text_not_markup(browser):
    inputs = keras.Input((4,), name="in put")
    outputs = keras.layers.Dense(2, name='<b onclick="x">&"')(inputs)
    opened(browser, keras.Model(inputs, outputs, name='<!--<script>alert(1)"'))
    assert heading(browser) == '<!--<script>alert(1)"'
    assert browser.execute_script("return document.querySelector('b')") is None
    boxes = browser.execute_script("return document.querySelectorAll('.box').length")
    assert boxes == 2


@needs_a_browser
@pytest.mark.slow
def test_names_of_the_page_s_own_parts(browser):
    inputs = x = keras.Input((4,), name="data")
    names = ["totals", "details", "all", "search", "zoom", "figure", "found", "node1", "graph0"]
    for name in [*names, "a\nb", "&amp;", "\x01", "legend", "box0", "mark1in"]:
        x = keras.layers.Dense(2, name=name)(x)
    model = keras.Model(inputs, x)
    opened(browser, model, detail="layer")
    press(browser, "0")
    count = browser.execute_script("return document.querySelectorAll('svg .box').length")
    assert count == len(model.layers)
    box(browser, "details").click()
    assert browser.execute_script("return document.querySelector('tr.marked').dataset.layer") == (
        "details"
    )


@needs_a_browser
@pytest.mark.slow
def test_other_peoples_models_open(browser):
    opened(browser, application("InceptionV3"))
    press(browser, "0")
    box(browser, "mixed9").click()
    assert heading(browser) == "mixed9 to mixed10: 2 alike"
