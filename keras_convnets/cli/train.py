"""The command that trains."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_convnets.cli import startup, train_options
from keras_convnets.cli.options import DONE, INTERRUPTED
from keras_convnets.training import run_folder
from keras_convnets.training.distribute.cluster import Cluster, find_cluster
from keras_convnets.training.distribute.supervisor import is_supervised, supervise
from keras_convnets.training.recipe.recipes import Recipe, find
from keras_convnets.training.recipe.settings import Settings


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    train_options.add_to(commands).set_defaults(command=_train)


def _train(chosen: argparse.Namespace) -> int:
    given = {k: value for k, value in vars(chosen).items() if k not in ("command", "arguments")}
    train_options.check(given)
    cluster = find_cluster(given.get("strategy", "auto"), given.get("workers"), given.get("index"))
    if cluster is not None and "dry_run" not in given and not is_supervised():
        train_options.check_for_several_machines(given)
        goes_on = "resume" in given or "continues" in given
        return supervise(chosen.arguments, chosen.arguments + ["--continue"] * (not goes_on))
    if "resume" in given:
        return _resume(Path(given["resume"]), given, cluster)
    recipe = find(given.get("recipe", "quick")).replace(**train_options.of(Recipe, given))
    settings = Settings(**train_options.of(Settings, given))
    if "dry_run" in given:
        return _plan(given, recipe, settings)
    default = run_folder.default(_model_name(given), given.get("data", "digits"))
    out = given.get("out", default)
    if "continues" not in given:
        run_folder.check_free(out)
    return _start(given, recipe, settings, out, cluster)


def _start(
    given: dict[str, Any], recipe: Recipe, settings: Settings, out: Path, cluster: Cluster | None
) -> int:
    strategy = _set_up(given, settings, cluster)
    if "continues" in given and run_folder.is_run(out):
        _check_same_settings(run_folder.read_config(out), recipe, settings, out)
        return _go_on(out, given, strategy)
    from keras_convnets.training.run.configuration import check_run
    from keras_convnets.training.run.run import train

    data, model = _data_and_model(given, settings, strategy)
    check_run(model, data, recipe)
    console = _console(strategy)
    _introduce(console, model, data)
    return _report(console, train(model, data, out, recipe, settings, console))


def _resume(out: Path, given: dict[str, Any], cluster: Cluster | None) -> int:
    config = run_folder.read_config(out)
    settings = Settings(**config["settings"])
    return _go_on(out, given, _set_up(given, settings, cluster))


def _go_on(out: Path, given: dict[str, Any], strategy: Any) -> int:
    from keras_convnets.images.preprocessing import Preprocessing
    from keras_convnets.training.data.data import load_data
    from keras_convnets.training.run.run import open_start, resume

    config = run_folder.read_config(out)
    if given.get("model", config["model"]["name"]) != config["model"]["name"]:
        raise ValueError(
            f"model: received {given['model']!r} to go on with {str(out)!r}, which trains "
            f"{config['model']['name']!r}. Leave --model out, or start a new run."
        )
    arguments = config["data"]["arguments"]
    if not arguments:
        raise ValueError(
            f"resume: the run in {str(out)!r} was begun in Python with data of its own. Go on with "
            "keras_convnets.training.run.run.resume and the same data."
        )
    if "data_dir" in given:
        arguments["data_dir"] = str(given["data_dir"])
    with _patience():
        data = load_data(
            **arguments, preprocessing=Preprocessing.from_config(config["preprocessing"])
        )
    with _scope(strategy):
        model = open_start(out)
    console = _console(strategy)
    _introduce(console, model, data)
    return _report(console, resume(out, data, model, console))


def _plan(given: dict[str, Any], recipe: Recipe, settings: Settings) -> int:
    startup.start_engine(given.get("load"))
    _seed(settings)
    from keras_convnets.training.run.plan import plan

    data, model = _data_and_model(given, settings, None)
    print(plan(model, data, recipe, settings).to_text())
    return 0


def _set_up(given: dict[str, Any], settings: Settings, cluster: Cluster | None) -> Any:
    """Start TensorFlow, and return the strategy: before anything else runs on the devices."""
    startup.start_engine(given.get("load"), alone=cluster is None)
    from keras_convnets.training.distribute.strategies import choose_strategy

    strategy = choose_strategy(
        given.get("strategy", "auto"), given.get("workers"), given.get("index"), tell=_tell
    )
    if cluster is not None and not cluster.is_chief:
        _tell(f"connected with {cluster.label(0)}, which shows the progress and writes all files")
    _seed(settings)
    return strategy


def _tell(line: str) -> None:
    print(f"keras-convnets: {line}", file=sys.stderr, flush=True)


def _seed(settings: Settings) -> None:
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(settings.seed)
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()


def _data_and_model(given: dict[str, Any], settings: Settings, strategy: Any) -> tuple[Any, Any]:
    from keras_convnets.training.data.data import load_data

    begun = _fine_tuned(Path(given["fine_tune"]), strategy) if "fine_tune" in given else None
    arguments = train_options.of_data(given) | {"seed": settings.seed}
    if begun is not None:
        arguments |= begun.data_arguments(given)
    with _patience():
        data = load_data(**arguments)
    with _scope(strategy):
        model = _network(given, data) if begun is None else begun.for_classes(data.class_names)
    if "freeze_until" in given:
        from keras_convnets.training.transfer.fine_tuning import freeze_until

        freeze_until(model, given["freeze_until"])
    return data, model


def _network(given: dict[str, Any], data: Any) -> Any:
    import keras

    from keras_convnets.zoo import create_model, one_output

    name = _model_name(given)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(given.get("precision", before))
    try:
        classes = len(data.class_names)
        return create_model(name, data.image_shape, classes, **one_output(name))
    finally:
        keras.config.set_dtype_policy(before)


@dataclasses.dataclass(frozen=True)
class _FineTuned:
    """A trained model to start from, and what is known of it."""

    model: Any
    preprocessing: Any
    class_names: tuple[str, ...] | None

    def data_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return how images are to be prepared for it."""
        if self.preprocessing is not None:
            return {"preprocessing": self.preprocessing}
        from keras_convnets import axes

        _, rows, _ = axes.in_papers_order(self.model.input_shape, axes.format_of(self.model))
        return {} if rows is None else {"image_size": given.get("image_size", rows)}

    def for_classes(self, class_names: tuple[str, ...]) -> Any:
        """Return the model; with a new head, unless the classes are those that it knows."""
        from keras_convnets.training.transfer.fine_tuning import new_head

        if self.class_names == class_names:
            return self.model
        return new_head(self.model, len(class_names))


