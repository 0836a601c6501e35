"""Compare how fast images are explained here, and by other packages, in turn.

``python scripts/benchmark_explain.py`` prints a row for each method: seconds an image of
``explain`` on a ResNet-50, and how many times as long others take for the same: tf-keras-vis on the
same Keras model, and pytorch-grad-cam and captum on torchvision's ResNet-50. All take turns in one
process; a ratio is the median over the rounds. Channels, steps, patches and strides are the same.
What is not installed has no column, and a method that a package lacks has no ratio. The saliency of
tf-keras-vis is not guided, but one pass back as well. captum moves its squares within the image
alone.
"""
# ruff: noqa: E402 - the engine starts before what needs it is imported

from __future__ import annotations

import argparse
import importlib.util
import warnings
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

from keras_convnets.cli import startup

startup.start_engine()  # like the command: with oneDNN, before importing TensorFlow

import keras
import numpy as np
from benchmarks.tables import cpu, show
from benchmarks.torch_side import network, torch_and_torchvision
from benchmarks.turns import Call, rounds_within

from keras_convnets import create_model, explain

LABEL, CHANNELS, STEPS, PATCH, STRIDE = 5, 64, 48, 56, 28
OPTIONS: dict[str, dict[str, int]] = {
    "grad_cam": {},
    "grad_cam_plus_plus": {},
    "score_cam": {"channels": CHANNELS},
    "guided_saliency": {},
    "integrated_gradients": {"steps": STEPS},
    "occlusion": {"patch": PATCH, "stride": STRIDE},
}
Calls = dict[str, Call]  # by method


def main() -> None:
    """Print a row for each method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=4, help="at once")
    parser.add_argument("--size", type=int, default=224, help="rows and columns of an image")
    parser.add_argument("--seconds", type=float, default=10, help="for each row, if 3 rounds fit")
    chosen = parser.parse_args()
    keras.utils.disable_interactive_logging()
    warnings.simplefilter("ignore")  # of the others
    print(f"{cpu()}; ResNet-50, {chosen.images} images of {chosen.size} x {chosen.size}\n")
    images = np.random.default_rng(0).normal(size=(chosen.images, chosen.size, chosen.size, 3))
    sides = {"explain": ours(images.astype(np.float32))} | others(images.astype(np.float32))
    names = [name for name in sides if name != "explain"]
    heading = ("method", "explain, s an image", *names)
    show(heading, rows(sides, chosen), (max(OPTIONS, key=len),))


def rows(sides: dict[str, Calls], chosen: argparse.Namespace) -> Iterator[list[str]]:
    """Yield a row for each method."""
    for method in OPTIONS:
        who = [name for name, calls in sides.items() if method in calls]
        times = rounds_within([sides[name][method] for name in who], chosen.seconds, spinning={1})
        seconds = dict(zip(who, times, strict=True))
        cells = [f"{median(seconds['explain']) / chosen.images:.3f}"]
        for name in sides:
            if name != "explain":
                pairs = zip(seconds.get(name, ()), seconds["explain"], strict=name in seconds)
                found = [other / our for other, our in pairs]
                cells.append(f"{median(found):.2f}" if found else "")
        yield [method, *cells]


def ours(images: np.ndarray) -> Calls:
    """Return the calls of `explain`."""
    model = _model(images)

    def call(method: str, options: dict[str, Any]) -> Call:
        return lambda: explain(
            model, images, method, class_index=LABEL, batch_size=len(images), **options
        )

    return {method: call(method, options) for method, options in OPTIONS.items()}


def _model(images: np.ndarray) -> keras.Model:
    return create_model("resnet_v1_5_50", (3, *images.shape[1:3]), 1000)


def others(images: np.ndarray) -> dict[str, Calls]:
    """Return the calls of the packages that are installed, by package."""
    found: dict[str, Calls] = {}
    if _is_there("tf_keras_vis"):
        found["tf-keras-vis"] = of_tf_keras_vis(images)
    if _is_there("torchvision"):
        torch, torchvision = torch_and_torchvision()
        model = network(torch, torchvision, "resnet50", images.shape[1]).eval()
        tensor = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
        if _is_there("pytorch_grad_cam"):
            found["pytorch-grad-cam"] = of_grad_cam(model, tensor)
        if _is_there("captum"):
            found["captum"] = of_captum(model, tensor)
    return found


def _is_there(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def of_tf_keras_vis(images: np.ndarray) -> Calls:
    """Return the calls of tf-keras-vis."""
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.scorecam import Scorecam
    from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
    from tf_keras_vis.utils.scores import CategoricalScore

    model, score = _model(images), CategoricalScore([LABEL] * len(images))

    def call(kind: Any, **options: Any) -> Call:
        made = kind(model, model_modifier=ReplaceToLinear(), clone=True)
        return lambda: made(score, images, **options)

    return {
        "grad_cam": call(Gradcam),
        "grad_cam_plus_plus": call(GradcamPlusPlus),
        "score_cam": call(Scorecam, max_N=CHANNELS, batch_size=len(images)),
        "guided_saliency": call(Saliency),
    }


def of_grad_cam(model: Any, images: Any) -> Calls:
    """Return the calls of pytorch-grad-cam."""
    from pytorch_grad_cam import GradCAM, GradCAMPlusPlus
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    targets = [ClassifierOutputTarget(LABEL) for _ in range(len(images))]

    def call(kind: Callable[..., Any]) -> Call:
        made = kind(model=model, target_layers=[model.layer4[-1]])
        return lambda: made(input_tensor=images, targets=targets)

    return {"grad_cam": call(GradCAM), "grad_cam_plus_plus": call(GradCAMPlusPlus)}


def of_captum(model: Any, images: Any) -> Calls:
    """Return the calls of captum."""
    from captum.attr import GuidedBackprop, IntegratedGradients, Occlusion

    guided, integrated, occlusion = (
        kind(model) for kind in (GuidedBackprop, IntegratedGradients, Occlusion)
    )
    given = images.clone().requires_grad_()
    squares: dict[str, Any] = {
        "sliding_window_shapes": (3, PATCH, PATCH),
        "strides": (3, STRIDE, STRIDE),
    }
    size = len(images)
    return {
        "guided_saliency": lambda: guided.attribute(given, target=LABEL),
        "integrated_gradients": lambda: integrated.attribute(
            images, target=LABEL, n_steps=STEPS, internal_batch_size=size
        ),
        "occlusion": lambda: occlusion.attribute(images, target=LABEL, **squares),
    }


if __name__ == "__main__":
    main()
