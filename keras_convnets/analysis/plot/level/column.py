"""One model's column: its boxes in rows, the lines between them and the shortcuts around them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from keras_convnets.analysis.plot import attributes
from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.slide.measure import text, text_style
from keras_convnets.analysis.plot.slide.parts import Box, Line
from keras_convnets.graph.branches import Body
from keras_convnets.graph.structure import shortcut_kind

GAP = 14.0  # between the boxes of one block
ARC = 12.0  # from a box to the shortcut around it
LANE = 9.0  # between lines that pass by blocks
ASIDE = 22.0  # from the main path to a box beside it
BESIDE = 4.0  # from a line to its label

Size = tuple[float, float]


@dataclasses.dataclass
class Cell:
    """The boxes of one block, one below the other."""

    boxes: list[Box]
    arc: Line | None = None

    @property
    def height(self) -> float:
        """The height of the boxes and of the gaps between them."""
        return sum(box.height for box in self.boxes) + GAP * (len(self.boxes) - 1)

    @property
    def width(self) -> float:
        """The width of the widest box."""
        return max(box.width for box in self.boxes)


class Column:
    """A model's column under construction. It is drawn on as a `Sheet` is.

    Blocks in ``aside`` are off the main path: auxiliary heads.
    """

    def __init__(self, look: Look, aside: Collection[str] = ()) -> None:
        self.look = look
        self.aside = aside
        self.cells: dict[str, Cell] = {}
        self.lines: list[Line] = []
        self.kinds: set[str] = set()
        self.shortcuts: set[str] = set()

    def node(
        self,
        node: str,
        owner: str,
        label: str,
        kind: str,
        *frames: str,
        says: str = "",
        **more: Any,
    ) -> None:
        """Draw a box, within its frame unless it is off the main path; ``says`` is its tooltip."""
        self.kinds.add(kind)
        style = attributes.of_node(node, label, kind, says or owner) | more
        frame = frames[0] if frames and owner not in self.aside else None
        self.cells.setdefault(owner, Cell([])).boxes.append(Box(node, owner, frame, style))

    def line(
        self, source: str, of: str, target: str, to: str, *, label: str = "", **style: Any
    ) -> None:
        """Draw a line from the node of ``of`` to that of ``to``."""
        style.pop("weight", None)
        for line in self.lines:  # two tensors between two blocks are one line
            if (line.source, line.target) == (source, target):
                line.label = ", ".join(filter(None, (line.label, label.strip())))
                return
        self.lines.append(Line(source, of, target, to, label.strip(), style))

    def shortcut(self, source: str, of: str, target: str, to: str, content: Body = ()) -> None:
        """Draw a shortcut: solid for an identity, dashed and labelled for anything else."""
        self.shortcuts.add(shortcut_kind(content))
        style = attributes.of_shortcut(content)
        label = style.pop("label", "")
        self.cells[to].arc = Line(source, of, target, to, label, style, around=True)

    @property
    def boxes(self) -> list[Box]:
        """All boxes, from top to bottom."""
        return [box for cell in self.cells.values() for box in cell.boxes]

    def to_measure(self) -> dict[str, dict[str, Any]]:
        """Return the boxes and the labels of lines as nodes, whose sizes Graphviz can tell."""
        found = {box.node: box.style for box in self.boxes}
        size = attributes.line_type(self.look)
        for line in self._labelled():
            found[_id(line)] = text_style(text(line.label), size)
        return found

    def tidy(self) -> None:
        """Leave out the label of a line that passes by blocks where another label says it."""
        passing = self.passing()
        for line in passing:
            others = [one for one in self.lines if one.to == line.to and one is not line]
            if any(one.label for one in others if one not in passing or one.label == line.label):
                line.label = ""

    def take(self, sizes: Mapping[str, Size]) -> None:
        """Keep the sizes of boxes and labels."""
        for box in self.boxes:
            box.width, box.height = sizes[box.node]
        for line in self._labelled():
            line.size = sizes[_id(line)]

    def _labelled(self) -> list[Line]:
        arcs = [cell.arc for cell in self.cells.values() if cell.arc]
        return [line for line in (*self.lines, *arcs) if line.label]

    @property
    def main(self) -> list[str]:
        """The blocks of the main path, from top to bottom."""
        return [name for name in self.cells if name not in self.aside]

    def passing(self) -> list[Line]:
        """Return the lines that pass by blocks of the main path, between which they would run."""
        after = dict(zip(self.main, self.main[1:], strict=False))
        return [
            line
            for line in self.lines
            if line.of != line.to and after.get(line.of) != line.to and line.to not in self.aside
        ]

    def lanes(self) -> dict[int, int]:
        """Return the lane of each line that passes by blocks, by its position among these."""
        place = {name: number for number, name in enumerate(self.cells)}
        ends: list[int] = []  # of the last line in each lane
        found: dict[int, int] = {}
        for number, line in enumerate(self.passing()):
            free = [lane for lane, end in enumerate(ends) if end < place[line.of]]
            lane = free[0] if free else len(ends)
            ends[lane : lane + 1] = [place[line.to]]
            found[number] = lane
        return found

    @property
    def left(self) -> float:
        """The width to the left of the line of the main path."""
        lanes = self.lanes()
        passing = LANE * (max(lanes.values()) + 2) if lanes else 0.0
        return passing + max(self.cells[name].width for name in self.main) / 2

    @property
    def middle(self) -> float:
        """The width to the right of the line of the main path, without what is beside that."""
        return max(map(self._right_of, self.main))

    @property
    def right(self) -> float:
        """The width to the right of the line of the main path."""
        beside = [self.cells[name].width for name in self.aside]
        return self.middle + (ASIDE + max(beside) if beside else 0.0)

    def _right_of(self, name: str) -> float:
        cell = self.cells[name]
        found = cell.width / 2
        if cell.arc:
            found += ARC + (BESIDE + cell.arc.size[0] if cell.arc.label else 0.0)
        labels = [line.size[0] for line in self.lines if line.of == name and line.label]
        return max([found, *(BESIDE + width for width in labels)])


def _id(line: Line) -> str:
    return f"{'arc' if line.around else 'line'} {line.source} {line.target}"


def names_of_frames(columns: Sequence[Column]) -> list[str]:
    """Return the names of all frames, once each."""
    found = (box.frame for column in columns for box in column.boxes if box.frame)
    return list(dict.fromkeys(found))
