"""The files that a run writes when it ends."""

from __future__ import annotations

import dataclasses

from keras_convnets.inference.evaluate import evaluate_prepared
from keras_convnets.inference.numbers import numbers
from keras_convnets.known import Known, remember
from keras_convnets.saved_models import opens_with_keras
from keras_convnets.training import run_folder
from keras_convnets.training.recipe.words import optimizer_in_words
from keras_convnets.training.report.curves import plot_curves
from keras_convnets.training.report.report import write_report
from keras_convnets.training.run import config_file
from keras_convnets.training.run.best import digest_of
from keras_convnets.training.run.command import repetition
from keras_convnets.training.run.loop import Loop
from keras_convnets.training.run.run_card import write_run_card
from keras_convnets.training.run.run_config import OutcomeFacts, RunConfig

_BATCH = 256  # images evaluated at once, or as many as a step has if those are fewer


def write_results(loop: Loop, config: RunConfig, interrupted: bool) -> float | None:
    """Write the final files of a run; if it is finished, return its accuracy on the test images.

    Only the chief writes. If there are averages of the weights, they are the model's.

    Args:
        loop: the run, at its end.
        config: the configuration of the run.
        interrupted: whether the run ended early, in which case it is not evaluated.
    """
    with loop.averages.used():
        return _write_results(loop, config, interrupted)


def _write_results(loop: Loop, config: RunConfig, interrupted: bool) -> float | None:
    if loop.folder is None:
        return None
    loop.check_folder()
    folder, history = loop.folder, loop.position.history
    images = loop.data.preprocessing.to_config()
    remember(loop.model, Known(preprocessing=images, class_names=loop.data.class_names))
    run_folder.write_model(folder, opens_with_keras(loop.model))
    run_folder.write_history(folder, history)
    plot_curves(history, folder / run_folder.CURVES, f"{loop.model.name} on {loop.data.name}")
    if interrupted:
        return None
    together = min(_BATCH, loop.recipe.batch_size)
    evaluation = evaluate_prepared(loop.model, loop.data.test, loop.data.preprocessing, together)
    loop.check_folder()
    optimizer = optimizer_in_words(config.recipe, loop.length.total_steps)
    said = config.shown() | {"optimizer": optimizer}
    said |= {"repeat it": str(repetition(config))}
    write_report(folder, loop.model, loop.data, evaluation, history, said)
    names = loop.data.class_names
    found = numbers(evaluation, names, loop.model.name, loop.data.name, "test")
    run_folder.write_metrics(folder, found)
    outcome = OutcomeFacts(
        epochs=len(history["val_accuracy"]),
        test_accuracy=float(evaluation.accuracy),
        model=run_folder.digest(folder / run_folder.MODEL),
        stopped=loop.stopped,
        best_epoch=loop.best_epoch,
        best=None if loop.best_epoch is None else digest_of(folder),
    )
    ended = dataclasses.replace(config, outcome=outcome)
    write_run_card(folder, loop.model, ended, found, optimizer)
    config_file.write(folder, ended)
    (folder / run_folder.START).unlink(missing_ok=True)
    return evaluation.accuracy
