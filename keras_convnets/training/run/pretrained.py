"""A trained model to start a run from, and what is known about its training images."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from keras_convnets import axes
from keras_convnets.images.class_names import class_names_of
from keras_convnets.images.fitted import for_input
from keras_convnets.images.model_preprocessing import preprocessing_of
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.classifier import check_one_vector, check_takes_floats
from keras_convnets.inference.prepared import (
    Said,
    check_same,
    preprocessing_for,
    told_preprocessing,
)
from keras_convnets.saved_models import is_file, load_model
from keras_convnets.training.data.arguments import ImageSize, rows_and_cols, size_of
from keras_convnets.training.run.saved_run import open_run
from keras_convnets.training.transfer.new_head import new_head
from keras_convnets.typed import explaining


@dataclasses.dataclass(frozen=True)
class Pretrained:
    """A trained model to start from.

    Attributes:
        model: the model with its weights; not compiled.
        preprocessing: the preprocessing of its training images; ``None`` if unknown.
        class_names: the names of its classes, by label; ``None`` if unknown.
    """

    model: keras.Model
    preprocessing: Preprocessing | None = None
    class_names: tuple[str, ...] | None = None

    def prepared(
        self, said: Said, image_size: ImageSize | None, whose: str | None = None
    ) -> Pretrained:
        """Return it with the preprocessing of its images: as is said, as it or its layers tell.

        Args:
            said: the preprocessing, or the name of a usual one.
            image_size: the requested rows and columns, for a model that takes images of any size.
            whose: where the model is from, if what cannot be told is to be refused.

        Raises:
            ValueError: what is said contradicts what is known of the model, or it is not known.
        """
        if said is None and self.preprocessing is not None:
            return self
        size = None if image_size is None else rows_and_cols(image_size)
        if self.preprocessing is not None:  # that of a run, which its model need not know
            check_same(self.model, said, self.preprocessing)
            return self
        if whose is None:
            found = told_preprocessing(self.model, said, size)
        else:
            found = preprocessing_for(self.model, said, whose, size)
        return dataclasses.replace(self, preprocessing=found)

    def data_arguments(
        self, image_size: ImageSize | None = None, channels: int | None = None
    ) -> dict[str, Any]:
        """Return the arguments for `load_data` to prepare images for the model.

        Args:
            image_size: the requested rows and columns; by default those of its training
                images. A model that takes images of any size is given these.
            channels: the requested channels; by default those that the model takes.
        """
        shape = self.model.inputs[0].shape
        depth, rows, cols = axes.in_papers_order(shape, axes.format_of(self.model))
        known = self.preprocessing
        if known is None:
            own = None if rows is None or cols is None else size_of((rows, cols))
            return {
                "image_size": own if image_size is None else image_size,
                "channels": depth if channels is None else channels,
            }
        if image_size is not None and rows is None and cols is None:
            known = for_input(known, (known.channels, *rows_and_cols(image_size)))
        return {"preprocessing": known}

    def for_classes(self, class_names: Sequence[str]) -> keras.Model:
        """Return the model, with a new head unless it was trained on the same classes."""
        if self.class_names == tuple(class_names):
            return self.model
        return new_head(self.model, len(class_names))


@explaining
def open_pretrained(path: Path) -> Pretrained:
    """Open the folder of a finished run, or a ``.keras`` file.

    Raises:
        ValueError: the path is neither, or it cannot be read.
    """
    if is_file(path):
        model = load_model(path)
        check_one_vector(model)
        check_takes_floats(model)
        return Pretrained(model, preprocessing_of(model), class_names_of(model))
    run = open_run(path)
    return Pretrained(run.model, run.preprocessing, run.class_names)
