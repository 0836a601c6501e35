"""The ``train`` command."""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from keras_convnets.cli import seeds, startup, train_options
from keras_convnets.cli.boundary import DONE, INTERRUPTED, TIMED_OUT
from keras_convnets.cli.streams import outlive_output, say
from keras_convnets.printable import print_line
from keras_convnets.training.distribute.supervisor import is_supervised, supervise
from keras_convnets.training.run.request import RunRequest
from keras_convnets.training.run.request_parts import Devices
from keras_convnets.training.words import duration


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    train_options.add_to(commands).set_defaults(command=_train)


def _train(chosen: argparse.Namespace) -> int:
    request = train_options.request(chosen)
    is_dry, is_child = "dry_run" in chosen, is_supervised()
    if seeds.is_several(chosen) and not is_dry:
        return seeds.train(request, chosen)
    cluster = request.devices.cluster()
    if cluster is not None and not is_dry:
        request.check_machines(len(cluster.addresses))
        request.check_shared_folder()
    if cluster is not None and not is_dry and not is_child:
        goes_on = "resume" in chosen or "continues" in chosen
        return supervise(chosen.arguments, chosen.arguments + ["--continue"] * (not goes_on))
    request.check_folder()
    startup.start_engine(
        getattr(chosen, "load", None),
        alone=cluster is None or is_dry,
        draws=not is_dry,
        trains=True,
    )
    from rich.console import Console

    from keras_convnets.training import launch, plan_run

    if isinstance(request, RunRequest) and is_dry:
        plan = plan_run(request, _network)
        print(plan.to_text())
        if "seeds" in chosen:
            print(f"{'seeds':<15}{_several_times(plan, len(chosen.seeds))}")
        if request.devices != Devices():
            print(f"{'devices':<15}the steps were timed on one device of this machine")
        return DONE
    outlive_output()
    console = Console(highlight=False, quiet=cluster is not None and not cluster.is_chief)
    return _report(console, launch(request, _network, console, _tell))


def _several_times(plan: Any, runs: int) -> str:
    time = duration(runs * plan.total_steps * plan.step_seconds)
    return f"{runs} run{'' if runs == 1 else 's'}, one after another: {time}, without validation"


def _network(name: str, input_shape: tuple[int, int, int], num_outputs: int) -> Any:
    from keras_convnets.own_networks import is_function
    from keras_convnets.zoo import create_model, one_output

    options = one_output(name)
    if num_outputs == 1 and not is_function(name):
        options["classifier_activation"] = "sigmoid"
    return create_model(name, input_shape, num_outputs, **options)


def _tell(line: str) -> None:
    say(f"keras-convnets: {line}")


def _report(console: Any, outcome: Any) -> int:
    epochs = f"{outcome.epochs} epoch{'' if outcome.epochs == 1 else 's'}"
    folder = shlex.quote(str(outcome.folder))  # to be copied into a shell
    if outcome.test_accuracy is not None and not outcome.interrupted:
        print_line(console, f"test accuracy {outcome.test_accuracy:.2%} after {epochs}")
    if outcome.test_accuracy is None and not outcome.interrupted:  # not known without its data
        print_line(
            console,
            f"{epochs}; print its test accuracy with keras-convnets evaluate {folder}",
        )
    if outcome.best_epoch is not None and not outcome.interrupted:
        accuracy = f"validation accuracy {outcome.best_accuracy:.2%}"
        print_line(console, f"best epoch {outcome.best_epoch}: {accuracy} (best.keras)")
    if outcome.interrupted:
        why = "time limit reached" if outcome.timed_out else "interrupted"
        print_line(
            console,
            f"{why} after {epochs}; go on with keras-convnets train --resume {folder}",
        )
    print_line(console, f"written to {outcome.folder}:")
    for file in sorted(outcome.folder.iterdir()) if outcome.folder.is_dir() else ():
        print_line(console, f"  {file.name}")
    if not outcome.interrupted:
        return DONE
    return TIMED_OUT if outcome.timed_out else INTERRUPTED
