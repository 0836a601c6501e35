"""The files of each kind, written from the graph of a model."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from keras_convnets.shipping.engines.kinds import Kind
from keras_convnets.shipping.export.graph import Graph


def write(kind: Kind, graph: Graph, path: Path, precision: str, calibration: Any = None) -> None:
    """Write the file of one kind.

    Args:
        kind: its kind.
        graph: the model.
        path: where to write it: a path at which there is nothing yet. Of the kind OpenVINO, the
            weights go beside it, into a file of the same name that ends in ``.bin``.
        precision: one that the kind can be written in.
        calibration: the batches of images that int8 is calibrated with, in the layout and the type
            of the graph's input.

    Raises:
        ValueError: the converter cannot write it; the line names the layer if it is known. Nothing
            is left at the path.
    """
    # One kind's converter is not imported for another, which may be all that is installed.
    writer = importlib.import_module(f"{__name__}.{kind.name}")
    writer.write(graph, path, precision, calibration)
