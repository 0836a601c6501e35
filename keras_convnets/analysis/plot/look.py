"""How a figure looks: what it shows, where it goes, its page, and its colours outside the boxes."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from keras_convnets.analysis.plot.style import GREY, LINE, ON_ANY_GROUND

SLIDE = (40 / 3, 7.5)  # inches, 16:9
DIRECTIONS = ("TB", "LR", "BT", "RL")


def page_size(size: Any) -> tuple[float, float] | None:
    """Return a size in inches, given as ``"slide"``, as a width and a height, or not at all."""
    if size is None or (isinstance(size, str) and size == "slide"):
        return SLIDE if size else None
    sides = size if isinstance(size, tuple | list) else ()
    numbers = [side for side in sides if isinstance(side, int | float) and 0 < side < math.inf]
    if len(sides) != 2 or len(numbers) != 2:
        raise ValueError(
            f"size: received {size!r}; expected 'slide' or a width and a height in inches, such as "
            "(13.333, 7.5)."
        )
    return float(numbers[0]), float(numbers[1])


def heading(title: Any) -> str | None:
    """Return a figure's title, which is a text if it is given."""
    if title is not None and not isinstance(title, str):
        raise ValueError(f"title: received {title!r}; expected a text, or '' for no heading.")
    return title


@dataclasses.dataclass(frozen=True)
class Look:
    """The display options of a figure.

    ``narrow``, ``splits_cost``, ``flat``, ``branches_across`` and ``type_size`` say how labels are
    set, so that a figure fits its page: layers below each other instead of in a line; parameters
    and multiply-adds in two lines; a box's name and cost in one line; branches in lines instead of
    columns; and the size of the type of layers.
    """

    shapes: bool = True
    cost: bool = True
    layer_names: bool = True
    activations: bool = True
    dtype: bool = False
    trainable: bool = False
    rankdir: str = "TB"
    title: str | None = None
    legend: bool = True
    transparent: bool = False
    size: tuple[float, float] | None = None
    type_size: int = 12
    branches_across: bool = False
    narrow: bool = False
    splits_cost: bool = False
    flat: bool = False

    @property
    def page(self) -> tuple[float, float]:
        """The width and height of the page in inches, a slide unless a size is given."""
        return self.size or SLIDE

    @property
    def length_to_width(self) -> float | None:
        """The ratio of the sides of the page along and across the figure, if its size is given."""
        if self.size is None:
            return None
        width, height = self.size
        return width / height if self.goes_across else height / width

    @property
    def ink(self) -> str:
        """The colour of text outside the boxes; empty for black."""
        return ON_ANY_GROUND if self.transparent else ""

    @property
    def grey(self) -> str:
        """The colour of small text outside the boxes."""
        return ON_ANY_GROUND if self.transparent else GREY

    @property
    def line(self) -> str:
        """The colour of lines between boxes."""
        return ON_ANY_GROUND if self.transparent else LINE

    @property
    def tight(self) -> bool:
        """Whether space is scarce, so that boxes have little room around their text."""
        return self.type_size < 10

    @property
    def goes_across(self) -> bool:
        """Whether the figure is drawn from left to right, or from right to left."""
        return self.rankdir in ("LR", "RL")
