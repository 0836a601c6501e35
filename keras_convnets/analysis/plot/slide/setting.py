"""How labels are set on a page: the ways that there are, and the one that can be read best."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.slide.composing import SMALLEST_TYPE, Page

_TYPE_SIZES = (12, 10, 9)  # of the labels; the smallest is set tightly


def best_page(draw: Callable[[Look], Page], look: Look, has_branches: bool) -> Page:
    """Return the page with the largest type, of the first type size that is legible on it."""
    pages: list[Page] = []
    for size in _TYPE_SIZES:
        if pages and max(map(_legibility, pages))[0]:
            break
        looks = _ways(dataclasses.replace(look, type_size=size), has_branches)
        pages += [draw(variant) for variant in looks]
    return max(pages, key=_legibility)


def _ways(look: Look, has_branches: bool) -> Iterator[Look]:
    narrow = dataclasses.replace(look, narrow=True)
    for way in (look, narrow, dataclasses.replace(narrow, splits_cost=True)):
        yield way
        if has_branches:
            yield dataclasses.replace(way, branches_across=True)


def _legibility(page: Page) -> tuple[bool, float]:
    """Return how well a page can be read: small type is legible or not, then the main type."""
    legible = page.smallest_type >= SMALLEST_TYPE
    return legible, page.main_type if legible else page.smallest_type
