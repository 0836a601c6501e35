"""Does depth make training worse? ``python scripts/degradation.py`` finds out on this machine.

Plain and residual networks of 20 and 56 layers are trained identically, each with several seeds: by
default on scikit-learn's digits, offline and in about a quarter of an hour on two cores. ``--data
fashion_mnist`` is on 60,000 real images, reduced to 14 x 14 pixels for a computer of two cores.
``--data cifar10`` is the study of He et al. 2015 (arXiv:1512.03385), figures 1 and 6. Each curve is
one run of ``keras-convnets train``, whose options are also accepted here and apply to all runs. An
interrupted study resumes when the script is run again with the same options, or with more seeds.
"""

import argparse
import csv
import json
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from keras_convnets import checks, cli, files
from keras_convnets.analysis.tables import Column, Table
from keras_convnets.training import run_folder
from keras_convnets.training.run import config_file

NETWORKS = {
    "plain": ("cifar_plain_20", "cifar_plain_56"),
    "residual": ("cifar_resnet_20", "cifar_resnet_56"),
}
RECIPE = ("--recipe", "resnet-cifar")
# The images are few and small, so use smaller batches for more steps, no augmentation, and the
# learning rate at which the plain 56-layer network reaches the lowest training error.
SMALL = "--image-size 8 --augmentation none --batch-size 64 --learning-rate 0.003 --epochs 36"
# As far as two cores go in about an hour: larger images, or more epochs, are for larger machines.
FASHION = "--image-size 14 --augmentation none --learning-rate 0.01 --epochs 3"
DIGITS = "digits"
CHANGES = {DIGITS: SMALL, "fashion_mnist": FASHION}
COLORS = {"plain": "#d1603d", "residual": "#2f6da8"}
FEWEST = 3  # the minimum number of seeds for a verdict
LINES = ((0, (4, 2)), "solid")  # line styles of the shallower and the deeper network
ERRORS = {"training error": "accuracy", "test error": "val_accuracy"}  # errors are 1 - metric
ARGUMENTS, CURVES, FIGURE, RESULTS = "arguments.json", "curves.csv", "degradation", "results.md"

DOCS = Path(__file__).parents[1] / "docs"
START, END = "<!-- table: {} -->", "<!-- end of table -->"  # of which data

Curves = Mapping[str, Mapping[str, np.ndarray]]
"""By network and by error: shares of 0 to 1, of shape (seeds, epochs)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train the runs that are missing and write the results; return the exit code."""
    parser = _parser()
    chosen, options = parser.parse_known_args(arguments)
    folder = chosen.out or Path("runs") / re.sub(r"\W+", "-", f"degradation-{chosen.data}")
    options = ["--data", chosen.data, *RECIPE, *CHANGES.get(chosen.data, "").split(), *options]
    try:
        checks.positive_integer("seeds", chosen.seeds, "at least 3 for a verdict")
        if chosen.docs:
            check_page(chosen.data)
        check_same(folder, options)
    except ValueError as error:
        parser.error(str(error))
    if chosen.data_dir:
        options += ["--data-dir", str(chosen.data_dir)]
    for seed in range(chosen.seeds):
        for network in names():
            code = train(network, seed, folder, options)
            if code:
                return code
        write_results(folder, read_curves(folder, range(seed + 1)))
    print(f"{(folder / RESULTS).read_text()}\nwritten to {folder}")
    if chosen.docs:
        write_docs(folder, chosen.data)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="Options of keras-convnets train, such as --epochs, hold for all runs.",
        allow_abbrev=False,
    )
    parser.add_argument("--data", default=DIGITS, help="as in keras-convnets train")
    parser.add_argument("--data-dir", type=Path, help="where the data's files are already")
    parser.add_argument("--seeds", type=int, default=3, help="how many: 0, 1, ... (default: 3)")
    parser.add_argument("--out", type=Path, help="folder (default: runs/degradation-DATA)")
    parser.add_argument("--docs", action="store_true", help="put the results into docs/, too")
    return parser


def names() -> list[str]:
    """Return the names of the networks, family by family."""
    return [network for pair in NETWORKS.values() for network in pair]


def title(network: str) -> str:
    """Return the name of a network in the paper.

    Examples:
        >>> title("cifar_plain_56")
        'plain-56'
    """
    return network.removeprefix("cifar_").replace("_", "-")


