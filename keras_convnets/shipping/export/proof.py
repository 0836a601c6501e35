"""The proof of an export: the file, opened by its own runtime, against the model, on images."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from keras_convnets import memory
from keras_convnets.inference.compiled import forward, to_numpy
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.printable import one_line, printable
from keras_convnets.shipping.engines.engine import Engine
from keras_convnets.shipping.export.comparison import Comparison, compared
from keras_convnets.shipping.export.feeding import Feeding
from keras_convnets.shipping.export.request import Request
from keras_convnets.shipping.export.samples import Samples
from keras_convnets.shipping.export.tolerance import Tolerance

_NOTHING = "Nothing was written. Export to another kind, or in float32."
_VISIBLE = 1e-3  # a difference of probabilities that four digits show


class NotProved(ValueError):  # noqa: N818 - names an event, as NotWritten does
    """An exported file that does not say what the model says; it is not left behind."""


@dataclasses.dataclass(frozen=True)
class Proof:
    """How much the outputs of a file differ from those of the model it was made of.

    The model is the one given: not folded, in float32.

    Attributes:
        of: the images: "the 360 test images of digits".
        images: how many they are.
        is_synthetic: whether they stand in for images that nobody gave.
        batches: the sizes of the batches that were run, sorted.
        difference: the largest difference of a probability.
        relative: the largest difference of a probability, relative to the largest probability of
            the same image (or to 1 over the number of classes, where that is larger).
        where: where that is: the image, the class, and both probabilities.
        agreeing: the images whose first class is the same.
        tolerance: what ``relative`` may be.
        share: the share of the images that had to be within it.
        accuracy_before: the share of the images whose first class is their label, of the model;
            of multi-label images the share of all labels; ``None`` without labels.
        accuracy_after: the same of the file.
    """

    of: str
    images: int
    is_synthetic: bool
    batches: tuple[int, ...]
    difference: float
    relative: float
    where: str
    agreeing: int
    tolerance: float
    share: float
    accuracy_before: float | None = None
    accuracy_after: float | None = None

    @property
    def agreement(self) -> float:
        """The share of the images whose first class is the same."""
        return self.agreeing / self.images

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return dataclasses.asdict(self) | {
            "batches": list(self.batches),
            "agreement": self.agreement,
        }


def prove(request: Request, feeding: Feeding, engine: Engine) -> Proof:
    """Compare a file with the model it was made of.

    Raises:
        NotProved: it cannot be run on batches of any size, its outputs are NaN or infinite, or they
            differ by more than the tolerance.
    """
    samples, tolerance = request.check, request.tolerance
    file = _File(engine, samples)
    before, after, batches = [], [], set()
    run = forward(request.model)
    for numbers, for_model, for_file in feeding.batches(samples):
        before.append(_expected(to_numpy(run(for_model)), samples, numbers))
        after.append(file.run(for_file, before[-1].shape, numbers))
        batches.add(len(numbers))
    if batches == {1}:  # images of different sizes, or only one
        file.check_twice(for_file, after[-1], numbers, tolerance)
        batches.add(2)
    found = compared(request.outputs, np.concatenate(before), np.concatenate(after))
    where = _where(request, found)
    if (apart := tolerance.exceeded_by(found.of_images)) is not None:
        raise _too_far(apart, where, found.agreeing, request)
    return Proof(
        of=samples.words,
        images=samples.count,
        is_synthetic=samples.is_synthetic,
        batches=tuple(sorted(batches)),
        difference=found.difference,
        relative=found.relative,
        where=where,
        agreeing=found.agreeing,
        tolerance=tolerance.difference,
        share=tolerance.share,
        accuracy_before=_accuracy(request, found.before),
        accuracy_after=_accuracy(request, found.after),
    )


def _expected(values: np.ndarray, samples: Samples, numbers: list[int]) -> np.ndarray:
    """Return what the model says of some images."""
    broken = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(broken):
        raise NotProved(
            "model: it outputs NaN or infinity for "
            f"{printable(samples.name_of(numbers[broken[0]]))}; expected numbers. Its weights are "
            "broken, or the images are: take those of an earlier checkpoint."
        )
    return values


class _File:
    """An exported file that is run on some images."""

    def __init__(self, engine: Engine, samples: Samples) -> None:
        self._engine, self._samples = engine, samples
        self._in = f"in {engine.kind.runtime} {engine.version}"

    def run(self, batch: np.ndarray, shape: tuple[int, ...], numbers: list[int]) -> np.ndarray:
        """Return its outputs for some images, which are numbers of a shape."""
        count = len(batch)
        try:
            values = self._engine.run(batch)
        except Exception as error:  # each runtime has its own
            if memory.is_exhausted(error):
                raise
            raise NotProved(
                f"path: the exported file cannot be run on a batch of {count} {self._in} "
                f"({one_line(error)}). {_NOTHING}"
            ) from error
        if values.shape != shape:
            raise NotProved(
                f"path: the exported file returns {values.shape} for a batch of {count} "
                f"{self._in}; expected {shape}. {_NOTHING}"
            )
        broken = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if len(broken):
            name = printable(self._samples.name_of(numbers[broken[0]]))
            raise NotProved(
                f"path: the exported file returns NaN or infinity for {name} {self._in}; expected "
                f"numbers. {_NOTHING}"
            )
        return values

    def check_twice(
        self, batch: np.ndarray, found: np.ndarray, numbers: list[int], tolerance: Tolerance
    ) -> None:
        """Refuse a file that says something else of an image that is twice in a batch."""
        expected = np.concatenate([found, found])
        twice = self.run(np.concatenate([batch, batch]), expected.shape, numbers * 2)
        if not np.abs(twice - expected).max() <= tolerance.difference * np.abs(expected).max():
            raise NotProved(
                "path: the exported file says something else of an image in a batch of 2 than of "
                f"the image alone {self._in}. {_NOTHING}"
            )


def _where(request: Request, found: Comparison) -> str:
    """Return where the difference is largest, in words."""
    image, label = found.worst
    name = request.class_names[label] if request.class_names else str(label)
    before, after = found.before[image, label], found.after[image, label]
    digits = 4 if found.difference > _VISIBLE else 8
    return printable(
        f"{request.check.name_of(image)}, class {name}: {before:.{digits}f} became "
        f"{after:.{digits}f}"
    )


def _accuracy(request: Request, probabilities: np.ndarray) -> float | None:
    labels, are_independent = request.check.labels, request.outputs.are_independent
    if labels is None:
        return None
    return Evaluation(labels, probabilities, are_independent=are_independent).accuracy


def _too_far(apart: float, where: str, agreeing: int, request: Request) -> NotProved:
    tolerance, samples = request.tolerance, request.check
    least = "" if tolerance.share == 1 else f" for {tolerance.share:.0%} of the images"
    return NotProved(
        f"path: received a difference of {apart:.3g} between the exported file and the model, "
        f"relative to the largest probability of an image, on {samples.words}; expected at most "
        f"{tolerance.difference:.3g}{least}. It is largest for {where}. The first class is the "
        f"same for {agreeing:,} of {samples.count:,}. Nothing was written. Export in a higher "
        "precision, or accept the difference by --tolerance (tolerance)."
    )
