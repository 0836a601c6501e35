"""The boundary of public functions, and the sweep of all of them with arguments of wrong kinds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from helpers import refusal
from keras_convnets import (
    Style,
    create_model,
    dropout,
    export,
    fold,
    fold_report_of,
    list_models,
    model_info,
    scale,
    take_channels,
)
from keras_convnets.training import Data, open_run, predict, set_weight_decay, train
from keras_convnets.typed import explaining, fits, typed, words


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (int, [1, np.int64(3)], [True, 1.5, "1", None, 10**25, b"1"]),
        (float, [1, 0.5, np.float32(2)], [True, "1", float("nan"), 1e400, None, 1j]),
        (bool, [True, np.False_], [0, "yes", None]),
        (str, ["", "x"], [b"x", 5, None, Path("x")]),
        (str | Path, ["x", Path("x")], [b"x", 5, None]),
        (Path, ["x", Path("x")], ["", "a\0b", b"x", 5]),
        (int | tuple[int, int], [1, (1, 2), [1, 2]], [(1,), (1, "2"), "12", 1.5]),
        (Sequence[int], [(), [1], np.array([1, 2])], ["12", [1.5], 3, {1: 2}, {1.5}]),
        (Iterable[str], [["a"], iter("a")], ["abc", 5, [5]]),
        (Mapping[str, Any], [{}], [[], None]),
        (Callable[[int], int], [len], ["len", None]),
        (Style | None, [None, Style()], ["x", Style]),
        (Any, [None, object()], []),
    ],
)
def test_values_of_a_kind(kind, right, wrong):
    assert words(kind)
    assert all(fits(value, kind) for value in right)
    assert not any(fits(value, kind) for value in wrong)


def test_a_function_checks_first_or_explains_what_it_failed_with():
    def twice(number: int, what: "Unknown" = None) -> int:  # noqa: F821
        if number == 3:
            raise ValueError("number: received\n3")
        return number.numerator * 2

    assert typed(twice)(2) == explaining(twice)(2, what="x") == 4
    for checked in (typed(twice), explaining(twice)):
        with pytest.raises(ValueError, match=r"^number: received '2'; expected an integer. Pass"):
            checked("2")
        with pytest.raises(ValueError, match=r"^number: received 3$"):
            checked(3)
    assert explaining(lambda number: number)("2") == "2"


def test_calls_with_what_is_none():
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3)])
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), "uint8")
    labels = [0, 1, 0, 1]
    for call, said in (
        (lambda: scale("a"), "factor: received 'a'; expected a finite number"),
        (lambda: take_channels([1.5]), "indices: received"),
        (lambda: dropout(-1), "rate: received -1"),
        (lambda: Style(use_bias="x"), "use_bias: received 'x'; expected True or False"),
        (lambda: set_weight_decay(model, -1), "decay: received -1"),
        (lambda: open_run(None), "folder: received None; expected a string or a path"),
        (lambda: list_models(5), "pattern: received 5; expected a string"),
        (lambda: model_info([]), "name: received"),
        (lambda: create_model(None), "received None"),
        (lambda: train(model, 5, out="x"), "data: received"),
        (lambda: train(model, 5, out=None), "out: received None; expected a path"),
        (lambda: predict("abc", ["x.png"]), "run: received 'abc', which has no model"),
        (lambda: fold(5), "model: received 5"),
        (lambda: fold_report_of("x"), "model: received 'x'"),
        (lambda: export(model, None), "path: received None; expected a string or a path"),
        (lambda: export(5, "net"), "model"),
        (lambda: export(model, "net", fold="x"), "fold: received 'x'; expected True or False"),
        (lambda: export(model, "net", class_names=5), "class_names: received 5; expected"),
        (lambda: Data.from_arrays(images, labels, class_names=5), "class_names: received 5"),
        (lambda: Data.from_arrays(images, [0, 1, -1, 1]), "labels of 0 and up"),
    ):
        with pytest.raises(ValueError, match=said) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_the_resolution_of_what_has_none(capfd):
    assert "dpi: received 90 with '.svg'" in refusal(
        ["plot", "lenet_5", "a.svg", "--dpi", "90"], capfd
    )
