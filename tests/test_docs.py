"""The examples of README and docs run, page by page, each in the order of the page.

Those of the tour run as notebooks: see test_notebooks.py.
"""

import contextlib
import importlib.util
import re
from collections import Counter
from pathlib import Path

import keras
import pytest

import keras_convnets.training
from helpers import application, blank_kernels
from keras_convnets import compare, cost, create_model
from keras_convnets.keras_private import without_values

ROOT = Path(__file__).parents[1]
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    if "```python" in page.read_text()
]


def program(page):
    """Return a page's Python blocks, every line at its own number, so that errors point there."""
    lines, inside = [], False
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            inside = line == "```python"
            line = ""
        lines.append(line if inside else "")
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page, capsys):
    if "keras_convnets.training" in program(page) and keras.backend.backend() != "tensorflow":
        pytest.skip("training is made for TensorFlow")
    # Where nothing is trained, and no seed is set, no time goes to random weights.
    learns = "keras_convnets.training" in program(page) or "set_random_seed" in program(page)
    with contextlib.nullcontext() if learns else blank_kernels():
        exec(compile(program(page), page, "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    for block in page.read_text().split("```text\n")[1:]:
        assert block.split("```")[0] in printed


def test_the_tables_of_the_cost_page_are_those_printed():
    page = (ROOT / "docs/cost.md").read_text()
    with without_values():
        model = create_model("resnet_18")
    assert cost(model).to_text(by="stage") in page
    names = ["resnet_18", "resnet_34", "resnet_50"]
    assert "\n".join(compare([*names, application("VGG16")]).to_text().splitlines()[:6]) in page


def test_the_tables_of_networks_and_weights_are_those_of_the_package():
    path = ROOT / "scripts/docs_gallery.py"
    spec = importlib.util.spec_from_file_location("docs_gallery", path)
    gallery = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gallery)
    for name, table in (("networks", gallery.table()), ("weights", gallery.published_files())):
        lines = (ROOT / f"docs/{name}.md").read_text().splitlines()
        between = lines[lines.index(gallery.START) + 1 : lines.index(gallery.END)]
        assert "\n".join(between) == table, "run scripts/docs_gallery.py tables"


def test_the_pages_are_found():
    assert {page.name for page in PAGES} >= {"README.md", "index.md", "keras-2.md"}


def test_readme_gives_the_commands_that_are_tested():
    readme = (ROOT / "README.md").read_text()
    assert "    pip install . && keras-convnets train\n" in readme
    test_command = "pip install '.[test]' && pytest"
    assert f"    {test_command}\n" in readme
    assert test_command.replace("pip install", "pip install -q") in (ROOT / ".ci/run").read_text()


def test_every_public_name_is_on_one_page_of_the_reference():
    pages = sorted((ROOT / "docs/reference").glob("*.md"))
    found = [name for page in pages for name in re.findall(r"^::: (\S+)", page.read_text(), re.M)]
    public = {
        f"{module.__name__}.{name}"
        for module in (keras_convnets, keras_convnets.training)
        for name in module.__all__
    } - {"keras_convnets.__version__"}
    assert sorted(public - set(found)) == []
    assert [name for name, count in Counter(found).items() if count > 1] == []
    nav = (ROOT / "mkdocs.yml").read_text()
    index = (ROOT / "docs/reference/index.md").read_text()
    for page in pages:
        assert f"reference/{page.name}" in nav
        assert page.name == "index.md" or f"({page.name})" in index
