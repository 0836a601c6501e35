"""The configuration of a run, and checks that model, data and configuration fit together."""

from __future__ import annotations

import dataclasses
import platform
import secrets
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import keras

from keras_convnets import axes, backends, checks
from keras_convnets.analysis.cost.parameters import parameters_of
from keras_convnets.channels_first import check_it_runs
from keras_convnets.inference.fits import check_labels, check_takes
from keras_convnets.inference.outputs import outputs_of
from keras_convnets.training.data import pipeline
from keras_convnets.training.data.changes.mixing import check_pairs
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.loading import LAYOUT
from keras_convnets.training.data.sampling import check_sampling
from keras_convnets.training.distribute.together import check_batch, check_updates
from keras_convnets.training.recipe.optimizers import check_optimizer
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run.learnable import check_learns
from keras_convnets.training.run.run_config import (
    DataArguments,
    DataFacts,
    ModelFacts,
    PreprocessingFacts,
    RequestFacts,
    RunConfig,
    WeightsFacts,
)


def augmented(data: Data, recipe: Recipe) -> Data:
    """Return the data with the augmentation and the sampling that the recipe specifies."""
    return dataclasses.replace(
        data,
        augmentation=recipe.augmentation or data.augmentation,
        sampling=recipe.sampling or data.sampling,
    )


def check_run(model: keras.Model, data: Data, recipe: Recipe, *, is_begun: bool = False) -> Data:
    """Refuse a run that cannot start; return its data with the recipe's augmentation.

    Args:
        model: the model.
        data: the data.
        recipe: the recipe.
        is_begun: whether the run goes on; then the model may be one that would not learn.

    Raises:
        ValueError: the model does not fit the data or would not learn, the batch size does not fit
            the data or the devices, the optimizer is unknown or cannot compute with its arguments,
            or the warm-up, the accumulation or the averages do not fit the run.
    """
    backends.check_training()
    checks.instance("data", data, Data, "Pass load_data('digits') or Data.from_arrays(...).")
    checks.instance("recipe", recipe, Recipe, "Pass RECIPES['quick'], for instance.")
    data = augmented(data, recipe)
    check_sampling(data)
    check_fit(model, data)
    check_it_runs(model)
    if not is_begun:
        check_learns(model, data)
    check_optimizer(recipe)
    replicas = model.distribute_strategy.num_replicas_in_sync
    check_batch(replicas, recipe.batch_size)
    check_pairs(data.augmentation, recipe.batch_size, replicas)
    check_updates(replicas, recipe)
    steps_per_epoch = pipeline.steps_per_epoch(data, recipe.batch_size)
    recipe.rates(steps_per_epoch)
    recipe.check_length(recipe.total_steps(steps_per_epoch))
    recipe.check_patience(recipe.total_epochs(steps_per_epoch))
    return data


def check_fit(model: keras.Model, data: Data) -> None:
    """Refuse a model whose input or outputs do not match the data."""
    whose = f"as the images of {data.name} are"
    check_takes(model, data.image_shape, whose, f"Build it with input_shape={data.image_shape}.")
    outputs = outputs_of(model)
    if outputs.classes != len(data.class_names):
        raise ValueError(
            f"model: {model.name} has {outputs.count} outputs; expected "
            f"{len(data.class_names)}, the classes of {data.name}. Build it with "
            f"num_outputs={len(data.class_names)}."
        )
    for images in (data.train, data.validation, data.test):
        check_labels(model, outputs, images.labels)


def check_same(config: RunConfig, model: keras.Model, data: Data, out: Path) -> None:
    """Refuse a model or data that differ from those the run was started with."""
    of_model = _of_model(model, data)
    if config.model.statistics is None:  # earlier versions counted all as parameters
        everything = of_model.parameters + (of_model.statistics or 0)
        of_model = dataclasses.replace(of_model, parameters=everything, statistics=None)
    before = config.data
    of_data = dataclasses.replace(
        _of_data(data), arguments=before.arguments, contents=before.contents
    )
    if _names(data.skipped) == _names(before.skipped):  # versions give other reasons
        of_data = dataclasses.replace(of_data, skipped=before.skipped)
    for what, kept, now in (("model", config.model, of_model), ("data", before, of_data)):
        for name, value, was in _differences(kept, now):
            raise ValueError(
                f"resume: {what}: received {name} {value!r}; the run in {str(out)!r} has "
                f"{was!r}. Go on with the same {what}, or start a new run."
            )
    images = _of_preprocessing(data)
    if config.preprocessing.pixels is None:  # as in the files of earlier versions
        images = dataclasses.replace(images, pixels=None)
    if images != config.preprocessing:
        raise ValueError(
            f"resume: data: the images are prepared in another way than in {str(out)!r}. Pass its "
            "preprocessing to load_data(), as keras-convnets train --resume does."
        )
    if before.contents not in (None, data.contents):  # earlier versions had none
        raise ValueError(
            "resume: data: the images, their labels or their order differ from those in "
            f"{str(out)!r}. Go on with the same data in the same order, or start a new run."
        )


def _names(skipped: Sequence[str]) -> list[str]:
    """Return the names of files that were left out, without the reasons."""
    return sorted(line.partition(": ")[0] for line in skipped)


def _differences(kept: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield each difference of two dataclasses of a kind: the field, its value now and before."""
    for field in dataclasses.fields(kept):
        value, was = getattr(now, field.name), getattr(kept, field.name)
        if value != was:
            yield field.name, value, was


def configuration(
    model: keras.Model,
    data: Data,
    recipe: Recipe,
    settings: Settings,
    request: RequestFacts | None = None,
    weights: WeightsFacts | None = None,
) -> RunConfig:
    """Return the configuration of a run, for ``config.json``.

    Args:
        model: the model.
        data: the data.
        recipe: the training recipe.
        settings: how the run is carried out.
        request: what was requested beside them, if the run was begun by `launch`.
        weights: the weights that the model was started from, if they are those of a file.
    """
    packages = ("keras_convnets", "keras", "tensorflow", "numpy", "scikit-learn")
    return RunConfig(
        model=_of_model(model, data),
        data=_of_data(data),
        preprocessing=_of_preprocessing(data),
        recipe=recipe,
        settings=settings,
        request=request,
        weights=weights,
        versions={"python": platform.python_version()}
        | {package: metadata.version(package) for package in packages},
        id=secrets.token_hex(8),
    )


def _of_model(model: keras.Model, data: Data) -> ModelFacts:
    parameters, statistics = parameters_of(model)
    return ModelFacts(
        name=model.name,
        input_shape=data.image_shape,
        num_outputs=model.outputs[0].shape[-1],
        data_format=axes.format_of(model),
        parameters=parameters,
        statistics=statistics,
    )


def _of_data(data: Data) -> DataFacts:
    return DataFacts(
        name=data.name,
        train_images=len(data.train),
        validation_images=len(data.validation),
        test_images=len(data.test),
        class_names=data.class_names,
        skipped=data.skipped,
        augmentation=data.augmentation,
        arguments=DataArguments(**{"layout": LAYOUT, **data.arguments}) if data.arguments else None,
        contents=data.contents,
    )


def _of_preprocessing(data: Data) -> PreprocessingFacts:
    return PreprocessingFacts(**dataclasses.asdict(data.preprocessing))
