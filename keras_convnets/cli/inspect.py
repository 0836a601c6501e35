"""The commands that inspect models: list, summary, plot, cost, receptive-field, compare."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from keras_convnets.cli import startup
from keras_convnets.cli.models import opened, opened_for
from keras_convnets.cli.options import add_format, add_load, add_shape, print_found
from keras_convnets.printable import printable

_DPI = 120


def add_to(commands: Any) -> None:
    """Add the subcommands."""
    _add_list(commands)
    _add_model_commands(commands)


def _list(chosen: argparse.Namespace) -> int:
    if chosen.load:
        startup.start_engine(chosen.load)
    from keras_convnets.zoo import list_models, listing

    names = list_models(chosen.pattern)
    if not names:
        raise ValueError(f"pattern: no network's name matches {chosen.pattern!r}.")
    print_found(listing(names, with_costs=chosen.cost), chosen.format)
    return 0


def _summary(chosen: argparse.Namespace) -> int:
    startup.start_engine(chosen.load)
    if chosen.detail is None and chosen.format != "table":
        raise ValueError(
            f"format: received {chosen.format!r} without --detail, which is Keras' own summary, a "
            "text; expected both. Add --detail stage, block or layer."
        )
    model = opened(chosen.name, chosen.input_shape, chosen.num_outputs)
    if chosen.detail is None:
        model.summary()
        return 0
    from keras_convnets.analysis.summary import summary

    print_found(summary(model, chosen.detail), chosen.format)
    return 0


def _plot(chosen: argparse.Namespace) -> int:
    startup.start_engine(chosen.load, draws=True)
    from keras_convnets.analysis.plot.plot import plot_model

    model = opened(chosen.name, chosen.input_shape, chosen.num_outputs)
    plot_model(
        model,
        chosen.file,
        detail=chosen.detail,
        show_shapes=not chosen.no_shapes,
        show_cost=not chosen.no_cost,
        fold_repeats=not chosen.no_fold,
        expand_nested=chosen.expand_nested,
        rankdir=chosen.rankdir,
        size=chosen.size,
        title=chosen.title,
        legend=not chosen.no_legend,
        transparent=chosen.transparent,
        dpi=_resolution(chosen.file, chosen.dpi),
    )
    print(printable(chosen.file))
    return 0


def _resolution(file: Path, dpi: int | None) -> int:
    """Return the resolution of a png; refuse one for another figure, which has none."""
    if dpi is not None and file.suffix.lower() != ".png":
        raise ValueError(
            f"dpi: received {dpi} with {file.suffix!r}; expected it only with a png. Leave it out."
        )
    return _DPI if dpi is None else dpi


def _cost(chosen: argparse.Namespace) -> int:
    startup.start_engine(chosen.load)
    from keras_convnets.analysis.cost.cost import cost

    model = opened_for(chosen.name, chosen.input_shape, chosen.num_outputs)
    print_found(cost(model, chosen.input_shape), chosen.format, by=chosen.by)
    return 0


def _receptive_field(chosen: argparse.Namespace) -> int:
    startup.start_engine(chosen.load)
    from keras_convnets.analysis.receptive_field.found import ReceptiveFields
    from keras_convnets.analysis.receptive_field.receptive_field import receptive_field

    shape = chosen.input_shape
    model = opened_for(chosen.name, shape, chosen.num_outputs)
    if chosen.layer is None:
        fields = receptive_field(model, input_shape=shape)
    else:
        field = receptive_field(model, chosen.layer, input_shape=shape)
        fields = ReceptiveFields({chosen.layer: field})
    print_found(fields, chosen.format)
    return 0


def _compare(chosen: argparse.Namespace) -> int:
    startup.start_engine(chosen.load, draws=chosen.plot is not None)
    from keras_convnets.zoo import compare

    shape = chosen.input_shape
    models = [opened_for(name, shape) for name in chosen.names]
    found = compare(models, shape)
    if chosen.plot is not None:
        from keras_convnets.analysis.plot.plot_models import plot_models

        plot_models(models, chosen.plot, dpi=_DPI)
    print_found(found, chosen.format)
    return 0


def _add_list(commands: Any) -> None:
    command = commands.add_parser("list", help="list the networks", allow_abbrev=False)
    command.add_argument(
        "pattern", nargs="?", default="*", help="a glob pattern, such as 'resnet*'"
    )
    command.add_argument("--cost", action="store_true", help="add parameters and multiply-adds")
    add_format(command)
    add_load(command)
    command.set_defaults(command=_list)


def _add_model_commands(commands: Any) -> None:
    """Add the commands that take models."""
    summary = commands.add_parser("summary", help="print a network's layers", allow_abbrev=False)
    summary.set_defaults(command=_summary)
    plot = commands.add_parser("plot", help="draw a network's graph", allow_abbrev=False)
    plot.set_defaults(command=_plot)
    cost = commands.add_parser(
        "cost", help="print a network's parameters and multiply-adds", allow_abbrev=False
    )
    cost.set_defaults(command=_cost)
    field = commands.add_parser(
        "receptive-field", help="print each layer's receptive field", allow_abbrev=False
    )
    field.set_defaults(command=_receptive_field)
    compare = commands.add_parser(
        "compare", help="compare the costs of several networks", allow_abbrev=False
    )
    compare.set_defaults(command=_compare)
    for command in (summary, plot, cost, field):
        command.add_argument(
            "name",
            help="a network, as keras-convnets list names it, a .keras file, the folder of a run, "
            "or module:function",
        )
        add_shape(command, "the network's published input")
        command.add_argument(
            "--num-outputs",
            type=int,
            help="outputs (default: as many as published); one is a sigmoid",
        )
    compare.add_argument(
        "names", nargs="+", metavar="name", help="networks, .keras files, runs, module:function"
    )
    add_shape(compare, "each network's own")
    compare.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="draw the models side by side, too, their differences marked: svg, png, pdf or dot",
    )
    for command in (summary, cost, field, compare):
        add_format(command)
    for command in (summary, plot, cost, field, compare):
        add_load(command)
    summary.add_argument(
        "--detail",
        choices=("stage", "block", "layer"),
        help="what each row is, in the words of papers (default: Keras' own summary)",
    )
    by = ("layer", "block", "stage")
    cost.add_argument("--by", choices=by, default="block", help="what each row is (default: block)")
    field.add_argument("--layer", help="a layer's name (default: all layers)")
    _add_drawing(plot)


def _size(words: str) -> str | tuple[float, ...]:
    """Return a page's size: the word, or the numbers in it."""
    try:
        return tuple(float(side) for side in words.split("x"))
    except ValueError:
        return words