def check_same(folder: Path, options: list[str]) -> None:
    """Store the options with the runs, and refuse different ones: all runs must use the same."""
    file = folder / ARGUMENTS
    begun = any(folder.glob(f"*/{run_folder.CONFIG}"))
    kept = json.loads(file.read_text()) if file.is_file() else None
    if begun and kept != options:
        raise ValueError(
            f"received {' '.join(options)!r}, but the runs in {str(folder)!r} have "
            f"{' '.join(kept or ['no record'])!r}; expected the same for all. Name another --out."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with files.replacing(file) as path:
        path.write_text(json.dumps(options))


def check_page(data: str) -> None:
    """Refuse, before hours of training, data that have no place in the docs."""
    page = DOCS / "degradation.md"
    if START.format(data) not in page.read_text():
        places = re.findall(START.format("(.+)"), page.read_text())
        raise ValueError(f"--docs: received {data!r} as --data; expected one of {places}.")


def train(network: str, seed: int, folder: Path, options: Sequence[str]) -> int:
    """Start a run, resume it, or skip it if it is finished; return the exit code."""
    run = _run(folder, network, seed)
    if run_folder.is_run(run) and not (run / run_folder.START).exists():
        return 0
    print(f"\n{title(network)}, seed {seed}", flush=True)
    own = ["--model", network, "--seed", str(seed), "--out", str(run)]
    code = cli.main(["train", "--continue", *own, *options])
    import keras  # only after the command has set up TensorFlow

    keras.backend.clear_session()
    return code


def _run(folder: Path, network: str, seed: int) -> Path:
    return folder / f"{network}-seed-{seed}"


def read_curves(folder: Path, seeds: Iterable[int]) -> Curves:
    """Return the errors of finished runs."""
    curves: dict[str, dict[str, list[list[float]]]] = {}
    for network in names():
        curves[network] = {error: [] for error in ERRORS}
        for seed in seeds:
            with (_run(folder, network, seed) / run_folder.HISTORY).open(newline="") as file:
                rows = list(csv.DictReader(file))
            for error, accuracy in ERRORS.items():
                curves[network][error].append([1 - float(row[accuracy]) for row in rows])
    return {
        network: {error: np.array(values) for error, values in errors.items()}
        for network, errors in curves.items()
    }


def write_results(folder: Path, curves: Curves) -> None:
    """Write the numbers, the figure and the conclusions."""
    rows = (
        (network, seed, epoch + 1, *(round(float(errors[e][seed, epoch]), 6) for e in ERRORS))
        for network, errors in curves.items()
        for seed, epoch in np.ndindex(errors["training error"].shape)
    )
    columns = tuple(Column(key.replace(" ", "_"), key) for key in ("network", "seed", "epoch"))
    columns += tuple(Column(key.replace(" ", "_"), key) for key in ERRORS)
    results = (conditions(folder, curves), tell(curves), table(curves).to_markdown())
    with files.replacing(folder / CURVES) as path:
        path.write_text(Table(columns, tuple(rows)).to_csv() + "\n")
    with files.replacing(folder / RESULTS) as path:
        path.write_text("\n\n".join(results) + "\n")
    for suffix in ("svg", "png"):
        with files.replacing(folder / f"{FIGURE}.{suffix}") as path:
            draw(curves, path)


def conditions(folder: Path, curves: Curves) -> str:
    """Return a sentence on how the networks were trained, from the first run's configuration."""
    config = config_file.read(_run(folder, names()[0], 0))
    data, recipe = config.data, config.recipe
    shape = " × ".join(map(str, config.model.input_shape))
    seeds, epochs = next(iter(curves[names()[0]].values())).shape
    steps = recipe.steps or epochs * (data.train_images // recipe.batch_size)
    return (
        f"{data.name}: {data.train_images:,} training and {data.test_images:,} test "
        f"images of {shape}, augmentation “{data.augmentation}”; {steps:,} steps of "
        f"{recipe.batch_size} images ({epochs} epochs), learning rate "
        f"{recipe.learning_rate:g}; {seeds} seed{'s' * (seeds > 1)}."
    )


def tell(curves: Curves) -> str:
    """Return, in Markdown, whether the deeper network of each family trains worse."""
    lines = []
    for shallow, deep in NETWORKS.values():
        training, test = (curves[deep][e][:, -1] - curves[shallow][e][:, -1] for e in ERRORS)
        found = f"trains **{verdict(training)}**" if len(training) >= FEWEST else "against"
        lines.append(
            f"- {title(deep)} {found} {title(shallow)}: its training error "
            f"after the last epoch is {compared(training)}, its test error {compared(test)}."
        )
    return "\n".join(lines)


def verdict(differences: np.ndarray) -> str:
    """Return a verdict that must hold for every seed and exceed the deviation between seeds.

    Examples:
        >>> verdict(np.array([0.31, 0.29, 0.33]))
        'worse than'
        >>> verdict(np.array([0.01, -0.01, 0.0]))
        'neither clearly worse nor clearly better than'
    """
    if abs(differences.mean()) > deviation(differences):
        if (differences > 0).all():
            return "worse than"
        if (differences < 0).all():
            return "better than"
    return "neither clearly worse nor clearly better than"


def compared(differences: np.ndarray) -> str:
    """Return by how much an error is higher or lower, and in how many seeds.

    Examples:
        >>> compared(np.array([0.3, 0.1, 0.2]))
        '20.0 ± 10.0 points higher (higher in 3, lower in 0 of 3 seeds)'
    """
    if not differences.any():
        return "the same in all seeds"
    sign, direction = (-1, "lower") if differences.mean() < 0 else (1, "higher")
    higher, lower = (differences > 0).sum(), (differences < 0).sum()
    seeds = f"higher in {higher}, lower in {lower} of {len(differences)} seeds"
    return f"{with_deviation(sign * differences)} points {direction} ({seeds})"


def table(curves: Curves) -> Table:
    """Return the errors of all networks, and the differences of the deeper ones."""
    heads = [f"{error}, {when} epoch" for error in ERRORS for when in ("last", "best")]
    values = {
        title(network): [x for e in ERRORS for x in (errors[e][:, -1], errors[e].min(axis=1))]
        for network, errors in curves.items()
    }
    for shallow, deep in (map(title, pair) for pair in NETWORKS.values()):
        values[f"{deep} − {shallow}"] = [
            more - less for more, less in zip(values[deep], values[shallow], strict=True)
        ]
    note = "In per cent; mean ± standard deviation over the seeds, of the differences seed by seed."
    return Table(
        (Column("network", "network"), *(Column(head, head, is_number=True) for head in heads)),
        tuple((name, *map(with_deviation, columns)) for name, columns in values.items()),
        (note,),
    )


def with_deviation(shares: np.ndarray) -> str:
    """Return mean and standard deviation over the seeds, in per cent.

    Examples:
        >>> with_deviation(np.array([-0.012, -0.014, -0.016]))
        '−1.4 ± 0.2'
    """
    mean = f"{round(100 * shares.mean(), 1) + 0.0:.1f}".replace("-", "−")
    return mean if len(shares) == 1 else f"{mean} ± {100 * deviation(shares):.1f}"


def deviation(shares: np.ndarray) -> float:
    """Return the standard deviation of a sample."""
    return float(shares.std(ddof=1))


def draw(curves: Curves, to_file: Path) -> None:
    """Plot the errors: the mean as a line, in a band from the lowest to the highest seed."""
    drawing = Figure(figsize=(10, 4.6), layout="constrained")
    panels = drawing.subplots(1, len(ERRORS), sharey=True)
    for axes, error in zip(panels, ERRORS, strict=True):
        for family, pair in NETWORKS.items():
            for network, line in zip(pair, LINES, strict=True):
                _draw_network(axes, curves[network][error], title(network), COLORS[family], line)
        _dress(axes, error)
    seeds = len(curves[names()[0]]["test error"])
    if seeds > 1:
        caption = f"mean of {seeds} seeds, in a band from the lowest to the highest"
        drawing.supxlabel(caption, fontsize=11, color="#5b6570")
    drawing.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=len(names()),
        frameon=False,
        fontsize=13,
    )
    unsaid = {"Date": None} if to_file.suffix == ".svg" else {}
    with mpl.rc_context({"svg.hashsalt": FIGURE}):  # the same ids each time
        drawing.savefig(to_file, dpi=200, metadata=unsaid)


def _draw_network(axes: Axes, errors: np.ndarray, name: str, color: str, line: Any) -> None:
    epochs = np.arange(1, errors.shape[1] + 1)
    low, high = errors.min(axis=0), errors.max(axis=0)
    axes.fill_between(epochs, low, high, color=color, alpha=0.18, linewidth=0)
    axes.plot(epochs, errors.mean(axis=0), color=color, linestyle=line, linewidth=2.2, label=name)


def _dress(axes: Axes, error: str) -> None:
    axes.set_title(error, fontsize=15)
    axes.set_xlabel("epoch", fontsize=13)
    axes.set_ylim(bottom=-0.01)  # so that a line at 0 is fully visible
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.tick_params(labelsize=12)
    axes.grid(color="#e3e7eb")
    axes.spines[["top", "right"]].set_visible(False)


def write_docs(folder: Path, data: str) -> None:
    """Write results and figure into the page on degradation, in the place of the data."""
    page, start = DOCS / "degradation.md", START.format(data)
    before, rest = page.read_text().split(start + "\n")
    after = rest.split(END, 1)[1]
    results = (folder / RESULTS).read_text()
    page.write_text(f"{before}{start}\n{results}{END}{after}")
    shutil.copy(folder / f"{FIGURE}.svg", DOCS / "images" / figure_of_docs(data))


def figure_of_docs(data: str) -> str:
    """Return the name of the figure in the docs.

    Examples:
        >>> figure_of_docs("digits"), figure_of_docs("fashion_mnist")
        ('degradation.svg', 'degradation_fashion_mnist.svg')
    """
    return f"{FIGURE}.svg" if data == DIGITS else f"{FIGURE}_{data}.svg"


if __name__ == "__main__":
    sys.exit(main())
