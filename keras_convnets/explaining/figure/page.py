"""An explanation as a page: the map of each image can be laid over it as strongly as one likes."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from keras_convnets.analysis.pages import render
from keras_convnets.explaining.explanation import Explanation
from keras_convnets.explaining.figure.look import relative, scale_of
from keras_convnets.explaining.maps.methods import METHODS
from keras_convnets.inference.shares import Share

_TOP = 5  # classes of an image
_STOPS = 24  # of the scale's colours
_CRISP = 64  # pixels up to which they are drawn as squares
_FADE = 0.35


def page(found: Explanation) -> str:
    """Return the page of an explanation as HTML that loads nothing else."""
    method = METHODS[found.method]
    scale = scale_of(found)
    shares = relative(found.maps, not method.takes_layer)
    cards = [_card(found[number], shares[number], scale) for number in range(len(found))]
    stops = scale.colours(np.linspace(0, 1, _STOPS))[:, :3]
    return render(
        __package__,
        "explanation.html",
        title=f"{method.title} of {found.model}",
        where="" if found.layer is None else f"feature maps of {found.layer}",
        cards=cards,
        colours=", ".join(_hex(stop) for stop in stops),
        ends=scale.words,
        is_signed=scale.is_signed,
        unit=method.unit,
        notes=found.notes,
        crisp=max(found.maps.shape[1:]) <= _CRISP,
    )


def _card(one: Explanation, shares: np.ndarray, scale: Any) -> dict[str, Any]:
    order = np.argsort(-one.probabilities[0], kind="stable")[:_TOP]
    label = int(one.labels[0])
    listed = [*order.tolist(), *([] if label in order else [label])]
    return {
        "file": one.files[0],
        "name": one.names[0],
        "share": f"{Share(one.probability[0])}",
        "picture": address_of(one.pictures[0]),
        "map": address_of(_coloured(shares, scale)),
        "top": [
            {
                "name": one.class_names[each],
                "share": f"{Share(one.probabilities[0, each])}",
                "width": f"{100 * float(one.probabilities[0, each]):.1f}",
                "is_explained": each == label,
            }
            for each in listed
        ],
    }


def _coloured(shares: np.ndarray, scale: Any) -> np.ndarray:
    """Return a map as colours that are transparent where there is nothing."""
    colours = scale.colours((shares - scale.low) / (1 - scale.low))
    colours[..., 3] = np.minimum(np.abs(shares) / _FADE, 1)
    return np.rint(colours * 255).astype(np.uint8)


def address_of(pixels: np.ndarray) -> str:
    """Return an image as the data URI of a PNG."""
    pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"


def _hex(colour: np.ndarray) -> str:
    return "#" + "".join(f"{round(float(part) * 255):02x}" for part in colour)
