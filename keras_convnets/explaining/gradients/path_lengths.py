"""The ensemble of paths: how long the paths of a residual network are, and what each carries."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_convnets import checks, memory
from keras_convnets.analysis.tabled import Tabled
from keras_convnets.analysis.tables import Column, Table
from keras_convnets.explaining.batch_of import batch_of, check_model, labels_of, parts_of
from keras_convnets.explaining.differentiation import gradient, traced
from keras_convnets.explaining.forward import Hooks, Place
from keras_convnets.explaining.gradients import paths_figure
from keras_convnets.explaining.gradients.residual_blocks import ResidualBlock, residual_blocks
from keras_convnets.explaining.losses import losses
from keras_convnets.explaining.scores import ClassScores, to_numpy, to_tensor
from keras_convnets.explaining.shown_results import Drawn
from keras_convnets.inference.every_output import every_output, main_output
from keras_convnets.typed import typed

_COLUMNS = (
    Column("length", "length", is_number=True),
    Column("paths", "paths", is_number=True),
    Column("share", "of all paths", is_number=True),
    Column("gradient", "gradient of a path", is_number=True),
    Column("gradient_share", "of the gradient", is_number=True),
)
_CONVENTION = (
    "Length: the residual branches that a path goes through; it takes the shortcut of the other "
    "blocks. Gradient: the L2 norm of the gradient of the loss at the image that flows along one "
    "path, in the mean of the samples (Veit et al. 2016)."
)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PathLengths(Drawn, Tabled):
    """The paths of a residual network by their length, and the gradient that they carry.

    Attributes:
        model: the name of the model.
        blocks: the names of its residual blocks.
        gradients: the norm of the gradient at the image along a path, `(blocks + 1, samples)`, a
            row for each length.
    """

    model: str
    blocks: tuple[str, ...]
    gradients: np.ndarray

    @property
    def paths(self) -> tuple[int, ...]:
        """The number of paths of each length, from 0 to the number of blocks: binomial."""
        return tuple(math.comb(len(self.blocks), length) for length in self.lengths)

    @property
    def lengths(self) -> range:
        """The lengths of paths."""
        return range(len(self.blocks) + 1)

    @property
    def share_of_paths(self) -> np.ndarray:
        """The share of all paths that have each length; the sum is 1."""
        total = 2 ** len(self.blocks)
        return np.array([paths / total for paths in self.paths])

    @property
    def gradient_of_a_path(self) -> np.ndarray:
        """The mean norm of the gradient along a path of each length."""
        return self.gradients.mean(axis=1)

    @property
    def share_of_gradient(self) -> np.ndarray:
        """The share of the sum of all paths' norms that each length has; the sum is 1."""
        carried = self.share_of_paths * self.gradient_of_a_path
        return carried / (carried.sum() or 1.0)

    @property
    def mean_length(self) -> float:
        """The mean length of paths, half of the blocks."""
        return float(self.share_of_paths @ np.array(self.lengths))

    @property
    def effective_length(self) -> float:
        """The mean length of paths, each weighted by the gradient that it carries."""
        return float(self.share_of_gradient @ np.array(self.lengths))

    def table(self) -> Table:
        """Return the table."""
        columns = (self.share_of_paths, self.gradient_of_a_path, self.share_of_gradient)
        numbers = zip(*columns, strict=True)
        rows = tuple(
            (length, paths, *(float(f"{one:.3g}") for one in its))
            for length, paths, its in zip(self.lengths, self.paths, numbers, strict=True)
        )
        means = (
            f"{len(self.blocks)} blocks, {2 ** len(self.blocks):,} paths. Mean length "
            f"{self.mean_length:.3g}; weighted by the gradient, {self.effective_length:.3g}."
        )
        return Table(_COLUMNS, rows, (means, _CONVENTION))

    def figure(self) -> Figure:
        """Return the figure: paths, the gradient of a path and the gradient of all, by length."""
        return paths_figure.figure(self)


