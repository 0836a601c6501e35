"""Every option of ``train`` with every recipe, and values that no option can have.

An option changes what is planned, or is what the recipe has already, or is refused in one line that
names it. With ``--continue`` on a run that was begun, one that differs is refused too.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile_tries.forks import Fault
from hostile_tries.trying import REFUSED, WORKED, Count, Try, check_line, refused_command

# Two values for each option, so that one of them differs from what a recipe has.
_VALUES = {
    "model": ("nin", "lenet_5"),
    "load": ("own.py", "other.py"),
    "data": ("mnist", "folder:images"),
    "data_dir": (".", "files"),
    "validation_split": ("0.25", "0.5"),
    "image_size": ("28", "64,48"),
    "channels": ("1", "3"),
    "weights": ("resnet18.pth", "torchvision"),
    "recipe": ("imagenet", "quick"),
    "epochs": ("7", "8"),
    "steps": ("77", "78"),
    "batch_size": ("48", "96"),
    "learning_rate": ("0.2", "0.3"),
    "drops": ("0.5", "0.25,0.5"),
    "drop_factor": ("0.5", "0.25"),
    "warmup_epochs": ("2", "3"),
    "warmup_steps": ("9", "10"),
    "warmup_rate": ("0.02", "0.03"),
    "momentum": ("0.5", "0"),
    "weight_decay": ("0.01", "0.02"),
    "label_smoothing": ("0.2", "0.3"),
    "images_per_rate": ("64", "32"),
    "optimizer": ("lion", "rmsprop"),
    "optimizer_arguments": ("beta_2=0.9", "beta_2=0.8"),
    "clipnorm": ("1", "2"),
    "clipvalue": ("0.5", "1"),
    "global_clipnorm": ("2", "3"),
    "accumulation_steps": ("2", "3"),
    "ema_momentum": ("0.99", "0.9"),
    "loss": ("binary_crossentropy", "binary_crossentropy"),
    "final_rate": ("0.001", "0.002"),
    "class_weights": ("balanced", "cat=2,dog=0.5"),
    "sampling": ("balanced", "balanced"),
    "schedule": ("drops", "cosine"),
    "augmentation": ("crop+rotation:10+mixup:0.2", "none"),
    "fine_tune": ("run", "other.keras"),
    "freeze_until": ("conv3", "conv4"),
    "preprocessing": ("imagenet", "0-1"),
    "stage_decay": ("0.5", "0.25"),
    "checkpoint_steps": ("40", "80"),
    "seed": ("4", "5"),
    "patience": ("1", "2"),
    "time_limit": ("90s", "2h"),
    "precision": ("mixed_bfloat16", "mixed_float16"),
    "steps_per_execution": ("4", "5"),
    "strategy": ("one", "mirrored"),
}
# How and where a run is carried out: not part of what is planned, or refused on their own.
_ELSEWHERE = {"help", "out", "continues", "dry_run", "resume", "workers", "index", "secret_file"}
_ELSEWHERE |= {"seeds"}
_WRONG = ("", "x", "-1", "nan", "inf", "1e400", "1e-300", "10" * 13, "9" * 5000, "0x10", "١", "1_0")


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    from keras_convnets.training.recipe.recipes import RECIPES

    for recipe in RECIPES:
        yield Try(f"every option with {recipe}", functools.partial(_matrix, recipe))
    yield Try("pairs of options with every recipe", _pairs, seconds=300)
    yield Try("numbers that no option can have", _numbers)
    yield Try("numbers that no option of serve can have", _serve_numbers)
    yield Try("numbers that no option of benchmark can have", _benchmark_numbers)
    for wrong in _WRONG:
        asked = ("export", "lenet_5", "net.onnx", "--weights", "none.npz", f"--tolerance={wrong}")
        yield Try(f"export --tolerance={wrong:.20}", functools.partial(refused_command, *asked))
    for option, words in (
        ("--data-dir .", "data_dir"),
        ("--strict", "strict"),
        ("--model lenet_5 --sync-bn", "sync_bn"),
        ("--model lenet_5 --memory-efficient", "memory_efficient"),
        ("--model lenet_5 --freeze-until conv1", "freeze_until"),
        (f"--steps {10**25}", "steps"),
        (f"--seed {2**32}", "seed"),
        ("--epochs 2147483647", "epochs"),
        ("--jit --workers a:1,b:2 --index 0 --out x", "jit"),
    ):
        name = f"train {option}"
        yield Try(name, functools.partial(refused_command, "train", *option.split(), says=words))


def _matrix(recipe: str) -> Count:
    """Give each option alone."""
    counts = {REFUSED: 0, WORKED: 0}
    for option, arguments in _given():
        counts[_outcome(recipe, [(option, arguments)])] += 1
    return counts


def _pairs() -> Count:
    """Give each two options together."""
    from keras_convnets.training.recipe.recipes import RECIPES

    counts = {REFUSED: 0, WORKED: 0}
    given = list(_given())
    for recipe in RECIPES:
        for number, one in enumerate(given):
            for other in given[number + 1 :]:
                if one[0] != other[0]:
                    counts[_outcome(recipe, [one, other])] += 1
    return counts


def _numbers() -> Count:
    """Give each option that takes a number what is none."""
    counts = {REFUSED: 0, WORKED: 0}
    for action in _parser()._actions:
        if action.type in (int, float) or action.dest in {"drops", "image_size"}:
            for wrong in _WRONG:
                try:
                    _requested([f"{action.option_strings[0]}={wrong}"])
                    counts[WORKED] += 1
                except (ValueError, _BadOptionError) as error:
                    check_line(str(error)[:1999])
                    counts[REFUSED] += 1
    return counts


def _serve_numbers() -> Count:
    """Give each limit of a server what is no number of it."""
    from keras_convnets.cli import serve
    from keras_convnets.shipping.serve.address import Address
    from keras_convnets.shipping.serve.limits import Limits

    def limited(chosen: argparse.Namespace) -> None:
        names = ("batch_size", "queue", "max_bytes", "max_pixels")
        Limits(**{name: getattr(chosen, name) for name in names})
        Address(chosen.host, chosen.port).socket.close()

    return _each_number(serve, limited, ["--port=0"])


def _benchmark_numbers() -> Count:
    from keras_convnets.cli import benchmark

    return _each_number(benchmark, benchmark._checked, ["lenet_5"])


def _each_number(
    module: Any, check: Callable[[argparse.Namespace], Any], others: list[str]
) -> Count:
    """Give each option of a command that takes a number what is none."""
    counts = {REFUSED: 0, WORKED: 0}
    commands = argparse.ArgumentParser().add_subparsers(parser_class=_Parser)
    module.add_to(commands)
    parser = commands.choices[module.__name__.rpartition(".")[2]]
    for action in parser._actions:
        if action.type is None or action.type in (str, Path):
            continue
        for wrong in _WRONG:
            try:
                check(parser.parse_args([*others, f"{action.option_strings[0]}={wrong}"]))
                counts[WORKED] += 1
            except (ValueError, _BadOptionError) as error:
                check_line(str(error)[:1999])
                counts[REFUSED] += 1
    return counts


def _outcome(recipe: str, given: list[tuple[str, list[str]]]) -> str:
    """Return whether options are used or refused; raise for one that does nothing."""
    arguments = [word for _, words in given for word in words]
    try:
        found = _values(_requested(["--recipe", recipe, *arguments]))
    except (ValueError, _BadOptionError) as error:
        check_line(str(error))
        if not any(_names(str(error), option) for option, _ in given):
            raise Fault(f"{arguments} with {recipe}: {error}") from error
        return REFUSED
    for option, words in given:
        without = [word for one, more in given if one != option for word in more]
        try:
            if _values(_requested(["--recipe", recipe, *without])) != found:
                continue
        except (ValueError, _BadOptionError):
            continue  # it needs this option
        if not _is_kept(found, option, words):
            raise Fault(f"{words} with {recipe} and {without} changes nothing")
    return WORKED


def _is_kept(found: dict[str, Any], option: str, words: list[str]) -> bool:
    """Return whether the recipe has the value of an option already."""
    value = str(found.get({"recipe": "source"}.get(option, option)))
    if option == "recipe":
        return True  # which the option before it has named too
    return words[-1] == value or value == str(not words[-1].startswith("--no-"))


def _names(error: str, option: str) -> bool:
    named = {"model": ("model", "fine-tune"), "steps_per_execution": ("checkpoint_steps",)}
    words = named.get(option, (option,))
    return any(word in error or word.replace("_", "-") in error for word in words)


def _values(request: Any) -> dict[str, Any]:
    """Return all that a request asks for, flat."""
    found = dataclasses.asdict(dataclasses.replace(request, given=None))
    parts = {name: found.pop(name) for name in ("data", "recipe", "settings", "devices")}
    flat = {f"{part}.{name}": value for part, of in parts.items() for name, value in of.items()}
    return flat | found | parts["recipe"] | parts["settings"]


def _given() -> Iterator[tuple[str, list[str]]]:
    """Yield each option with its arguments, twice if it takes a value."""
    for action in _parser()._actions:
        if action.dest in _ELSEWHERE:
            continue
        if action.nargs == 0:
            yield from ((action.dest, [name]) for name in action.option_strings)
        else:
            yield from ((action.dest, [action.option_strings[0], v]) for v in _VALUES[action.dest])


class _BadOptionError(Exception):
    """What the parser refuses."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise _BadOptionError(message)


@functools.cache
def _parser() -> Any:
    from keras_convnets.cli import train_options

    commands = argparse.ArgumentParser().add_subparsers(parser_class=_Parser)
    return train_options.add_to(commands)


def _requested(arguments: list[str]) -> Any:
    from keras_convnets.cli import train_options

    return train_options.request(_parser().parse_args(arguments))
