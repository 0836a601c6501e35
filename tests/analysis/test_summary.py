"""Summaries in the words of papers."""

import json

import keras
import pytest

from helpers import outline
from keras_convnets import cli, cost, summary
from keras_convnets.keras_private import without_values

L = keras.layers


@pytest.mark.parametrize("detail", ["stage", "block", "layer"])
@pytest.mark.parametrize("name", ["cifar_resnet_20", "googlenet", "notes_alexnet"])
def test_the_rows_add_up_to_the_cost(name, detail):
    model = outline(name)
    found, whole = summary(model, detail), cost(model)
    assert sum(row.params for row in found.rows) == whole.params
    assert sum(row.macs for row in found.rows) == whole.macs
    assert found.to_dict()["total"] == {"params": whole.params, "macs": whole.macs}
    names = [row.name for row in found.rows]
    if detail == "stage":
        assert names == [row.name for row in whole.rolled_up("stage")]
    if detail == "layer":
        assert sorted(names) == sorted(row.name for row in whole.rows)


def test_the_notes_densenet_stage_by_stage():
    rows = {row.name: row for row in summary(outline("notes_densenet"), "stage").rows}
    assert rows["dense1"].layers == "[concat(3×3, 32; identity)] × 4"
    assert rows["transition1"].layers == "1×1, 96 | avg pool 2×2, /2"
    # As the notes print them: after each step.
    steps = [rows[f"{kind}{n}"] for n in range(1, 5) for kind in ("dense", "transition") if n < 4]
    assert [row.output_shape[0] for row in steps] == [192, 96, 224, 112, 240, 120]
    assert rows["dense4"].output_shape == (248, 3, 3)


@pytest.mark.parametrize(
    ("name", "row", "words"),
    [
        ("resnet_v1_50", 2, "1×1, 64 | 3×3, 64 | 1×1, 256 + 1×1, 256"),
        ("resnet_v1_50", 3, "[1×1, 64 | 3×3, 64 | 1×1, 256 + identity] × 2"),
        ("cifar_resnet_20", 3, "3×3, 32, /2 | 3×3, 32 + (max pool 1×1, /2 | pad to 32 channels)"),
        (
            "se_resnet_50",
            3,
            "[1×1, 64 | 3×3, 64 | 1×1, 256 | SE(1×1, 16 | 1×1, 256) + identity] × 2",
        ),
        (
            "googlenet",
            3,
            "concat(1×1, 64; 1×1, 96 | 3×3, 128; 1×1, 16 | 5×5, 32; max pool 3×3 | 1×1, 32)",
        ),
    ],
)
def test_blocks_in_the_notation_of_papers(name, row, words):
    assert summary(outline(name)).rows[row].layers == words


def test_the_blocks_of_a_stage_that_is_too_long_are_counted():
    rows = {row.name: row.layers for row in summary(outline("googlenet"), "stage").rows}
    assert rows["inception4"] == "5 concatenating blocks"


def test_open_sizes_and_layers_without_a_rule_are_not_counted_as_nothing():
    with without_values():
        x = keras.Input((None, None, 3))
        model = keras.Model(x, L.Conv2D(4, 3, name="conv1_conv")(x))
        y = keras.Input((4, 6))
        other = keras.Model(y, L.MultiHeadAttention(1, 2)(y, y))
    assert summary(model).rows[1].output_shape == (4, None, None)
    assert [row.macs for row in summary(model).rows] == [None, None]
    assert "unknown" in str(summary(model))
    assert summary(other, "layer").rows[-1].macs is None


def test_refusals():
    with pytest.raises(ValueError, match=r"^detail: received 'blocks'; .* Did you mean 'block'"):
        summary(outline("lenet_5"), "blocks")
    with pytest.raises(ValueError, match="expected a functional Keras model"):
        summary("lenet_5")


def test_on_the_command_line(capfd):
    assert cli.main(["summary", "notes_mnist_resnet", "--detail", "stage"]) == 0
    assert "3×3, 16 | 3×3, 16 + identity" in capfd.readouterr().out
    shape = ["--input-shape", "1,64,64", "--num-outputs", "7"]
    options = ["--detail", "layer", "--format", "json", *shape]
    assert cli.main(["summary", "resnet_18", *options]) == 0
    rows = json.loads(capfd.readouterr().out)["rows"]
    assert rows[-1]["output_shape"] == [7]
    assert cli.main(["summary", "resnet_18", "--format", "csv"]) == 2
    assert "expected both. Add --detail" in capfd.readouterr().err
