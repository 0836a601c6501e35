"""Weights that others have trained, to start a run from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import keras

from keras_convnets.graph.walk import walk
from keras_convnets.images.fitted import for_input
from keras_convnets.images.named import named
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.prepared import Said, do_the_same
from keras_convnets.training import run_folder
from keras_convnets.training.data.arguments import ImageSize, rows_and_cols
from keras_convnets.training.run.run_config import WeightsFacts
from keras_convnets.training.transfer.new_head import classifiers, new_head
from keras_convnets.weights.transfer.report import WeightsReport
from keras_convnets.weights.transfer.told import told
from keras_convnets.weights.transfer.transfer import load_weights

UNKNOWN = "how their images were prepared is unknown: these are normalised by their own"
_FEW = 3  # names in a line


@dataclasses.dataclass(frozen=True)
class GivenWeights:
    """Weights to start from.

    Attributes:
        weights: their file, or the name of published ones.
        network: the network that they are for.
        preprocessing: the preprocessing of the images that they were trained on; ``None`` if it is
            unknown.
        class_names: the names of the classes that they tell apart; ``None`` if unknown.
        is_usual: whether the preprocessing is what their source usually has, as the file does not
            tell.
        is_said: whether the user says how images are prepared.
    """

    weights: str
    network: str
    preprocessing: Preprocessing | None = None
    class_names: tuple[str, ...] | None = None
    is_usual: bool = False
    is_said: bool = False

    def images(
        self, image_size: ImageSize | None, channels: int | None, said: Said = None
    ) -> tuple[GivenWeights, Said]:
        """Return the weights, and how images for them are prepared; ``None`` if it is unknown.

        Args:
            image_size: the requested rows and columns; by default theirs.
            channels: the requested channels; by default theirs.
            said: how it is said to be, which counts where the weights do not tell.

        Raises:
            ValueError: the weights tell something else.
        """
        told = dataclasses.replace(self, is_said=said is not None)
        if self.preprocessing is None:
            return told, said
        had = self.preprocessing.image_shape
        rows, cols = had[1:] if image_size is None else rows_and_cols(image_size)
        shape = channels or had[0], rows, cols
        own = for_input(self.preprocessing, shape)
        if said is None:
            return self, own
        given = named(said, shape) if isinstance(said, str) else for_input(said, shape)
        if self.is_usual or do_the_same(given, own):
            return told, given
        raise ValueError(
            f"preprocessing: received '{given}', but {self.weights} are for images prepared as "
            f"'{own}'; expected the same. Leave --preprocessing (preprocessing) out."
        )

    def into(
        self, model: keras.Model, class_names: Sequence[str]
    ) -> tuple[keras.Model, WeightsFacts, tuple[str, ...]]:
        """Load them into their network, whose head is new unless the classes are theirs.

        Returns:
            The model, the facts for the run's record, and what was done, in lines.
        """
        report = load_weights(model, self.weights)
        anew = dict(report.anew)
        if not anew and self.class_names != tuple(class_names):
            why = (
                "the file does not name its classes"
                if self.class_names is None
                else "other classes"
            )
            anew = {call.name: why for call in classifiers(walk(model))}
            model = new_head(model, len(class_names))
        file = Path(report.file)
        facts = WeightsFacts(
            name=report.weights,
            source=report.source,
            file=file.name,
            sha256=run_folder.digest(file),
            anew=tuple(anew),
        )
        return model, facts, tuple(self._words(report, anew))

    def _words(self, report: WeightsReport, anew: Mapping[str, str]) -> Iterator[str]:
        whose = report.weights or Path(report.file).name
        kind = f"{report.source}, {report.format}"
        kept = sum(name.rsplit("/", 1)[0] not in anew for name in report.loaded)
        yield f"weights of {whose} ({kind}): {kept:,} loaded"
        for what, given in (("adapted", report.adapted), ("new", anew)):
            if given:
                yield f"  {what}: {'; '.join(f'{name} ({how})' for name, how in given.items())}"
        if report.left_out:
            yield f"  left out of the file: {len(report.left_out):,}, {_few(report.left_out)}"
        if self.is_said:
            return
        if self.preprocessing is None:
            yield f"  {UNKNOWN}"
        elif self.is_usual:
            yield f"  the file does not say how images are prepared: as usual for {report.source}"


def _few(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:_FEW]) + (", ..." if len(names) > _FEW else "")


def open_weights(weights: str, network: str | None) -> GivenWeights:
    """Find weights, the network that they are for and how its images are prepared.

    Args:
        weights: a file, or the name of published weights.
        network: the name of the network; by default the one that the file is for.

    Raises:
        ValueError: there are no such weights, or which network they are for is not known.
    """
    what = told(weights, network)
    images = None if what.images is None else Preprocessing.from_config(what.images)
    return GivenWeights(weights, what.network, images, what.class_names, what.is_usual)
