"""The notebooks of the tour: they are made from its pages, and run without a network."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))
needs = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("jupytext", "nbclient", "ipykernel"))),
    reason="needs pip install '.[notebooks]'",
)


def test_each_page_of_the_tour_has_a_notebook():
    pages = {page.stem for page in (ROOT / "docs/tour").glob("*.md")} - {"index"}
    assert {notebook.stem for notebook in NOTEBOOKS} == pages
    for page in pages:
        assert f"(../notebooks/{page}.ipynb)" in (ROOT / f"docs/tour/{page}.md").read_text()
        assert f"tour/{page}.md" in (ROOT / "mkdocs.yml").read_text()
        assert f"({page}.md)" in (ROOT / "docs/tour/index.md").read_text()


@needs
def test_the_notebooks_are_those_of_the_pages():
    spec = importlib.util.spec_from_file_location("notebooks", ROOT / "scripts/notebooks.py")
    notebooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(notebooks)
    for page in notebooks.PAGES:
        kept = (ROOT / f"docs/notebooks/{page.stem}.ipynb").read_text(encoding="utf-8")
        assert kept == notebooks.notebook(page), "run scripts/notebooks.py"


@needs
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the kernel's and its client's own
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_runs(notebook, tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    for proxy in ("http_proxy", "https_proxy"):  # whatever asks the network is refused
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    cells = nbformat.read(notebook, as_version=4)
    NotebookClient(cells, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = "".join(
        output.get("text", "")
        for cell in cells.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    page = (ROOT / f"docs/tour/{notebook.stem}.md").read_text(encoding="utf-8")
    for block in page.split("```text\n")[1:]:
        assert block.split("```")[0] in printed
