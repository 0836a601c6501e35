"""Networks with the weights of a file, for the commands."""

from __future__ import annotations

from typing import Any

from keras_convnets import files
from keras_convnets.cli.streams import say


def network_with(weights: str, name: str | None, is_told: bool = False) -> tuple[Any, Any]:
    """Return a network with weights, for the images and classes that they are for.

    Where the file does not say how its images are prepared, the network keeps what is usual for its
    source, and a note says so.

    Args:
        weights: a file, or the name of published weights.
        name: the name of the network; by default the one that the weights are for.
        is_told: whether the user says how images are prepared, so that the usual does not count.

    Returns:
        The network and the report of the loading.

    Raises:
        ValueError: the network is not known, or a weight of it is not in the file.
    """
    from keras_convnets.image_config import fitted
    from keras_convnets.known import Known, remember
    from keras_convnets.weights.published.listing import in_words
    from keras_convnets.weights.transfer.told import told
    from keras_convnets.weights.transfer.transfer import load_weights
    from keras_convnets.zoo import create_model, one_output

    what = told(weights, name)
    image_shape, outputs = _ends(weights, what)
    model = create_model(what.network, image_shape, outputs, **one_output(what.network))
    report = load_weights(model, weights)
    if report.anew:
        layer, reason = next(iter(report.anew.items()))
        raise ValueError(
            f"weights: received {files.shown(weights)}, which lacks {layer} of {what.network} "
            f"({reason}); expected all weights. Load it in Python, by load_weights, to train the "
            "rest."
        )
    if what.is_usual and what.images is not None and not is_told:
        remember(model, Known(preprocessing=what.images))
        images = fitted(what.images, image_shape) or what.images
        say(
            f"keras-convnets: note: {files.shown(weights)} does not say how its images are "
            f"prepared; they are taken as usual for {report.source}: {in_words(images)}"
        )
    return model, report


def _ends(weights: str, what: Any) -> tuple[tuple[int, int, int], int | None]:
    """Return the shape of the images and the number of classes that weights are for."""
    from keras_convnets.keras_private import without_values
    from keras_convnets.weights.transfer.told import ends_of
    from keras_convnets.zoo import create_model, find, one_output

    channels, rows, cols = find(what.network).published.input_shape
    if what.images is not None:
        channels, rows, cols = (what.images[side] for side in ("channels", "rows", "cols"))
    with without_values():
        outline = create_model(what.network, **one_output(what.network))
    found, outputs = ends_of(weights, outline)
    return (found or channels, rows, cols), outputs
