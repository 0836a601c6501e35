"""What is around every converter: it prints a lot, and what it refuses is named by layers."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator

from keras_convnets import files, quiet
from keras_convnets.shipping.export.culprits import refused
from keras_convnets.shipping.export.graph import Graph
from keras_convnets.shipping.precision.out_of_range import OutOfRange


@contextlib.contextmanager
def conversion(graph: Graph, runtime: str) -> Iterator[None]:
    """Keep a converter's prints, logs and warnings off the terminal, and say why it failed.

    Raises:
        ValueError: the converter failed; the line names the layer if it is known. What the system
            or a precision refuses is raised as it is.
    """
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), quiet.held_back(quiet.OUTPUT, quiet.ERROR):
            warnings.simplefilter("ignore")
            yield
    except (MemoryError, OSError, OutOfRange):
        raise
    except Exception as error:  # converters raise anything
        if files.reason(error) is not None:
            raise
        raise refused(graph, runtime, error) from error
    finally:
        logging.disable(disabled)
