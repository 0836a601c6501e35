"""Receptive fields on random graphs: what is worked out is what is measured."""

import collections
from fractions import Fraction

import keras
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from keras import layers

from keras_convnets import receptive_field
from keras_convnets.analysis.receptive_field.strides import strides
from keras_convnets.graph.walk import walk
from keras_convnets.layers import AdaptiveAveragePooling2D, CaffeAveragePooling2D

if keras.backend.backend() != "tensorflow":
    pytest.skip("gradients are measured with TensorFlow", allow_module_level=True)

import tensorflow as tf

LAST = "channels_last"
NOTHING = (None, None)


class Graph:
    """A random graph of positive weights, so that whatever a unit sees has an effect on it."""

    def __init__(self, data):
        self.draw = lambda strategy: data.draw(strategy)
        sizes = self.number(12, 24), self.number(6, 14)
        self.image = sizes if self.draw(st.booleans()) else sizes[::-1]
        # What is cropped anywhere, in pixels; and the product of all strides.
        self.cropped, self.strides = np.zeros(2, int), np.ones(2, int)
        self.has_gaps = False
        inputs = keras.Input((*self.image, 1))
        self.model = keras.Model(inputs, self.steps(inputs, self.number(1, 4)))

    def number(self, low, high):
        return self.draw(st.integers(low, high))

    def pair(self, low, high):
        return self.number(low, high), self.number(low, high)

    def steps(self, x, count):
        kinds = ["window"] * 3 + ["branches"] * 2 + ["pad", "crop", "upsample", "transposed"]
        for _ in range(count):
            x = getattr(self, self.draw(st.sampled_from(kinds)))(x)
        return x

    def window(self, x):
        kernel, strides, dilation = self.pair(1, 4), self.pair(1, 3), self.pair(1, 3)
        padding = self.draw(st.sampled_from(["same", "valid"]))
        kind = self.draw(st.sampled_from(["plain", "dilated", "pooling"]))
        dilation = dilation if kind == "dilated" else (1, 1)
        reach = (np.array(kernel) - 1) * dilation
        if np.any(reach >= x.shape[1:3]):
            padding = "same"
        left = np.array(x.shape[1:3]) - (reach if padding == "valid" else 0)
        # TensorFlow 2.21 with oneDNN is wrong where a stride leaves one column of several images.
        if kind == "dilated" or np.any(left <= strides):
            strides = (1, 1)
        if kind == "pooling":
            make = layers.AveragePooling2D(kernel, strides, padding)
        else:
            make = self.conv(kernel, strides, padding, dilation_rate=dilation)
        self.strides *= strides
        self.has_gaps |= np.any(np.array(strides) > kernel)
        return make(x)

    def conv(self, kernel, strides, padding, layer=layers.Conv2D, **options):
        return layer(1, kernel, strides, padding, kernel_initializer="ones", **options)

    def pad(self, x):
        return layers.ZeroPadding2D((self.pair(0, 3), self.pair(0, 3)))(x)

    def crop(self, x):
        return self.cropping(x, [self.pair(0, min(2, (size - 1) // 2)) for size in x.shape[1:3]])

    def cropping(self, x, amounts):
        self.cropped += np.max(amounts, axis=1) * self.strides
        return layers.Cropping2D(tuple(map(tuple, amounts)))(x)

    def upsample(self, x):
        if max(x.shape[1:3]) > 30:
            return x
        interpolation = self.draw(st.sampled_from(["nearest", "nearest", "bilinear"]))
        return layers.UpSampling2D(self.pair(1, 3), interpolation=interpolation)(x)

    def transposed(self, x):
        if max(x.shape[1:3]) > 30:
            return x
        kernel, strides = self.pair(1, 5), self.pair(1, 3)
        padding = self.draw(st.sampled_from(["same", "valid"]))
        self.cropped += np.array(kernel) * self.strides
        self.has_gaps |= np.any(np.array(strides) > kernel)
        return self.conv(kernel, strides, padding, layers.Conv2DTranspose)(x)

    def branches(self, x):
        ends = [self.steps(x, self.number(0, 2)) for _ in range(2)]
        sizes = np.min([end.shape[1:3] for end in ends], axis=0)
        cut = []
        for end in ends:
            spare = np.array(end.shape[1:3]) - sizes
            before = np.array([self.number(0, int(n)) for n in spare])
            amounts = np.stack([before, spare - before], axis=1).tolist()
            cut.append(self.cropping(end, amounts) if spare.any() else end)
        can_add = len({end.shape[-1] for end in ends}) == 1
        return (layers.Add if can_add and self.draw(st.booleans()) else layers.Concatenate)()(cut)


def extents(seen):
    """Return the first and last row and column of a mask, as ``at`` does."""
    axes = [np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0)]
    return tuple((int(a[0]), int(a[-1])) if len(a) else None for a in axes)


def measured_by_impulses(model):
    """Return what each unit sees, a pixel at a time being 1: masks by row and column of the unit.

    What bilinear weights leave by rounding is not seen.
    """
    rows, cols = model.input_shape[1:3]
    impulses = np.eye(rows * cols, dtype="float32").reshape(-1, rows, cols, 1)
    effect = model(impulses).numpy().sum(axis=-1)
    masks = np.moveaxis(effect > 1e-6 * effect.max(), 0, -1)
    return masks.reshape(*masks.shape[:2], rows, cols)


def measured_by_gradient(model, row, col):
    """Return what one unit sees. Not for strides larger than kernels.

    TensorFlow 2.21 crashes in the gradients of these, on CPUs.
    """
    image = tf.ones((1, *model.input_shape[1:]))
    with tf.GradientTape() as tape:
        tape.watch(image)
        unit = tf.reduce_sum(model(image)[0, row, col])
    gradient = tape.gradient(unit, image).numpy()[0, :, :, 0]
    return extents(gradient > 1e-6 * max(gradient.max(), 1e-30))


@pytest.mark.slow
def test_fields_are_those_measured_on_random_graphs():
    counts = collections.Counter()

    @settings(
        max_examples=300,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
    )
    @given(st.data())
    def check(data):
        graph = Graph(data)
        if len(graph.model.layers) == 1:
            return
        field = list(receptive_field(graph.model).values())[-1]
        masks = measured_by_impulses(graph.model)
        rows, cols = masks.shape[:2]
        for row, col in np.ndindex(rows, cols):
            assert field.at(row, col) == extents(masks[row, col]), (row, col)
        if not graph.has_gaps:
            for unit in [(graph.number(0, rows - 1), graph.number(0, cols - 1)) for _ in range(2)]:
                assert field.at(*unit) == measured_by_gradient(graph.model, *unit)
            counts["gradients"] += 1
        check_sizes(graph, field, masks.reshape(-1, *graph.image))
        counts["graphs"] += 1

    def check_sizes(graph, field, masks):
        ranges = [extents(mask) for mask in masks if mask.any()]
        largest = [
            max((last - first + 1 for first, last in axis), default=0)
            for axis in zip(*ranges, strict=True)
        ]
        assert np.all(np.array(field.size) >= (largest or 0))
        # Far enough from all borders, every unit of a period has all of its field.
        inside = np.array(graph.image) - 2 * graph.cropped - field.size
        if None not in field.stride and np.all(inside >= graph.strides):
            assert field.size == tuple(largest)
            counts["inside"] += 1

    check()
    assert counts["graphs"] >= 250
    assert counts["gradients"] >= 100
    assert counts["inside"] >= 75


@pytest.mark.parametrize("size", [(12, 5), (7, 9), (2, 13), (8, 4)])
@pytest.mark.parametrize("pool", [AdaptiveAveragePooling2D((4, 3)), CaffeAveragePooling2D(3, 2)])
def test_fields_of_pooling_layers_of_the_package(pool, size):
    inputs = keras.Input((*size, 1))
    convolution = layers.Conv2D(1, 3, padding="same", kernel_initializer="ones")
    after = layers.Conv2D(1, 2, padding="same", kernel_initializer="ones")
    model = keras.Model(inputs, after(pool(convolution(inputs))))
    field = list(receptive_field(model).values())[-1]
    masks = measured_by_impulses(model)
    for row, col in np.ndindex(*masks.shape[:2]):
        assert field.at(row, col) == extents(masks[row, col]), (row, col)


def test_the_stride_of_adaptive_pooling_depends_on_the_size():
    def stride(*size):
        inputs = keras.Input((*size, 1))
        pooled = AdaptiveAveragePooling2D((4, 3))(layers.MaxPooling2D(2)(inputs))
        return list(strides(walk(keras.Model(inputs, pooled))).values())[-1]

    assert stride(16, 30) == (4, 10)
    assert stride(20, 6) == (5, 2)
    assert stride(20, 10) == (5, Fraction(10, 3))
    assert stride(None, 6) is None