def _fine_tuned(start: Path, strategy: Any) -> _FineTuned:
    from keras_convnets.saved_models import is_file, open_file
    from keras_convnets.training.run.saved_run import open_run

    with _scope(strategy):
        if is_file(start):
            return _FineTuned(open_file(start), None, None)
        run = open_run(start)
        return _FineTuned(run.model, run.preprocessing, run.class_names)


def _check_same_settings(
    config: dict[str, Any], recipe: Recipe, settings: Settings, out: Path
) -> None:
    """Refuse to go on with a run in another way than it was begun."""
    for what, now in (("recipe", recipe), ("settings", settings)):
        for name, value in json.loads(json.dumps(dataclasses.asdict(now))).items():
            if config[what].get(name) != value:
                raise ValueError(
                    f"{name}: received {value!r} to go on with {str(out)!r}, which has "
                    f"{config[what].get(name)!r}. Leave it as it was, or start a new run."
                )


def _patience() -> Any:
    """Say on a terminal that images are being looked at, which takes a while if there are many."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        return contextlib.nullcontext()
    return console.status("reading the images", spinner="line")


@contextlib.contextmanager
def _scope(strategy: Any) -> Iterator[None]:
    """Build within a strategy; on several machines, one may be lost in the meantime."""
    from keras_convnets.training.distribute.multi_worker import peers_explained

    if strategy is None:
        yield
        return
    with peers_explained(), strategy.scope():
        yield


def _model_name(given: dict[str, Any]) -> str:
    return given.get("model", "resnet_18")


def _console(strategy: Any) -> Any:
    from rich.console import Console

    from keras_convnets.training.distribute.strategies import is_chief

    return Console(highlight=False, quiet=not is_chief(strategy))


def _introduce(console: Any, model: Any, data: Any) -> None:
    sets = f"{len(data.train):,} training and {len(data.test):,} test images"
    console.print(
        f"{model.name}: {model.count_params():,} parameters\n"
        f"{data.name}: {sets} of {' x '.join(map(str, data.image_shape))}",
        soft_wrap=True,
    )
    if data.skipped:
        console.print(f"left out: {len(data.skipped):,} files", soft_wrap=True)
        for line in data.skipped[:10]:
            console.print(f"  {line}", soft_wrap=True)


def _report(console: Any, outcome: Any) -> int:
    if outcome.test_accuracy is not None and not outcome.interrupted:
        console.print(f"test accuracy {outcome.test_accuracy:.2%} after {outcome.epochs} epochs")
    if outcome.interrupted:
        console.print(
            f"interrupted: {outcome.epochs} epochs are finished; "
            f"go on with keras-convnets train --resume {outcome.folder}",
            soft_wrap=True,
        )
    console.print(f"written to {outcome.folder}:", soft_wrap=True)
    for file in sorted(outcome.folder.iterdir()) if outcome.folder.is_dir() else ():
        console.print(f"  {file.name}")
    return INTERRUPTED if outcome.interrupted else DONE
