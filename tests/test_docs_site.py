"""The built documentation in a browser, as wide as a phone."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from browser import needs_a_browser, opened, too_narrow

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@needs_a_browser
@pytest.mark.skipif(not importlib.util.find_spec("mkdocs"), reason="needs pip install '.[docs]'")
def test_the_site_fits_on_a_phone(tmp_path):
    site = tmp_path / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(site)]
    subprocess.run(command, cwd=ROOT, check=True)
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 25
    # A function called as its module is must not be documented as the module.
    modules = [page for page in pages if "doc-object doc-module" in page.read_text()]
    assert modules == [site / "reference/units/index.html"]  # the heads
    assert modules[0].read_text().count("doc-object doc-module") == 1
    with opened(tmp_path / "profile") as browser:
        found = {str(page.relative_to(site)): too_narrow(browser, page) for page in pages}
    assert {page: problems for page, problems in found.items() if problems} == {}
