"""Make the notebooks of the tour from its pages: ``python scripts/notebooks.py``.

Jupytext turns the Markdown into cells: needs ``pip install '.[notebooks]'``. The notebooks have no
outputs; a test holds them to the pages, and another one runs them.
"""

import re
from pathlib import Path

import jupytext
import nbformat

DOCS = Path(__file__).parents[1] / "docs"
PAGES = tuple(page for page in sorted((DOCS / "tour").glob("*.md")) if page.stem != "index")
_PRINTED = re.compile(r"```text\n.*?```\n\n?", re.S)  # what running the cells prints
_LINK = re.compile(r"^\[As a notebook\]\(.*\)\n\n", re.M)
_ATTRIBUTES = re.compile(r"(?<=\))\{ [^}]* \}")  # of images, which only MkDocs understands
_PAGE_LINK = re.compile(r"\]\((?!\.\.|https?:)([\w-]+)\.md(#[\w-]+)?\)")


def main() -> None:
    """Write a notebook for each page, and remove those of pages that are gone."""
    folder = DOCS / "notebooks"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.ipynb"):
        old.unlink()
    for page in PAGES:
        (folder / f"{page.stem}.ipynb").write_text(notebook(page), encoding="utf-8")


def notebook(page: Path) -> str:
    """Return the notebook of a page, as the text of its file: the same each time."""
    text = _PRINTED.sub("", _LINK.sub("", page.read_text(encoding="utf-8")))
    text = _PAGE_LINK.sub(_to_notebook, _ATTRIBUTES.sub("", text))
    made = jupytext.reads(text, fmt="md")
    for number, cell in enumerate(made.cells):
        cell["id"] = f"{page.stem}-{number}"
        cell["metadata"] = {}
    made.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    made.nbformat, made.nbformat_minor = 4, 5
    nbformat.validate(made)
    return nbformat.writes(made) + "\n"


def _to_notebook(link: re.Match[str]) -> str:
    """Return a link to another page of the tour as one to its notebook; the index has none."""
    where = "../tour/index.md" if link[1] == "index" else f"{link[1]}.ipynb"
    return f"]({where})"


if __name__ == "__main__":
    main()
