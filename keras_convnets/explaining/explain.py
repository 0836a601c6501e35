"""What a trained network looked at when it scored a class: `explain`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from keras_convnets import checks, memory
from keras_convnets.channels_first import check_it_runs
from keras_convnets.explaining.chosen import chosen_labels, one_output
from keras_convnets.explaining.explanation import Explanation
from keras_convnets.explaining.feature_layer import FeatureLayer, feature_layer
from keras_convnets.explaining.maps.methods import Method, method_of
from keras_convnets.explaining.maps.task import Maps, Task, without_gradient
from keras_convnets.explaining.scores import ClassScores
from keras_convnets.explaining.taken import TakenImages, pictures
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.class_labels import class_labels
from keras_convnets.inference.classify import of_run
from keras_convnets.inference.compiled import kept
from keras_convnets.inference.outputs import outputs_of
from keras_convnets.inference.soundness import check_sound_once
from keras_convnets.typed import typed

_BATCH = 32
_OFF = 0.01  # how far the sum of integrated gradients may be off without a note


@typed
def explain(
    model: Any,
    images: Any,
    method: str = "grad_cam",
    *,
    layer: str | None = None,
    output: int | str | None = None,
    class_index: Any = None,
    preprocessing: Preprocessing | str | None = None,
    class_names: Sequence[str] | None = None,
    batch_size: int = _BATCH,
    **options: Any,
) -> Explanation:
    """Return maps of what the score of a class comes from in each image.

    The score is that before the softmax or the sigmoid. Of a single output, that of the first class
    is its negative. The model stays as it is.

    - ``"grad_cam"``: the feature maps of a layer, weighted by the mean gradient of the score to
      each (Selvaraju et al. 2017). A pass forward and one back, from the layer on.
    - ``"grad_cam_plus_plus"``: the same, weighted by positive gradients (Chattopadhay et al. 2018).
    - ``"score_cam"``: weighted by the score of the image under each feature map (Wang et al. 2020).
      A pass for each channel; ``channels`` bounds them (128), and the result says so.
    - ``"guided_saliency"``: the gradient to the pixels by guided backpropagation (Springenberg et
      al. 2015), for networks of ReLU.
    - ``"integrated_gradients"``: the gradient to the pixels, averaged on the way from a
      ``baseline`` (0) to the image in at most ``steps`` (512) steps (Sundararajan et al. 2017).
    - ``"occlusion"``: the fall of the score where a square of ``patch`` pixels, moved by
      ``stride``, covers the image with ``baseline`` (Zeiler and Fergus 2014). A pass for each
      place.

    Args:
        model: a classifier, functional or ``Sequential``, in either data format, with nested models
            or without; or a run from ``open_run``.
        images: a batch of floats as the model takes them, ``model.predict(images)``; or anything
            that [`classify`][keras_convnets.classify] takes, which is prepared as there: paths,
            folders, bytes, Pillow's images, or arrays of uint8.
        method: the method.
        layer: for the first three methods, the feature maps: the name of a stage (its last ones),
            a block, a layer or a nested model; by default those of the last stage, before pooling.
        output: for a model with several outputs, the name or the number of the one to explain; by
            default the first.
        class_index: the label or the name of the class to explain, or one for each image; by
            default the predicted one.
        preprocessing: as in `classify`; floats are then pixels as well.
        class_names: the names of the classes, by label; by default those that the model knows, or
            else the labels.
        batch_size: the images that the model takes at once, which bounds the memory.
        **options: the options of the method, named above.

    Returns:
        The maps, `(images, rows, cols)`, in the size of the images as the network takes them, with
            classes and probabilities; ``plot`` draws them.

    Raises:
        ValueError: the model is no classifier, has no such layer, output or class, has no feature
            maps or no gradient where the method needs them, or does not take such images; or an
            option is not one of the method's, or out of range.

    Examples:
        >>> import numpy as np
        >>> from keras_convnets import create_model, explain
        >>> model = create_model("cifar_resnet_20")
        >>> found = explain(model, np.zeros((2, 32, 32, 3), "float32"), class_index=7)
        >>> found.maps.shape, found.layer, found.names
        ((2, 32, 32), 'conv4_block3_relu2', ('7', '7'))
        >>> found[:1].plot("looked_at.png")
    """
    if not isinstance(model, keras.Model):
        model, preprocessing, class_names = of_run(model, preprocessing, class_names)
    size = checks.positive_integer("batch_size", batch_size, "images that fit into the memory")
    how = method_of(method, layer, options)
    model = one_output(model, output)
    outputs = outputs_of(model)
    names = class_labels(model, outputs, class_names)
    names = tuple(map(str, range(outputs.classes))) if names is None else names
    taken = TakenImages(model, images, preprocessing, size)
    chosen = chosen_labels(class_index, names)
    check_it_runs(model)
    check_sound_once(kept(model))
    explainer = _Explainer(ClassScores(model, outputs), how, options, layer, size)
    with memory.explained(f"explaining by {method}", "Pass a smaller batch_size"):
        return explainer.explained(taken, chosen, names)


@dataclasses.dataclass
class _Explainer:
    scores: ClassScores
    method: Method
    options: dict[str, Any]
    layer: str | None
    batch_size: int

    def explained(
        self, taken: TakenImages, chosen: np.ndarray | None, names: tuple[str, ...]
    ) -> Explanation:
        """Return the explanation of all images."""
        found: list[Maps] = []
        shown: list[np.ndarray] = []
        said: list[str] = []
        layer: FeatureLayer | None = None
        done = 0
        for batch in taken.batches():
            layer = layer or self._feature_layer(batch)
            labels = _of_batch(chosen, done, len(batch))
            task = Task(self.scores, batch, labels, layer, self.batch_size, said.append)
            found.append(self.method.run(task, **self.options))
            shown.append(pictures(batch, self.scores.is_first, taken.preprocessing))
            done += len(batch)
        _check_count(chosen, done)
        maps = _together(found)
        if maps.are_flat.all():
            raise without_gradient(self.scores.model)
        labels = _of_batch(chosen, 0, done)
        return Explanation(
            maps.maps,
            maps.scores.argmax(axis=1) if labels is None else labels,
            self.scores.probabilities(maps.scores),
            names,
            tuple(taken.names),
            np.concatenate(shown),
            self.method.name,
            layer.name if layer else None,
            self.scores.model.name,
            maps.gaps,
            (*taken.notes, *dict.fromkeys(said), *_doubts(maps, taken.names)),
        )

    def _feature_layer(self, batch: np.ndarray) -> FeatureLayer | None:
        if not self.method.takes_layer:
            return None
        sizes = batch.shape[1:]
        shape = sizes if self.scores.is_first else (sizes[2], *sizes[:2])
        return feature_layer(self.scores.model, self.layer, shape)


def _of_batch(chosen: np.ndarray | None, start: int, count: int) -> np.ndarray | None:
    """Return the chosen classes of the images of a batch."""
    if chosen is None:
        return None
    if chosen.ndim == 0:
        return np.repeat(chosen, count)
    if len(chosen) < start + count:
        raise _wrong_count(chosen, f"at least {start + count}")
    return chosen[start : start + count]


def _check_count(chosen: np.ndarray | None, count: int) -> None:
    if not count:
        raise ValueError("images: received none; expected at least one. Pass one.")
    if chosen is not None and chosen.ndim and len(chosen) != count:
        raise _wrong_count(chosen, str(count))


def _wrong_count(chosen: np.ndarray, images: str) -> ValueError:
    return ValueError(
        f"class_index: received {len(chosen)} classes for {images} images; expected one class, or "
        "one for each image. Pass one for all."
    )


def _together(found: list[Maps]) -> Maps:
    gaps = [one.gaps for one in found if one.gaps is not None]
    return Maps(
        np.concatenate([one.maps for one in found]).astype(np.float32),
        np.concatenate([one.scores for one in found]),
        np.concatenate([one.are_flat for one in found]),
        np.concatenate(gaps) if gaps else None,
    )


def _doubts(maps: Maps, names: Sequence[str]) -> Iterator[str]:
    """Yield a line for each image whose map is empty, or does not add up."""
    for number, name in enumerate(names):
        if maps.are_flat[number]:
            yield f"{name}: the gradient is 0 everywhere, so its map is empty"
        elif not maps.maps[number].max() > 0:
            yield f"{name}: nothing in it speaks for the class, so its map has no positive number"
        if maps.gaps is not None and maps.gaps[number] > _OFF:
            yield (
                f"{name}: its map adds up to the difference of scores within "
                f"{maps.gaps[number]:.1%} only; more steps come nearer"
            )
