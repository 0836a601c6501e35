"""The methods by name, and the options of each."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from keras_convnets import checks
from keras_convnets.explaining.maps.grad_cam import grad_cam, grad_cam_plus_plus
from keras_convnets.explaining.maps.integrated_gradients import integrated_gradients
from keras_convnets.explaining.maps.occlusion import occlusion
from keras_convnets.explaining.maps.saliency import guided_saliency
from keras_convnets.explaining.maps.score_cam import score_cam
from keras_convnets.explaining.maps.task import Maps


@dataclasses.dataclass(frozen=True)
class Method:
    """A way to explain.

    Attributes:
        name: its name.
        run: takes a `Task` and the options of the method.
        title: its name in figures.
        takes_layer: whether it looks at the feature maps of a layer.
        is_signed: whether a map has what speaks against the class too, as negative numbers.
        unit: what the numbers of a map are.
    """

    name: str
    run: Callable[..., Maps]
    title: str
    takes_layer: bool
    is_signed: bool
    unit: str

    @property
    def options(self) -> tuple[str, ...]:
        """The names of its options."""
        return tuple(inspect.signature(self.run).parameters)[1:]


_CAM = "weighted feature maps"
METHODS = {
    one.name: one
    for one in (
        Method("grad_cam", grad_cam, "Grad-CAM", True, False, _CAM),
        Method("grad_cam_plus_plus", grad_cam_plus_plus, "Grad-CAM++", True, False, _CAM),
        Method("score_cam", score_cam, "Score-CAM", True, False, _CAM),
        Method("guided_saliency", guided_saliency, "guided saliency", False, False, "gradient"),
        Method(
            *("integrated_gradients", integrated_gradients, "integrated gradients", False, True),
            "contribution to the class score",
        ),
        Method("occlusion", occlusion, "occlusion", False, True, "fall of the class score"),
    )
}


def method_of(name: Any, layer: Any, options: Mapping[str, Any]) -> Method:
    """Return a method by its name.

    Raises:
        ValueError: there is no such method, or it takes no layer or no such option.
    """
    found: Method = METHODS[checks.choice("method", name, METHODS)]
    if layer is not None and not found.takes_layer:
        others = ", ".join(repr(one.name) for one in METHODS.values() if one.takes_layer)
        raise ValueError(
            f"layer: received {layer!r} with method={name!r}, which looks at the image alone; "
            f"expected it only with {others}. Leave it out."
        )
    for option in options:
        if option not in found.options:
            takes = ", ".join(found.options) or "none"
            raise ValueError(
                f"{option}: received it with method={name!r}; expected an option of this method: "
                f"{takes}.{checks.did_you_mean(option, found.options)} Leave it out."
            )
    return found
