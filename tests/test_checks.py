import numpy as np
import pytest

from keras_convnets import checks


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((3, 224, 224), (3, 224, 224)),
        ([1, 28, 28], (1, 28, 28)),
        ((3, None, None), (3, None, None)),
        ((3, None, 64), (3, None, 64)),
        ((12, 64, 3 * 64), (12, 64, 192)),
        ((3, 4, 4), (3, 4, 4)),
        ((np.int64(3), np.int32(32), 32), (3, 32, 32)),
    ],
)
def test_input_shape_is_returned_as_integers(given, expected):
    shape = checks.input_shape(given)
    assert shape == expected
    assert all(type(size) in (int, type(None)) for size in shape)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((224, 224), ("(224, 224)", "(channels, rows, cols)", "batch size")),
        ((8, 3, 224, 224), ("(8, 3, 224, 224)", "batch size")),
        (224, ("received 224", "(3, 224, 224)")),
        ("abc", ("'abc'",)),
        (None, ("received None",)),
        ((3, 0, 224), ("(3, 0, 224)", "at least 1")),
        ((3, 224, -1), ("at least 1",)),
        ((0, 224, 224), ("at least 1",)),
        ((3.0, 224, 224), ("all integers",)),
        ((True, 224, 224), ("all integers",)),
        (("3", 224, 224), ("all integers",)),
        ((224, 224, 3), ("(rows, cols, channels)", "Pass (3, 224, 224)")),
        ((28, 28, 1), ("(rows, cols, channels)", "Pass (1, 28, 28)")),
        ((None, None, 3), ("(rows, cols, channels)", "Pass (3, None, None)")),
        ((None, 224, 224), ("Only rows and cols may be None",)),
    ],
)
def test_input_shape_refuses(given, words):
    with pytest.raises(ValueError, match="input_shape: received") as caught:
        checks.input_shape(given)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("given", [0, -3, 1.0, 10.5, True, "10", None, [10]])
def test_num_outputs_refuses(given):
    with pytest.raises(ValueError, match="num_outputs: received .* at least 1. Pass the number"):
        checks.num_outputs(given)


@pytest.mark.parametrize(
    "given", [(), [], (3, 0), (-1,), (2.0, 2), ("2",), 3, "2222", None, (True,)]
)
def test_repetitions_refuses(given):
    with pytest.raises(ValueError, match=r"repetitions: received .* such as \(3, 4, 6, 3\)"):
        checks.repetitions(given)


def test_repetitions_takes_any_iterable_of_integers():
    assert checks.repetitions(np.array([2, 2])) == (2, 2)
    assert checks.repetitions(n for n in (3, 4)) == (3, 4)


def test_choice_lists_the_choices_and_the_closest():
    with pytest.raises(
        ValueError, match=r"'avgg'; expected one of 'avg', 'max', None. Did you mean"
    ):
        checks.choice("pooling", "avgg", ("avg", "max", None))
    assert checks.choice("pooling", None, ("avg", None)) is None


@pytest.mark.parametrize("given", [-1, float("nan"), float("inf"), "1e-4", None, True])
def test_non_negative_number_refuses(given):
    with pytest.raises(ValueError, match="weight_decay: received .* such as 1e-4"):
        checks.non_negative_number("weight_decay", given, "a factor such as 1e-4")


@pytest.mark.parametrize("given", [0, -1, float("nan"), float("inf")])
def test_positive_number_refuses(given):
    with pytest.raises(ValueError, match="rate: received .* above 0"):
        checks.positive_number("rate", given, "a step")


@pytest.mark.parametrize("given", ["", "a/b", 3])
def test_model_name_refuses(given):
    with pytest.raises(ValueError, match="name: received"):
        checks.model_name(given)
