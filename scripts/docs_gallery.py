"""Draw the block of each family for the page "Networks": ``python scripts/docs_gallery.py``.

It also writes the table of all networks at the end of the page, from ``networks.csv`` and
``trust.csv``, and that of all published files on the page "Weights". ``python
scripts/docs_gallery.py tables`` writes only these.
"""

import sys
from pathlib import Path
from typing import Any

from keras_convnets import (
    basic_block,
    basic_block_v1,
    basic_block_v2,
    bottleneck_v1,
    bottleneck_v2,
    chain,
    conv_relu,
    dense_layer,
    inception,
    inception_resnet_a,
    local_response_norm,
    max_pool,
    mlpconv,
    plain_block,
    plot_block,
    resnext_block,
    se_bottleneck,
    subsampling,
    vgg_stage,
)
from keras_convnets.architectures.course_notes import blocks as course_notes_blocks
from keras_convnets.golden import networks
from keras_convnets.weights.published.published import rows
from keras_convnets.weights.published.trust import sources_of

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS.parent / "tests"))
import paper  # noqa: E402

START, END = "<!-- table -->", "<!-- end of table -->"
BLOCKS: dict[str, tuple[str, Any, tuple[int, int, int]]] = {
    "basic_block": ("basic_block(128, (2, 2))", basic_block(128, (2, 2)), (64, 56, 56)),
    "bottleneck_v1": ("bottleneck_v1(128, (2, 2))", bottleneck_v1(128, (2, 2)), (256, 56, 56)),
    "bottleneck_v2": ("bottleneck_v2(64)", bottleneck_v2(64), (256, 56, 56)),
    "plain_block": ("plain_block(64)", plain_block(64), (64, 56, 56)),
    "cifar_block": (
        'basic_block_v1(32, (2, 2), shortcut="A")',
        basic_block_v1(32, (2, 2), shortcut="A"),
        (16, 32, 32),
    ),
    "wide_block": (
        "basic_block_v2(64, dropout=0.3)",
        basic_block_v2(64, dropout=0.3),
        (64, 32, 32),
    ),
    "resnext_block": ("resnext_block(64)", resnext_block(64), (256, 56, 56)),
    "se_bottleneck": ("se_bottleneck(64)", se_bottleneck(64), (256, 56, 56)),
    "dense_layer": ("dense_layer(32)", dense_layer(32), (64, 56, 56)),
    "inception": (
        "inception(64, (96, 128), (16, 32), 32)",
        inception(64, (96, 128), (16, 32), 32),
        (192, 28, 28),
    ),
    "inception_resnet": ("inception_resnet_a(0.17)", inception_resnet_a(0.17), (320, 35, 35)),
    "vgg_stage": ("vgg_stage(2, 64)", vgg_stage(2, 64), (3, 224, 224)),
    "alexnet": (
        "alexnet_original: conv1",
        chain(
            conv_relu(96, 11, 4, "valid"),
            local_response_norm(5, 1e-4, 0.75, 2.0),
            max_pool(3, 2, "valid"),
        ),
        (3, 227, 227),
    ),
    "mlpconv": ("mlpconv((192, 160, 96), 5)", mlpconv((192, 160, 96), 5), (3, 32, 32)),
    "lenet": ("subsampling()", subsampling(), (6, 28, 28)),
    "notes_inception": (
        "notes_mnist_inception: block A",
        course_notes_blocks.inception_a,
        (10, 12, 12),
    ),
}


def main() -> None:
    """Draw all blocks, and write the tables into the pages."""
    if sys.argv[1:] != ["tables"]:
        draw()
    for name, text in (("networks.md", table()), ("weights.md", published_files())):
        page = DOCS / name
        before, rest = page.read_text().split(START)
        page.write_text(f"{before}{START}\n{text}\n{END}{rest.split(END)[1]}")


def draw() -> None:
    """Draw the block of each family."""
    for name, (title, block, shape) in BLOCKS.items():
        plot_block(
            block,
            shape,
            DOCS / "images" / "blocks" / f"{name}.svg",
            title=title,
            show_shapes=False,
            show_layer_names=False,
            show_cost=False,
        )


def table() -> str:
    """Return the table of all networks in Markdown, with the published figures."""
    titles = "network | weights | input | outputs | parameters | multiply-adds | published | source"
    lines = [f"| {titles} |", "|---|---|---|---:|---:|---:|---:|---|"]
    for name, _, shape, outputs, parameters, macs, source, _ in networks().values():
        known = paper.PUBLISHED.get(name, ())
        published = " / ".join(f"{n:,}" for n in known if n is not None)
        if not published and name in paper.KERAS_APPLICATIONS:
            published = f"as Keras' {paper.KERAS_APPLICATIONS[name]}"
        size = " × ".join(map(str, shape))
        counts = (f"{outputs:,}", f"{parameters:,}", f"{macs:,}")
        cells = (f"`{name}`", sources_of(name), size, *counts, published, source)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def published_files() -> str:
    """Return the table of all published files of weights in Markdown."""
    lines = ["| network | name | top-1 | size | file | licence |", "|---|---|---:|---:|---|---|"]
    order = {name: number for number, name in enumerate(networks())}
    for row in sorted(rows(), key=lambda row: order[row.network]):
        top1 = "" if row.top1 is None else f"{row.top1:.1f}"
        file = f"[{row.file}]({row.address})" if row.address else row.file
        cells = (f"`{row.network}`", f"`{row.name}`", top1, str(row.rows), file, row.licence)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
