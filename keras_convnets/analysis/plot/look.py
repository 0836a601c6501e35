"""How a figure looks: what it shows, where it goes, and its colours outside the boxes."""

from __future__ import annotations

import dataclasses

from keras_convnets.analysis.plot.style import GREY, LINE, ON_ANY_GROUND

DIRECTIONS = ("TB", "LR", "BT", "RL")


@dataclasses.dataclass(frozen=True)
class Look:
    """The display options of a figure."""

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
    def goes_across(self) -> bool:
        """Whether the figure is drawn from left to right, or from right to left."""
        return self.rankdir in ("LR", "RL")
