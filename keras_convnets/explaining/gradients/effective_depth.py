"""Effective depth: what a residual network loses with each of its blocks."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_convnets import checks, memory
from keras_convnets.analysis.tabled import Tabled
from keras_convnets.analysis.tables import Column, Table
from keras_convnets.explaining.batch_of import batch_of, check_model, labels_of, parts_of
from keras_convnets.explaining.differentiation import forward_only, traced
from keras_convnets.explaining.forward import Hooks, Place
from keras_convnets.explaining.gradients import deletion_figure
from keras_convnets.explaining.gradients.residual_blocks import ResidualBlock, residual_blocks
from keras_convnets.explaining.losses import losses, right_answers
from keras_convnets.explaining.scores import ClassScores, to_numpy, to_tensor
from keras_convnets.explaining.shown_results import Drawn
from keras_convnets.inference.every_output import every_output, main_output
from keras_convnets.typed import typed

_COLUMNS = (
    Column("block", "without"),
    Column("stage", "stage"),
    Column("loss", "loss", is_number=True),
    Column("accuracy", "accuracy", is_number=True),
)
_CONVENTION = (
    "Each row: the network without the residual branch of one block, whose shortcut remains (Veit "
    "et al. 2016). Nothing is trained anew."
)


@dataclasses.dataclass(frozen=True)
class Deletion:
    """What a network is worth without a residual block.

    Attributes:
        block: the name of the block; ``None`` for the whole network.
        stage: the name of its stage.
        loss: the mean cross-entropy of the images.
        accuracy: the share of right answers.
    """

    block: str | None
    stage: str
    loss: float
    accuracy: float


@dataclasses.dataclass(frozen=True, repr=False)
class EffectiveDepth(Drawn, Tabled):
    """The loss and accuracy of a network without each of its residual blocks.

    Attributes:
        model: the name of the model.
        whole: the loss and accuracy of the whole network.
        deletions: those without each block, in the order of the blocks.
        images: the number of images.
    """

    model: str
    whole: Deletion
    deletions: tuple[Deletion, ...]
    images: int

    def table(self) -> Table:
        """Return the table."""
        rows = [
            (one.block or "(whole network)", one.stage, round(one.loss, 4), round(one.accuracy, 4))
            for one in (self.whole, *self.deletions)
        ]
        return Table(_COLUMNS, tuple(rows), (f"{self.images:,} images. {_CONVENTION}",))

    def figure(self) -> Figure:
        """Return the figure: accuracy and loss without each block, against the whole network."""
        return deletion_figure.figure(self.model, self.whole, self.deletions)


@typed
def effective_depth(
    model: Any, images: Any, labels: Any, blocks: Sequence[str] | None = None, batch_size: int = 64
) -> EffectiveDepth:
    """Delete each residual block in turn, and measure what the network is worth without it.

    The branch of the block gives nothing, and its shortcut, perhaps a projection, remains. A plain
    network without a layer guesses; a residual network loses little, except where a block changes
    the size of the feature maps: it behaves like an ensemble of many paths, half of which remain
    (Veit, Wilber, Belongie 2016, "Residual Networks Behave Like Ensembles of Relatively Shallow
    Networks").

    Args:
        model: a trained classifier with residual blocks, in either data format. Of one with
            auxiliary outputs, the first output counts.
        images: the images as the model takes them: prepared floats, `(images, rows, cols,
            channels)`, or channels first.
        labels: the class of each image, `(images,)`; or 0 or 1 for each class.
        blocks: the names of the blocks to delete, each in turn; by default, all residual blocks.
        batch_size: the images that the network takes at once.

    Returns:
        The losses and accuracies; printed, they are a table.

    Raises:
        ValueError: the model is no classifier or has no residual blocks, there is no such block, or
            the images or labels do not suit the model.

    Examples:
        >>> import numpy as np
        >>> from keras_convnets import CifarResnetBuilder, effective_depth
        >>> model = CifarResnetBuilder.build((3, 16, 16), 10, "basic_block_v1", (1, 1, 1))
        >>> images = np.random.default_rng(0).normal(size=(4, 16, 16, 3)).astype("float32")
        >>> found = effective_depth(model, images, [0, 1, 2, 3])
        >>> [deletion.block for deletion in found.deletions]
        ['conv2_block1', 'conv3_block1', 'conv4_block1']
    """
    checks.positive_integer("batch_size", batch_size, "images that fit into the memory")
    check_model(model)
    outputs = next(iter(every_output(model).values()))
    batch = batch_of(model, images)
    right = labels_of(model, outputs, labels, len(batch))
    of = ClassScores(main_output(model), outputs)
    chosen = _chosen(residual_blocks(of.model), blocks)
    found = []
    with memory.explained(f"the deletion of blocks of {model.name}", "Pass a smaller batch_size"):
        scores = _compiled(of, chosen)
        for block in (None, *chosen):
            kept = np.array([one is not block for one in chosen], np.float32)
            measured = _measured(of, batch, right, functools.partial(scores, kept), batch_size)
            found.append(_deletion(model, block, *measured))
    return EffectiveDepth(model.name, found[0], tuple(found[1:]), len(batch))


Scores = Callable[[np.ndarray], Any]


def _compiled(of: ClassScores, blocks: Sequence[ResidualBlock]) -> Callable[..., Any]:
    """Return a function of 1 or 0 for each block, whether it is there, and of images."""

    def scores(x: Any, kept: Any) -> Any:
        return of(x, _Scaled({one.place: (one.branch, kept[at]) for at, one in enumerate(blocks)}))

    compiled = traced(forward_only(scores), of.model.inputs[0].shape, (len(blocks),))
    return lambda kept, x: compiled(to_tensor(x), to_tensor(kept))


@dataclasses.dataclass(frozen=True)
class _Scaled(Hooks):
    """Multiplies residual branches by 1 or 0.

    Attributes:
        branches: which input of a merge to multiply, and by what, by the place of the merge.
    """

    branches: dict[Place, tuple[int, Any]]

    def inputs(self, place: Place, layer: Any, inputs: list[Any]) -> list[Any]:
        if place in self.branches:
            number, times = self.branches[place]
            inputs = list(inputs)
            inputs[number] = inputs[number] * keras.ops.cast(times, inputs[number].dtype)
        return inputs


def _measured(
    of: ClassScores, batch: np.ndarray, labels: np.ndarray, score: Scores, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of each image, and whether it is classified right."""
    loss, right = [], []
    for part in parts_of(len(batch), batch_size):
        scores = score(batch[part])
        loss.append(to_numpy(losses(of, scores, labels[part])))
        right.append(right_answers(to_numpy(scores), labels[part]))
    return np.concatenate(loss), np.concatenate(right)


def _deletion(
    model: Any, block: ResidualBlock | None, loss: np.ndarray, right: np.ndarray
) -> Deletion:
    name, stage = (None, "") if block is None else (block.name, block.stage)
    if not np.isfinite(loss).all():
        without = "" if block is None else f" without {block.name}"
        raise ValueError(
            f"model: {model.name}{without} outputs NaN or infinity; expected numbers. Its weights "
            "are broken: take those of an earlier checkpoint."
        )
    return Deletion(name, stage, float(loss.mean()), float(right.mean()))


def _chosen(found: list[ResidualBlock], wanted: Sequence[str] | None) -> list[ResidualBlock]:
    if wanted is None:
        return found
    by_name = {block.name: block for block in found}
    return [by_name[checks.choice("blocks", name, by_name)] for name in wanted]
