"""A real browser for the tests of pages: headless Chromium, driven over WebDriver."""

import contextlib
import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
needs_a_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs the programs chromium and chromedriver"
)
PHONE = 400  # pixels
_NARROW = """
const wide = document.documentElement.scrollWidth;
const found = wide > innerWidth ? [`the page is ${wide} pixels wide`] : [];
for (const float of document.querySelectorAll('article *, main *')) {
  const left = float.parentElement.clientWidth - float.offsetWidth;
  if (getComputedStyle(float).float !== 'none' && left > 1 && left < 150)
    found.push(`${left} pixels are left beside ${float.outerHTML.slice(0, 80)}`);
}
for (const text of document.querySelectorAll('p, li, dd'))
  if (text.offsetWidth && text.offsetWidth < 100 && text.textContent.length > 40)
    found.push(`${text.offsetWidth} pixels for ${text.textContent.slice(0, 40)}`);
for (const letters of document.querySelectorAll('svg text'))
  if (letters.getBoundingClientRect().height < 7)
    found.push(`letters of ${letters.getBoundingClientRect().height}: ${letters.textContent}`);
return found;
"""


@contextlib.contextmanager
def opened(profile, *arguments):
    """Yield a browser without a network but this machine, with its profile in a folder."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--window-size=1300,900", f"--user-data-dir={profile}"),
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # it gets nothing else
        *arguments,
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def too_narrow(browser, page, width=PHONE):
    """Open a page at a width, and return what does not fit there: text, figures, the page."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.get(page.absolute().as_uri())
        return browser.execute_script(_NARROW)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
