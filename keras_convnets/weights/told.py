"""Which network weights are for, as their file tells."""

from __future__ import annotations

from keras_convnets import files
from keras_convnets.weights import formats
from keras_convnets.weights.recognition import network_of_file


def network_of(weights: str) -> str:
    """Return the name of the network that weights are for.

    Args:
        weights: a file, or the name of published weights.

    Raises:
        ValueError: there are no such weights, or they may be for several networks, or for none.
    """
    found = list(dict.fromkeys(name for name, _ in network_of_file(formats.read(weights).arrays)))
    if len(found) != 1:
        which = "is none that is known" if not found else f"may be {' or '.join(found)}"
        raise ValueError(
            f"weights: received {files.shown(weights)} without the name of their network, which "
            f"{which}; expected its name with them. Name it with --model (network)."
        )
    return found[0]
