"""Gradient flow: how large activations and gradients are in each block, from input to output."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from matplotlib.figure import Figure

from keras_convnets import memory
from keras_convnets.analysis.tabled import Tabled
from keras_convnets.analysis.tables import Column, Table
from keras_convnets.explaining.batch_of import batch_of, check_model, labels_of
from keras_convnets.explaining.gradients import flow_figure
from keras_convnets.explaining.gradients.measured_flow import Flow, flow_of
from keras_convnets.explaining.scores import ClassScores
from keras_convnets.explaining.shown_results import Drawn
from keras_convnets.graph.unique import unique_names
from keras_convnets.inference.every_output import every_output, main_output
from keras_convnets.received import shown
from keras_convnets.typed import typed

_COLUMNS = (
    Column("model", "model"),
    Column("block", "block"),
    Column("stage", "stage"),
    Column("depth", "depth", is_number=True),
    Column("activation", "activation", is_number=True),
    Column("activation_gradient", "its gradient", is_number=True),
    Column("weight_gradient", "gradient of weights", is_number=True, missing="none"),
)
_CONVENTION = (
    "Depth: layers with kernels on the longest way from the input to the end of the block. "
    "Activation: the root mean square of the block's output. Its gradient: the L2 norm, for each "
    "image, of the gradient of the image's loss at that output, in the mean of the images. "
    "Gradient of weights: the L2 norm of the gradient of the mean loss at all weights of the block "
    "that are trained."
)


@dataclasses.dataclass(frozen=True, repr=False)
class GradientFlow(Drawn, Tabled):
    """The size of activations and gradients in each block of some models.

    Attributes:
        models: the flow of each model, by its name.
        training: whether layers computed what they do in training.
        images: the number of images.
    """

    models: dict[str, Flow]
    training: bool
    images: int

    def table(self) -> Table:
        """Return the table."""
        rows = [
            (name, block.block, block.stage, block.depth, *map(_short, block.sizes))
            for name, flow in self.models.items()
            for block in flow.blocks
        ]
        mode = "in training" if self.training else "in inference"
        return Table(_COLUMNS, tuple(rows), (f"{self.images:,} images, {mode}. {_CONVENTION}",))

    def figure(self) -> Figure:
        """Return the figure: gradients and activations by depth, a line for each model."""
        return flow_figure.figure(self.models, self.training)


def _short(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")


@typed
def gradient_flow(models: Any, images: Any, labels: Any, training: bool = True) -> GradientFlow:
    """Measure the size of activations and gradients in each block, for one or several models.

    With ``y = F(x) + x``, the gradient at ``x`` is that at ``y``, times 1 plus the derivative of F:
    it reaches early blocks whatever F is (He et al. 2015, 2016). In a plain network it is a product
    of derivatives, which vanishes or explodes with depth. Pass both to see it.

    Nothing of a model changes: neither its weights nor the moving statistics of normalisations.

    Args:
        models: a classifier, a list of classifiers, or a dictionary of them by the names to show;
            all take the same images. Of one with auxiliary outputs, the loss is that of the first.
        images: the images as the models take them: prepared floats, `(images, rows, cols,
            channels)`, or channels first. All are computed at once.
        labels: the class of each image, `(images,)`; or 0 or 1 for each class.
        training: whether layers compute what they do in training: batch normalisation over these
            images, and dropout. False for what they do in inference.

    Returns:
        The sizes, block by block; printed, they are a table.

    Raises:
        ValueError: a model is no classifier, the images or labels do not suit it, no gradient
            reaches its blocks, or one is not finite.

    Examples:
        >>> import numpy as np
        >>> from keras_convnets import create_model, gradient_flow
        >>> images = np.random.default_rng(0).normal(size=(4, 32, 32, 3)).astype("float32")
        >>> found = gradient_flow(create_model("cifar_plain_20"), images, [0, 1, 2, 3])
        >>> [block.block for block in found.models["cifar_plain_20"].blocks[:3]]
        ['conv1', 'conv2_block1', 'conv2_block2']
        >>> [block.depth for block in found.models["cifar_plain_20"].blocks[:3]]
        [1, 3, 5]
    """
    found: dict[str, Flow] = {}
    count = 0
    for name, model in _named(models).items():
        check_model(model)
        outputs = next(iter(every_output(model).values()))
        batch = batch_of(model, images)
        right = labels_of(model, outputs, labels, len(batch))
        of = ClassScores(main_output(model), outputs)
        with memory.explained(f"the gradients of {name}", "Pass fewer images"):
            found[name] = flow_of(of, batch, right, training)
        count = len(batch)
    return GradientFlow(found, training, count)


def _named(models: Any) -> dict[str, Any]:
    """Return models by the names to show."""
    if isinstance(models, keras.Model):
        models = [models]
    if isinstance(models, Mapping):
        names, listed = list(models), list(models.values())
    elif isinstance(models, Sequence) and not isinstance(models, str):
        listed = list(models)
        names = unique_names(getattr(model, "name", "model") for model in listed)
    else:
        listed, names = [], []
    if not listed or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"models: received {shown(models)}; expected a Keras model, a list of some, or a "
            "dictionary of some by name. Pass at least one."
        )
    return dict(zip(names, listed, strict=True))
