"""The model card in the folder of a finished run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_convnets.shipping.card.beside import write_card
from keras_convnets.shipping.card.describing import card_of
from keras_convnets.shipping.card.facts import Lines
from keras_convnets.shipping.card.place import CARD, is_others
from keras_convnets.shipping.export.fingerprint import fingerprint
from keras_convnets.training.run.command import repetition
from keras_convnets.training.run.run_config import RunConfig

_NOT_IN_A_CARD = ("reliability", "confusion", "other_outputs")  # which metrics.json has


def write_run_card(
    folder: Path, model: Any, config: RunConfig, metrics: Mapping[str, Any], optimizer: str
) -> None:
    """Write the card of a run, unless somebody else's file has its name.

    Args:
        folder: the folder of the run.
        model: the trained model.
        config: the configuration of the run, with its outcome.
        metrics: those of the test images, as in ``metrics.json``.
        optimizer: what updated the weights, in words.
    """
    if is_others(folder / CARD):
        return
    card = dataclasses.replace(
        card_of(model, fingerprint(model)),
        training=_training(config, optimizer),
        metrics={name: value for name, value in metrics.items() if name not in _NOT_IN_A_CARD},
        versions=tuple(config.versions.items()),
    )
    write_card(folder, card)


def _training(config: RunConfig, optimizer: str) -> Lines:
    """Return how a run was trained: what is known, in words."""
    data, recipe, outcome = config.data, config.recipe, config.outcome
    images = (
        f"{data.train_images:,} training, {data.validation_images:,} validation and "
        f"{data.test_images:,} test images"
    )
    found = [
        ("data", f"{data.name}: {images}"),
        ("augmentation", data.augmentation),
        ("initial weights", _start(config)),
        ("recipe", recipe.source),
        ("optimizer", optimizer),
        ("learning rate", f"{recipe.learning_rate:g}, {recipe.schedule}"),
        ("batch size", f"{recipe.batch_size:,}"),
        ("epochs", None if outcome is None else f"{outcome.epochs:,}"),
        ("ended early", None if outcome is None else outcome.stopped),
        ("precision", None if config.request is None else config.request.precision),
        ("seed", str(config.settings.seed)),
        ("repeat it", str(repetition(config))),
    ]
    return tuple((title, str(words)) for title, words in found if words)


def _start(config: RunConfig) -> str | None:
    if config.weights is not None:
        return config.weights.name or f"{config.weights.file} ({config.weights.source})"
    if config.request is not None and config.request.fine_tune is not None:
        return f"the model of {config.request.fine_tune}"
    return None if config.request is None else "random"