@typed
def path_lengths(
    model: Any, images: Any, labels: Any, samples: int = 64, seed: int = 0, batch_size: int = 64
) -> PathLengths:
    """Return the paths of a residual network by length, and the gradient that each length carries.

    A network of n residual blocks is the sum over 2^n paths, each of which goes through the branch
    or the shortcut of each block. Their lengths are distributed binomially, around n / 2. The
    gradient along a path is measured as by Veit et al. (2016): images go forward through the whole
    network, and backward along the path alone. Paths of each length are drawn at random, one for
    each sample. In their trained network the gradient shrinks with each branch, so that short paths
    carry most of it; in one that is not trained it may grow.

    Args:
        model: a classifier with residual blocks, in either data format. Of one with auxiliary
            outputs, the first output counts.
        images: the images as the model takes them: prepared floats, `(images, rows, cols,
            channels)`, or channels first.
        labels: the class of each image, `(images,)`; or 0 or 1 for each class.
        samples: the paths to draw of each length, each with one of the images; all lengths have the
            same images.
        seed: of the paths and the images.
        batch_size: the samples that the network takes at once.

    Returns:
        The gradients by length; printed, they are a table.

    Raises:
        ValueError: the model is no classifier or has no residual blocks, or the images or labels do
            not suit it.

    Examples:
        >>> import numpy as np
        >>> from keras_convnets import CifarResnetBuilder, path_lengths
        >>> model = CifarResnetBuilder.build((3, 16, 16), 10, "basic_block_v1", (1, 1, 1))
        >>> images = np.random.default_rng(0).normal(size=(4, 16, 16, 3)).astype("float32")
        >>> found = path_lengths(model, images, [0, 1, 2, 3], samples=4)
        >>> found.paths, found.mean_length
        ((1, 3, 3, 1), 1.5)
    """
    checks.positive_integer("samples", samples, "the paths to draw of each length, such as 64")
    checks.positive_integer("batch_size", batch_size, "images that fit into the memory")
    checks.seed(seed)
    check_model(model)
    outputs = next(iter(every_output(model).values()))
    batch = batch_of(model, images)
    right = labels_of(model, outputs, labels, len(batch))
    of = ClassScores(main_output(model), outputs)
    blocks = residual_blocks(of.model)
    rng = np.random.default_rng(seed)
    taken = np.concatenate([_drawn(rng, len(blocks), length, samples)
                            for length in range(len(blocks) + 1)])  # fmt: skip
    # The same images for each length: their gradients may differ much more than those of paths.
    chosen = np.tile(np.resize(rng.permutation(len(batch)), samples), len(blocks) + 1)
    norms = []
    with memory.explained(
        f"the gradients along paths of {model.name}", "Pass a smaller batch_size"
    ):
        gradients = _compiled(of, blocks, right)
        for part in parts_of(len(taken), batch_size):
            own = chosen[part]
            given = map(to_tensor, (batch[own], right[own], taken[part]))
            norms.append(_norms(model, gradients(*given)))
    found = np.concatenate(norms).reshape(len(blocks) + 1, samples)
    return PathLengths(model.name, tuple(block.name for block in blocks), found)


def _drawn(rng: np.random.Generator, blocks: int, length: int, samples: int) -> np.ndarray:
    """Return random paths of a length: 1 for each branch that a path goes through."""
    order = rng.random((samples, blocks)).argsort(axis=1)
    return (order < length).astype(np.float32)


def _compiled(of: ClassScores, blocks: Sequence[ResidualBlock], labels: Any) -> Any:
    """Return a function of images, their labels and paths: the gradient at each image."""

    def gradients(x: Any, right: Any, through: Any) -> Any:
        places = {one.place: (one, through[:, at]) for at, one in enumerate(blocks)}

        def loss(given: Any) -> tuple[Any, None]:
            return keras.ops.sum(losses(of, of(given, _Along(places)), right)), None

        found, _ = gradient(loss, x)
        if found is None:
            raise ValueError(
                f"model: no gradient of {of.model.name} reaches its input; expected layers that "
                "have one. Leave out those that round or look up their inputs."
            )
        return found

    takes = of.model.inputs[0].shape
    return traced(gradients, takes, (None, *labels.shape[1:]), (None, len(blocks)))


def _norms(model: Any, found: Any) -> np.ndarray:
    """Return the norm of the gradient at each image."""
    norms = np.sqrt(np.square(to_numpy(found).astype(np.float64)).sum(axis=(1, 2, 3)))
    if not np.isfinite(norms).all():
        raise ValueError(
            f"model: gradients of {model.name} are NaN or infinite; expected numbers. Its weights "
            "are broken: take those of an earlier checkpoint."
        )
    return norms


@dataclasses.dataclass(frozen=True)
class _Along(Hooks):
    """Lets the gradient flow along a path of each image; values remain as they are."""

    along: dict[Place, tuple[ResidualBlock, Any]]

    def inputs(self, place: Place, layer: Any, inputs: list[Any]) -> list[Any]:
        if place not in self.along:
            return inputs
        block, through = self.along[place]
        inputs = list(inputs)
        for number, flows in ((block.branch, through), (block.shortcut, 1 - through)):
            given = inputs[number]
            shape = (-1, *(1,) * (len(given.shape) - 1))
            mask = keras.ops.cast(keras.ops.reshape(flows, shape), given.dtype)
            inputs[number] = mask * given + (1 - mask) * keras.ops.stop_gradient(given)
        return inputs