def _add_drawing(plot: Any) -> None:
    plot.add_argument("file", type=Path, help="the figure: .svg, .png, .pdf, .dot or .html")
    details = ("stage", "block", "layer")
    plot.add_argument("--detail", choices=details, default="block", help="default: block")
    plot.add_argument(
        "--no-fold",
        action="store_true",
        help="draw every repeated block instead of one and a count",
    )
    plot.add_argument("--no-shapes", action="store_true", help="leave out the shapes of tensors")
    plot.add_argument(
        "--no-cost", action="store_true", help="leave out parameters and multiply-adds"
    )
    plot.add_argument(
        "--expand-nested",
        action=argparse.BooleanOptionalAction,
        help="draw the layers of nested models (default: of those with several blocks)",
    )
    directions = ("TB", "LR", "BT", "RL")
    plot.add_argument(
        "--rankdir",
        choices=directions,
        help="default: LR for stages and for blocks with a --size, otherwise TB",
    )
    plot.add_argument(
        "--size",
        type=_size,
        help="'slide', or the page in inches, such as 13.333x7.5, for type of at least 9 points",
    )
    plot.add_argument("--title", help="the heading; '' for none (default: the model's name)")
    plot.add_argument("--no-legend", action="store_true", help="leave out the legend")
    plot.add_argument(
        "--transparent", action="store_true", help="leave out the background, as for a dark slide"
    )
    plot.add_argument("--dpi", type=int, help=f"dots per inch of a png (default: {_DPI})")
