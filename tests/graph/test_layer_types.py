"""Each question about layers knows every layer of Keras and of ours, or not, by choice."""

import inspect

import keras
import pytest

from keras_convnets import cost, layers, receptive_field
from keras_convnets.analysis.cost import rules as cost_rules
from keras_convnets.analysis.receptive_field import rules as field_rules
from keras_convnets.analysis.receptive_field import windows
from keras_convnets.graph import words
from keras_convnets.graph.layer_types import COPIED, LAYERS, LayerType, type_of
from keras_convnets.graph.operation_types import OPERATIONS
from keras_convnets.graph.words import describe
from keras_convnets.training.transfer import new_head

L = keras.layers
NEW = (
    "Give it a type in keras_convnets/graph/layer_types.py (an operation: operation_types.py); "
    "if no type fits, make one, and decide in cost/rules.py, receptive_field/rules.py, "
    "graph/words.py and transfer/new_head.py what is known of it."
)
# What some version of Keras from 3.12 on lacks.
NOT_IN_ALL = {
    "ContrastLimitedAdaptiveHistogramEqualization",
    *(f"Adaptive{what}Pooling{rank}D" for what in ("Average", "Max") for rank in (1, 2, 3)),
}
QUESTIONS = {
    "cost": (cost_rules.MULTIPLY_ADDS.keys(), cost_rules.UNKNOWN),
    "receptive field": (
        {LayerType.INPUT}
        | windows.WINDOWED.keys()
        | windows.OPERATIONS.keys()
        | field_rules.SEES_ALL
        | field_rules.POINTWISE
        | field_rules.RESHAPING
        | {LayerType.SPECTRAL_NORMALISATION}
        | field_rules.ALONG_AXIS,
        field_rules.UNKNOWN,
    ),
    "words": (words.RULES.keys() | words.AROUND.keys(), words.UNKNOWN),
    "new head": (new_head.CLASSIFIERS.keys() | new_head.AFTER, new_head.UNKNOWN),
}


def layer_classes(module):
    """Return the names of a module's layer classes, each by the name that it gives itself."""
    return {
        value.__name__
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, keras.Layer)
    }


def operation_classes():
    found, waiting = set(), [keras.Operation]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if not issubclass(kind, keras.Layer) and kind.__module__.startswith("keras."):
                found.add(kind.__name__)
    return found - {"Function", "Functional"}


def test_every_layer_class_has_a_type():
    typed = {name for names in LAYERS.values() for name in names}
    unknown = (layer_classes(L) | layer_classes(layers)) - typed
    assert not unknown, f"Layers without a type: {sorted(unknown)}. {NEW}"
    gone = typed - layer_classes(L) - layer_classes(layers) - COPIED - NOT_IN_ALL
    assert not gone, f"Types of layers that no version of Keras has: {sorted(gone)}."


def test_every_operation_has_a_type():
    unknown = operation_classes() - {name for names in OPERATIONS.values() for name in names}
    assert not unknown, f"Operations without a type: {sorted(unknown)}. {NEW}"


@pytest.mark.parametrize("table", [LAYERS, OPERATIONS], ids=["layers", "operations"])
def test_a_class_has_one_type(table):
    names = [name for group in table.values() for name in group]
    assert len(names) == len(set(names)), [name for name in names if names.count(name) > 1]


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_answers_every_type(question):
    known, unknown = map(set, QUESTIONS[question])
    undecided = set(LayerType) - known - unknown
    assert not undecided, f"{question}: neither known nor unknown by choice: {undecided}. {NEW}"
    assert not known & unknown, f"{question}: known and unknown: {known & unknown}."


class Own(L.Layer):
    """A layer of somebody's own, which has no weights and could compute anything."""

    def call(self, x):
        return x


NUMBERS, IMAGES = (4, 6), (8, 8, 3)
OPAQUE = {
    "Lambda": (lambda: L.Lambda(lambda x: x @ keras.ops.transpose(x, (0, 2, 1))), NUMBERS),
    "Own": (Own, IMAGES),
    "EinsumDense": (lambda: L.EinsumDense("abc,cd->abd", (4, 5)), NUMBERS),
    "ConvLSTM1D": (lambda: L.ConvLSTM1D(2, 3), (4, 6, 3)),
    "MelSpectrogram": (lambda: L.MelSpectrogram(sequence_stride=64, fft_length=128), (256,)),
    "STFTSpectrogram": (lambda: L.STFTSpectrogram(frame_length=16, frame_step=8), (256, 1)),
    "Pipeline": (lambda: L.Pipeline([L.RandomFlip()]), IMAGES),
}
OF_TWO = {
    "Dot": lambda: L.Dot(axes=1),
    "Attention": L.Attention,
    "AdditiveAttention": L.AdditiveAttention,
    "MultiHeadAttention": lambda: L.MultiHeadAttention(2, 3),
    "GroupQueryAttention": lambda: L.GroupQueryAttention(3, 2, 1),
}


def model_of(name):
    if name in OF_TWO:
        x = keras.Input(NUMBERS)
        layer = OF_TWO[name]()
        return keras.Model(x, layer(x, x) if "Multi" in name or "Query" in name else layer([x, x]))
    make, shape = OPAQUE[name]
    x = keras.Input(shape)
    return keras.Model(x, make()(x))


@pytest.mark.parametrize("name", [*OPAQUE, *OF_TWO])
def test_what_is_unknown_is_reported_and_never_zero(name):
    model = model_of(name)
    layer = model.layers[-1]
    found = cost(model)
    assert type_of(layer) in cost_rules.UNKNOWN | {LayerType.RECURRENT}
    assert found.uncounted == (layer.name,)
    assert found.rows[-1].macs is None
    assert f"NOT COUNTED: the multiply-adds of {layer.name}" in str(found)
    assert receptive_field(model, layer).unknown
    assert describe(layer).text == type(layer).__name__


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: keras.ops.matmul(x, x),
        lambda x: keras.ops.einsum("abc,acd->abd", x, x),
        lambda x: keras.ops.fft((x, x))[0],
        keras.ops.inv,
        lambda x: keras.ops.cumsum(x, axis=1),
    ],
    ids=["matmul", "einsum", "fft", "inv", "cumsum"],
)
def test_so_are_operations(operation):
    x = keras.Input((4, 4))
    model = keras.Model(x, operation(x))
    assert cost(model).uncounted
    assert receptive_field(model)[cost(model).rows[-1].name].unknown


def test_a_class_of_ones_own_has_the_type_of_the_keras_class_it_derives_from():
    class Mine(L.Conv2D):
        pass

    class Add(L.Layer):  # not Keras' own, whatever its name
        pass

    assert type_of(Mine(4, 3)) is LayerType.CONVOLUTION
    assert type_of(Add()) is LayerType.OPAQUE
    assert type_of(L.AvgPool2D(2)) is LayerType.AVERAGE_POOLING
    assert type_of(layers.Conv2D(4, 3)) is LayerType.CONVOLUTION
