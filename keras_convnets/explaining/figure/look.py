"""The colours of maps: one scale for evidence, and one for evidence for and against."""

from __future__ import annotations

import dataclasses

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap

from keras_convnets.explaining.explanation import Explanation
from keras_convnets.explaining.maps.methods import METHODS

_CUT = 99.8  # percentile of the pixels' numbers that is the end of the scale, where maps are noisy
_FADE = 0.35  # the share of the scale over which the map fades in
_DARK = 0.5  # how much darker the image is under a map
_PALE = 0.3  # the contrast of the image under a signed map
_MOST = 0.75  # how much of the colour is the map's, where it is full


@dataclasses.dataclass(frozen=True)
class Scale:
    """How the numbers of maps are coloured.

    Attributes:
        colours: the colours.
        is_signed: whether the scale goes from -1 to 1, not from 0 to 1.
        words: what its ends mean.
    """

    colours: Colormap
    is_signed: bool
    words: tuple[str, str]

    @property
    def low(self) -> float:
        """The start of the scale; its end is 1."""
        return -1.0 if self.is_signed else 0.0


def scale_of(found: Explanation) -> Scale:
    """Return the scale for the maps of an explanation."""
    if METHODS[found.method].is_signed:
        colours = mpl.colormaps["RdBu_r"]
        return Scale(colours, True, ("against", "for the class"))
    return Scale(_cut_below(mpl.colormaps["inferno"]), False, ("nothing", "most"))


def relative(maps: np.ndarray, is_fine: bool) -> np.ndarray:
    """Return maps as shares of their largest number each, cut to -1 to 1.

    Args:
        maps: `(images, rows, cols)`.
        is_fine: whether single pixels stand out, which would leave the rest dark.
    """
    sizes = np.abs(maps).reshape(len(maps), -1)
    most = np.percentile(sizes, _CUT, axis=1) if is_fine else sizes.max(axis=1)
    most = np.where(most > 0, most, sizes.max(axis=1))
    most = np.where(most > 0, most, 1)
    return np.clip(maps / most[:, np.newaxis, np.newaxis], -1, 1)


def overlay(picture: np.ndarray, shares: np.ndarray, scale: Scale) -> np.ndarray:
    """Return an image under its map, 0 to 1, `(rows, cols, 3)`.

    The image is grey, so that colour is the map's alone; where there is nothing, it is seen.
    """
    grey = picture.astype(np.float32).mean(axis=-1, keepdims=True) / 255
    colour = scale.colours((shares - scale.low) / (1 - scale.low))[..., :3]
    share = _MOST * np.minimum(np.abs(shares) / _FADE, 1)[..., np.newaxis]
    # White is the middle of the signed colours, so the image is pale under them.
    base = 1 - _PALE * (1 - grey) if scale.is_signed else grey * (1 - _DARK * share)
    return np.clip(base * (1 - share) + colour * share, 0, 1)


def _cut_below(colours: Colormap) -> Colormap:
    """Return a scale without its darkest colours, which an image has as well."""
    return LinearSegmentedColormap.from_list("evidence", colours(np.linspace(0.25, 1, 256)))
