"""The drawing surface of a figure: nodes in frames, lines, columns, a title and a legend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pydot

from keras_convnets.analysis.plot import attributes, labels, legend
from keras_convnets.analysis.plot.graph.graph import Graph
from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.style import quoted
from keras_convnets.graph.branches import Body
from keras_convnets.graph.structure import shortcut_kind


class Sheet:
    """A figure under construction: nodes in frames, lines between them, broken into columns.

    Nodes in ``aside`` are off the main path: auxiliary heads.
    """

    def __init__(
        self, graph: Graph, look: Look, column: dict[str, int], aside: Iterable[str] = ()
    ) -> None:
        self.look = look
        self._aside = set(aside)
        style = attributes.of_figure(graph.name, labels.headline(graph, look), look)
        self.dot = pydot.Dot(nodesep=0.3, ranksep=0.24, labelloc="t", pad=0.2, **style)
        self.dot.set_node_defaults(**attributes.of_nodes(look))
        self.dot.set_edge_defaults(**attributes.of_lines(look))
        self._column = column
        # Each column is an invisible cluster: Graphviz packs clusters in the given order.
        self._columns = {
            number: pydot.Cluster(f"column{number}", peripheries=0, margin=0, label=quoted(""))
            for number in sorted(set(column.values()))
        }
        self._count = len(self._columns)
        if self._count > 1:  # lay columns out separately, side by side and aligned at the top
            self.dot.set("pack", 24)
            self.dot.set("packmode", f"array_it{self._count}")
        self._frames: dict[tuple[str, ...], pydot.Cluster] = {}
        self._marks: dict[tuple[str, int], str] = {}
        self._last = ""
        self.shortcuts: set[str] = set()
        self.kinds: set[str] = set()

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
        """Draw a box within its frames, from outermost to innermost; ``says`` is its tooltip."""
        self.kinds.add(kind)
        style = attributes.of_node(node, label, kind, says or owner)
        if owner not in self._aside:
            style["group"] = self._group(self._column[owner])
        self._frame(self._column[owner], frames).add_node(pydot.Node(node, **style | more))
        self._last = node

    def line(self, source: str, of: str, target: str, to: str, **style: Any) -> None:
        """Draw a line from the node of ``of`` to that of ``to``, by two marks across columns."""
        if self._column[of] != self._column[to]:
            source = self._mark(source, of, self._column[to])
        if style.get("label") and self._count > 1:
            style["minlen"] = 2  # Graphviz reserves space for labels only in a single column
        if to in self._aside:
            style["weight"] = 1
        self.dot.add_edge(pydot.Edge(source, target, **style))

    def shortcut(self, source: str, of: str, target: str, to: str, content: Body = ()) -> None:
        """Draw a shortcut: solid for an identity, dashed and labelled for anything else."""
        self.shortcuts.add(shortcut_kind(content))
        style = attributes.of_shortcut(content) | {"weight": 0}
        if content:
            style["label"] = f"  {style['label']} "
        self.line(source, of, target, to, **style)

    def finished(self, *, folded: bool) -> pydot.Dot:
        """Return the figure, with its legend."""
        for path, frame in self._frames.items():
            outer = self._frames[path[:-1]] if len(path) > 2 else self._columns[int(path[0])]
            outer.add_subgraph(frame)
        if self.look.legend:
            self._draw_legend(folded)
        # In a figure from left to right, Graphviz packs the rows from bottom to top.
        for number in sorted(self._columns, reverse=self.look.goes_across):
            self.dot.add_subgraph(self._columns[number])
        return self.dot

    def _draw_legend(self, folded: bool) -> None:
        """Draw the legend below the last node."""
        keys = legend.keys(self.kinds, self.shortcuts, self.look)
        rows = legend.table(keys, legend.notes(folded, self.look))
        style: dict[str, Any] = {
            "shape": "plaintext",
            "style": "solid",
            "label": f"<{rows}>",
            "class": "legend",
        }
        column = max(self._columns)
        style["group"] = self._group(column)
        self._columns[column].add_node(pydot.Node("legend", **style, tooltip="legend"))
        self.dot.add_edge(pydot.Edge(self._last, "legend", style="invis"))

    def _group(self, column: int) -> str:
        # A common Graphviz group keeps the main path of a column straight.
        return f"column{column}"

    def _frame(self, column: int, names: Sequence[str]) -> pydot.Graph:
        """Return the innermost of nested frames; a broken stage has a frame in each column."""
        place: pydot.Graph = self._columns[column]
        for depth in range(1, len(names) + 1):
            path = (str(column), *names[:depth])
            if path not in self._frames:
                self._frames[path] = _frame(path, self.look)
            place = self._frames[path]
        return place

    def _mark(self, source: str, of: str, column: int) -> str:
        """Return the mark at the top of a column for a node in another column."""
        if (source, column) in self._marks:
            return self._marks[source, column]
        number = len(self._marks) + 1
        leaving, arriving = f"mark{number}out", f"mark{number}in"
        style: dict[str, Any] = {
            "shape": "circle",
            "fixedsize": "true",
            "width": 0.3,
            "label": str(number),
        }
        style |= {"fillcolor": "#ffffff", "color": self.look.line}
        style |= {"fontsize": 10, "class": "mark"}
        home = self._column[of]
        for name, its_column in ((leaving, home), (arriving, column)):
            hint = f"continued at the other mark {number}"
            style["group"] = self._group(its_column)
            node = pydot.Node(name, tooltip=quoted(hint), **style)
            self._columns[its_column].add_node(node)
        self.dot.add_edge(pydot.Edge(source, leaving, weight=100))
        self._marks[source, column] = arriving
        return arriving


def _frame(path: Sequence[str], look: Look) -> pydot.Cluster:
    style = attributes.of_frame(path[-1], look, size=12 if len(path) == 2 else 9)
    return pydot.Cluster(quoted(" / ".join(path)), margin=8, **style)
