"""The page in a real browser: a photograph is dropped on it, and the classes are read."""

import base64
import time

import keras
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("serves with TensorFlow", allow_module_level=True)

from browser import needs_a_browser, opened
from keras_convnets.shipping.serve.limits import Limits
from keras_convnets.shipping.serve.served import of_classifier
from serving import colours, image_file, running

pytestmark = needs_a_browser
MOST_BYTES = 2_000_000

_GIVE = """
const [texts, type, how, name] = arguments;
const data = new DataTransfer();
for (const text of texts) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  data.items.add(new File([bytes], name, { type }));
}
const bubbles = true, cancelable = true;
const event = how === "drop"
  ? new DragEvent("drop", { dataTransfer: data, bubbles, cancelable })
  : new ClipboardEvent("paste", { clipboardData: data, bubbles, cancelable });
document.getElementById("drop").dispatchEvent(event);
"""
_FIRST = "return document.querySelector('#bars .name')?.textContent"
_NARROW = """
const wide = document.documentElement.scrollWidth;
const found = wide > innerWidth ? [`the page is ${wide} pixels wide`] : [];
for (const button of document.querySelectorAll("button"))
  if (button.offsetWidth && button.offsetHeight < 40) found.push(button.textContent);
return found;
"""


@pytest.fixture(scope="module")
def client():
    with running(of_classifier(colours(), 8), Limits(max_bytes=MOST_BYTES)) as client:
        yield client


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def page(browser, client):
    browser.get(f"http://127.0.0.1:{client.port}/")
    return browser


def give(page, contents, how, kind="image/png", name="cat.png"):
    several = [contents] if isinstance(contents, bytes) else contents
    texts = [base64.b64encode(one).decode() for one in several]
    page.execute_script(_GIVE, texts, kind, how, name)


def wait(page, happens):
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(page, 15, 0.05).until(lambda _: happens())


def texts(page, selector):
    found = page.find_elements("css selector", selector)
    return [one.text for one in found if one.is_displayed()]


def bars(page):
    return texts(page, "#bars li .name")


@pytest.mark.parametrize("how", ["drop", "paste", "choose"])
def test_a_photograph_is_shown_with_its_classes(how, page, tmp_path):
    contents = image_file((20, 220, 30), size=(300, 200))
    if how == "choose":
        file = tmp_path / "cat.png"
        file.write_bytes(contents)
        page.find_element("id", "file").send_keys(str(file))
    else:
        give(page, contents, how)
    wait(page, lambda: bars(page))
    assert bars(page)[0] == "green"
    assert sorted(bars(page)) == ["blue", "green", "grey", "red"]
    shares = [float(text.removesuffix(" %")) for text in texts(page, "#bars .share")]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=0.03)
    track = page.execute_script("return document.querySelector('.track').offsetWidth")
    wait(page, lambda: page.execute_script(
        "return document.querySelector('.bar').getAnimations().length === 0"
    ))  # fmt: skip
    bar = page.execute_script("return document.querySelector('.bar').offsetWidth")
    assert bar == pytest.approx(track * shares[0] / 100, abs=2.5)
    assert texts(page, "#status") == [f"Most probably green, {shares[0]:.2f} %."]
    image = page.find_element("id", "image")
    assert page.execute_script("return arguments[0].naturalWidth", image) == 300
    assert image.get_attribute("alt") == "The photograph cat.png"


def test_what_cannot_be_used_is_said_and_the_next_image_is_classified(page):
    give(page, b"no image at all", "drop")
    wait(page, lambda: texts(page, "#problem-what"))
    assert texts(page, "#problem-what") == ["This cannot be used: a file that is no image."]
    assert texts(page, "#problem-do")[0].startswith("Convert it to JPEG or PNG. Expected: a JPEG")
    assert texts(page, "#no-preview") == ["This browser does not show images of this kind."]
    give(page, image_file((0, 0, 255)), "drop")
    wait(page, lambda: bars(page))
    assert (bars(page)[0], texts(page, "#problem"), texts(page, "#no-preview")) == ("blue", [], [])


def test_the_page_loads_nothing_else_and_breaks_no_rule_of_its_own(page):
    give(page, image_file(), "drop")
    wait(page, lambda: bars(page))
    names = page.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    base = page.current_url
    assert all(name.startswith((base, f"blob:{base}")) for name in names)
    said = [entry for entry in page.get_log("browser") if entry["source"] != "network"]
    assert said == []  # such as what the Content-Security-Policy has refused


def test_it_is_used_by_keyboard_and_on_a_phone(page):
    from selenium.webdriver.common.keys import Keys

    reached = []
    for _ in range(5):
        page.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(page.switch_to.active_element.text)
    assert reached[:3] == ["Choose a file", "Take a photograph", "The model"]
    assert "Use it from a program" in reached
    page.execute_script("document.querySelector('details').open = true")
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        give(page, image_file(), "drop")
        wait(page, lambda: bars(page))
        assert page.execute_script(_NARROW) == []
        page.get(f"{page.current_url}docs")
        assert "POST /predict" in texts(page, "h2")
        assert page.execute_script(_NARROW) == []
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_name_from_right_to_left_does_not_turn_the_sentence_round(page):
    give(page, image_file((0, 0, 255)), "drop")
    wait(page, lambda: bars(page))
    assert texts(page, "#status bdi") == ["blue"]


def test_the_page_says_that_it_needs_javascript(page):
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.refresh()
        assert "needs JavaScript" in page.find_element("tag name", "noscript").text
    finally:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_of_several_files_the_first_is_used_and_that_is_said(page):
    give(page, [image_file((0, 0, 255)), image_file((0, 255, 0))], "drop")
    wait(page, lambda: bars(page))
    assert bars(page)[0] == "blue"
    assert texts(page, "#others") == [
        "One photograph at a time: this is cat.png, the first of 2 files."
    ]
    give(page, image_file((0, 255, 0)), "drop")
    wait(page, lambda: page.execute_script(_FIRST) == "green")
    assert texts(page, "#others") == []


def test_of_two_photographs_in_quick_succession_the_second_is_shown(page):
    for contents in (image_file((255, 0, 0), "JPEG", (1500, 1000)), image_file((0, 0, 255))):
        give(page, contents, "drop")
    wait(page, lambda: bars(page))
    time.sleep(1)  # an answer to the first would have come by now
    assert bars(page)[0] == "blue"
    assert page.execute_script("return document.getElementById('image').naturalWidth") == 40


def test_a_file_that_is_too_large_is_not_sent(page):
    give(page, bytes(MOST_BYTES), "drop")
    wait(page, lambda: texts(page, "#problem-what"))
    assert texts(page, "#problem-what") == [f"This cannot be used: a file of {MOST_BYTES:,} bytes."]
    assert texts(page, "#problem-do")[0].startswith("Make the image smaller. Expected: at most ")
    assert texts(page, "#status") == []
    names = page.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert not any("/predict" in name for name in names)


def test_the_name_of_a_file_is_text_and_not_markup(page):
    name = "<img src=x onerror=alert(1)>.png"
    give(page, [image_file((0, 0, 255))] * 2, "drop", name=name)
    wait(page, lambda: bars(page))
    assert name in texts(page, "#others")[0]
    assert page.find_elements("css selector", "#others img") == []
