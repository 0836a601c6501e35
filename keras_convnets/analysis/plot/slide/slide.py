"""A figure on a page of a given size: rows from left to right, without a break in a stage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keras_convnets.analysis.plot import attributes, labels, legend
from keras_convnets.analysis.plot.graph.graph import Graph
from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.slide.composing import Page, composed
from keras_convnets.analysis.plot.slide.measure import measured, text, text_style
from keras_convnets.analysis.plot.slide.parts import FRAME_TYPE, Box, Content, Line, Unit
from keras_convnets.graph.branches import Body
from keras_convnets.graph.structure import shortcut_kind


class Slide:
    """A figure under construction: boxes in frames, and lines between them.

    It is drawn on as a `Sheet` is. Nodes in ``aside`` are off the main path: auxiliary heads.
    """

    def __init__(self, graph: Graph, look: Look, aside: Iterable[str] = ()) -> None:
        self.look = look
        self._graph = graph
        self._aside = set(aside)
        self._boxes: dict[str, Box] = {}
        self._lines: list[Line] = []
        self._shortcuts: set[str] = set()
        self._kinds: set[str] = set()

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
        self._kinds.add(kind)
        style = attributes.of_node(node, label, kind, says or owner) | more
        frame = frames[0] if frames and owner not in self._aside else None
        self._boxes[node] = Box(node, owner, frame, style)

    def line(
        self, source: str, of: str, target: str, to: str, *, label: str = "", **style: Any
    ) -> None:
        """Draw a line from the node of ``of`` to that of ``to``."""
        style.pop("weight", None)  # which only Graphviz' own layout needs
        for line in self._lines:
            if (line.source, line.target, line.around) == (source, target, False):
                line.label = ", ".join(filter(None, (line.label, label.strip())))
                return
        self._lines.append(Line(source, of, target, to, label.strip(), style))

    def shortcut(self, source: str, of: str, target: str, to: str, content: Body = ()) -> None:
        """Draw a shortcut: solid for an identity, dashed and labelled for anything else."""
        self._shortcuts.add(shortcut_kind(content))
        style = attributes.of_shortcut(content)
        label = style.pop("label", "")
        self._lines.append(Line(source, of, target, to, label, style, around=True))

    def finished(self, *, folded: bool) -> Page:
        """Return the page with the figure, its heading and its legend."""
        entries: list[str] = []
        if self.look.legend:
            keys = legend.keys(self._kinds, self._shortcuts, self.look)
            entries = [*map(legend.entry, keys), *legend.notes(folded, self.look, in_a_row=True)]
        heading = labels.headline(self._graph, self.look)
        content = Content(self._units(), self._lines, self._aside, heading, entries)
        self._measure(content)
        return composed(self._graph.name, content, self.look)

    def _units(self) -> list[Unit]:
        members: dict[str, list[Box]] = {}
        for box in self._boxes.values():
            members.setdefault(box.owner, []).append(box)
        arcs = {line.to: line for line in self._lines if line.around}
        return [Unit(name, boxes, arcs.get(name)) for name, boxes in members.items()]

    def _measure(self, content: Content) -> None:
        """Set the sizes of boxes and texts, as Graphviz measures them."""
        named: dict[str, dict[str, Any]] = {node: box.style for node, box in self._boxes.items()}
        size = attributes.line_type(self.look)
        for number, line in enumerate(self._lines):
            if line.label:
                named[f"line{number}"] = text_style(text(line.label), size)
                named[f"short{number}"] = text_style(text(*self._short(line)), size)
        frames = dict.fromkeys(box.frame for box in self._boxes.values() if box.frame)
        named |= {
            f"frame{n}": text_style(text(frame), FRAME_TYPE) for n, frame in enumerate(frames)
        }
        small = {f"entry{n}": entry for n, entry in enumerate(content.entries)}
        small |= {"heading": content.heading} if content.heading else {}
        named |= {name: text_style(f"<{label}>", 12) for name, label in small.items()}
        sizes = measured(named, attributes.of_nodes(self.look))
        for node, box in self._boxes.items():
            box.width, box.height = sizes[node]
        for number, line in enumerate(self._lines):
            line.size = sizes.get(f"line{number}", (0.0, 0.0))
            line.short = self._short(line)
            line.short_size = sizes.get(f"short{number}", (0.0, 0.0))
        content.frames = {frame: sizes[f"frame{n}"] for n, frame in enumerate(frames)}
        content.sizes = [sizes[f"entry{n}"] for n in range(len(content.entries))]
        content.heading_size = sizes.get("heading", (0.0, 0.0))

    def _short(self, line: Line) -> list[str]:
        """Return the label of a line within a row: a shape in two lines where the width counts."""
        if line.around or not self.look.narrow or " × " not in line.label:
            return [line.label]
        channels, rest = line.label.split(" × ", 1)
        return [f"{channels} ×", rest]
