"""The ``convert`` command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from keras_convnets import files
from keras_convnets.cli import startup
from keras_convnets.cli.boundary import DONE
from keras_convnets.cli.options import add_load
from keras_convnets.cli.with_weights import network_with
from keras_convnets.printable import printable
from keras_convnets.training import run_folder

_KERAS = "keras"
_LAYOUTS = (_KERAS, "torchvision", "timm")
_MODEL, _SAFETENSORS = ".keras", ".safetensors"
_NAMES = {
    _KERAS: "the names of the model's layers",
    "torchvision": "torchvision's names",
    "timm": "timm's names",
}
_WEIGHTS = (_SAFETENSORS, ".npz", ".weights.h5")


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "convert",
        help="write weights in another format, with other names",
        description="Write the weights of a file, a saved model or a run to another file: a model "
        "of Keras (.keras), or weights for Keras, torchvision or timm.",
        allow_abbrev=False,
    )
    command.add_argument(
        "file",
        help="a file of weights, a name that keras-convnets weights lists, a .keras file, or the "
        "folder of a finished run",
    )
    command.add_argument(
        "out", type=Path, help="the file to write: .keras, .safetensors, .npz or .weights.h5"
    )
    command.add_argument(
        "--model", metavar="NAME", help="the network of the weights, if they do not tell it"
    )
    command.add_argument(
        "--to",
        choices=_LAYOUTS,
        help="whose names the weights get (default: for .safetensors torchvision's, or timm's for "
        "a network that only timm has; otherwise those of Keras' layers)",
    )
    command.add_argument(
        "--fold",
        action="store_true",
        help="fold batch normalisations into the convolutions beside them: the same outputs from "
        "fewer layers, for inference; OUT is a .keras file",
    )
    add_load(command)
    command.set_defaults(command=_convert)


def _convert(chosen: argparse.Namespace) -> int:
    _check_out(chosen.out, chosen.to)
    _check_fold(chosen.out, chosen.fold)
    startup.start_engine(chosen.load)
    model, report = _opened(chosen.file, chosen.model)
    if chosen.fold:
        from keras_convnets.shipping.folding.fold import fold
        from keras_convnets.shipping.folding.report import fold_report_of

        model = fold(model)
        print(fold_report_of(model))
    layout = chosen.to or _usual(model, chosen.out)
    if chosen.out.suffix == _MODEL:
        with files.replacing(chosen.out) as path:
            model.save(path)
    else:
        from keras_convnets.weights.transfer.saving import save_weights

        save_weights(model, chosen.out, layout=None if layout == _KERAS else layout)
    if report is not None:
        print(report)
    print(printable(f"written to {chosen.out}, with {_NAMES[layout]}"))
    return DONE


def _check_out(out: Path, layout: str | None) -> None:
    """Refuse a file that cannot be written before anything is read."""
    if not out.name.endswith((_MODEL, *_WEIGHTS)):
        raise ValueError(
            f"out: received {files.shown(out)}; expected a name that ends in {_MODEL} for a model, "
            f"or in {', '.join(_WEIGHTS)} for weights. PyTorch reads {_SAFETENSORS} by "
            "safetensors.torch.load_file(path)."
        )
    if layout not in (None, _KERAS) and not out.name.endswith((_SAFETENSORS, ".npz")):
        raise ValueError(
            f"to: received {layout!r} for {files.shown(out)}, a file of Keras; expected "
            f"{_SAFETENSORS} or .npz with it. Leave --to out, or name such a file."
        )


def _check_fold(out: Path, fold: bool) -> None:
    """Refuse to write the weights of a folded model alone."""
    if fold and out.suffix != _MODEL:
        raise ValueError(
            f"fold: received {files.shown(out)} with --fold; expected a name that ends in "
            f"{_MODEL}: a folded model lacks the layers that a file of weights names. Name such a "
            "file, or leave --fold out."
        )


def _opened(file: str, name: str | None) -> tuple[Any, Any]:
    """Return the model that has the weights, and a report if they were read from a file."""
    from keras_convnets.saved_models import is_file, load_model

    if name is None and run_folder.is_run(Path(file)):
        from keras_convnets.training.run.saved_run import open_run  # which needs TensorFlow

        return open_run(file).model, None
    if name is None and is_file(file) and Path(file).suffix == _MODEL:
        return load_model(file), None
    return network_with(file, name)


def _usual(model: Any, out: Path) -> str:
    """Return the first library that has the network, for a file that others can read."""
    from keras_convnets.weights.rules import LAYOUTS
    from keras_convnets.weights.transfer.recognition import network_of_model

    networks = network_of_model(model)
    having = {one.source for one in LAYOUTS if networks.intersection(one.networks)}
    others = [layout for layout in _LAYOUTS[1:] if layout in having]
    return others[0] if others and out.suffix == _SAFETENSORS else _KERAS
