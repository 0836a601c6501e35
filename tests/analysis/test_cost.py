import csv
import io
import json

import keras
import pytest

import paper
from helpers import FORMATS, application
from keras_convnets import ResnetBuilder, cost
from keras_convnets.analysis.cost.rows import item_size
from keras_convnets.keras_private import without_values

L = keras.layers
ALL = sorted(name for name in dir(keras.applications) if name[0].isupper())


def model_of(*layers, shape=(28, 28, 192), name="net"):
    return keras.Sequential([keras.Input(shape), *layers], name=name)


@pytest.mark.parametrize("name", ["vgg_16", "vgg_19", "densenet_121_keras", "densenet_201_keras"])
def test_published_figures_to_the_unit(name):
    found = cost(application(paper.KERAS_APPLICATIONS[name]))
    assert (found.params, found.macs) == paper.TORCHVISION[name.removesuffix("_keras")]


def test_inception_v3_has_no_scales_in_its_normalisations():
    # 94 convolutions; Keras leaves out the scale of their normalisations, torchvision keeps it.
    found = cost(application("InceptionV3"))
    scales = sum(row.output_shape[0] for row in found.rows if row.kind == "BatchNormalization")
    params, macs = paper.TORCHVISION["inception_v3"]
    assert (found.params + scales, found.macs) == (params, macs)


@pytest.mark.parametrize(
    ("name", "twin"), [("ResNet50", "resnet_v1_5_50"), ("ResNet152", "resnet_v1_5_152")]
)
def test_resnets_with_the_stride_where_keras_puts_it(name, twin):
    # Keras strides in the first 1x1 convolution of conv3, conv4 and conv5, torchvision in the
    # 3x3 after it. So that 1x1 computes a quarter of torchvision's pixels: three quarters of
    # 56^2 x 256 x 128 = 28^2 x 512 x 256 = 14^2 x 1024 x 512 are saved, three times. Keras'
    # convolutions have biases: one for each output.
    found = cost(application(name))
    saved = 3 * 3 * (56 * 56 * 256 * 128) // 4
    biases = sum(row.output_shape[0] for row in found.rows if row.kind == "Conv2D")
    params, macs = paper.TORCHVISION[twin]
    assert (found.params - biases, found.macs + saved) == (params, macs)


def test_densenet_169_by_its_blocks():
    # No published figure at hand: DenseNet-121's, with 8 more dense blocks in conv4 and 16 in
    # conv5, wider transitions' inputs and a wider classifier.
    def dense(inputs, blocks, size):
        widths = [inputs + 32 * block for block in range(blocks)]
        return size**2 * sum(width * 128 + 9 * 128 * 32 for width in widths)

    stem = 112**2 * 49 * 3 * 64
    blocks = dense(64, 6, 56) + dense(128, 12, 28) + dense(256, 32, 14) + dense(640, 32, 7)
    transitions = 56**2 * 256 * 128 + 28**2 * 512 * 256 + 14**2 * 1280 * 640
    assert cost(application("DenseNet169")).macs == stem + blocks + transitions + 1664 * 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_all_of_keras_applications_is_counted(name):
    model = application(name)
    is_open = None in model.input_shape[1:]
    found = cost(model, (3, 224, 224) if is_open else None)
    assert found.uncounted == ()
    assert found.params + found.statistics == model.count_params()
    assert found.macs > 0


def test_the_bottleneck_argument():
    plain = model_of(L.Conv2D(32, 5, padding="same"))
    reduced = model_of(L.Conv2D(16, 1), L.Conv2D(32, 5, padding="same"))
    assert cost(plain).macs == paper.FIVE_BY_FIVE == 120_422_400
    assert cost(reduced).macs == paper.FIVE_BY_FIVE_REDUCED == 12_443_648


@pytest.fixture(scope="module")
def resnet():
    with without_values():
        return ResnetBuilder.build_resnet_18((3, 64, 64), 10)


def test_totals_are_the_sums_of_the_rows(resnet):
    found = cost(resnet)
    assert found.params == sum(row.params for row in found.rows) == 11_184_650
    assert found.statistics == sum(row.statistics for row in found.rows) == 7_808
    assert found.params + found.statistics == resnet.count_params()
    assert found.macs == sum(row.macs for row in found.rows)
    assert found.flops == 2 * found.macs + sum(found.elementwise.values())
    assert found.activations == sum(row.activations for row in found.rows)
    assert found.weight_bytes == 4 * (found.params + found.statistics)
    assert found.activation_bytes == 4 * found.activations
    assert [row.name for row in found.rows] == [layer.name for layer in resnet.layers]
    for by in ("block", "stage"):
        rows = found.rolled_up(by)
        assert sum(row.macs for row in rows) == found.macs
        assert sum(row.flops for row in rows) == found.flops
        assert sum(row.params for row in rows) == found.params


def test_blocks_and_stages(resnet):
    found = cost(resnet)
    blocks = [row.name for row in found.rolled_up("block")]
    assert blocks[:4] == ["input", "conv1", "conv2_block1", "conv2_block2"]
    stages = found.rolled_up("stage")
    assert [row.name for row in stages][:3] == ["input", "conv1", "conv2"]
    conv2 = stages[2]
    assert (conv2.kind, conv2.output_shape) == ("12 layers", (64, 16, 16))
    assert conv2.macs == 4 * 16 * 16 * 9 * 64 * 64
    with pytest.raises(ValueError, match="^by: received 'group'; expected one of 'layer'"):
        found.rolled_up("group")


def test_the_same_in_both_formats():
    first, last = (
        cost(ResnetBuilder.build_resnet_18((3, 64, 48), 10, data_format=data_format))
        for data_format in FORMATS
    )
    assert first.rows == last.rows


def test_sizes_left_open_need_an_input_shape():
    model = ResnetBuilder.build_resnet_18((3, None, None), 10)
    with pytest.raises(ValueError, match=r"^input_shape: the model leaves sizes open, input_image"):
        cost(model)
    fixed = cost(ResnetBuilder.build_resnet_18((3, 96, 64), 10))
    assert cost(model, (3, 96, 64)).rows == fixed.rows
    assert cost(model, (3, 96, 64)).input_shapes == ((3, 96, 64),)


def test_a_layer_used_twice_is_one_row():
    layer = L.Conv2D(3, 3, padding="same", name="twice")
    inputs = keras.Input((8, 8, 3))
    found = cost(keras.Model(inputs, layer(layer(inputs))))
    assert [row.name for row in found.rows][1:] == ["twice"]
    row = found.rows[1]
    assert (row.params, row.macs) == (84, 2 * 64 * 9 * 9)
    assert row.activations == 2 * 192


def test_models_within_are_walked():
    inner = model_of(L.Conv2D(4, 3), L.BatchNormalization(), shape=(None, None, 3), name="inner")
    model = model_of(inner, L.Flatten(), L.Dense(2), shape=(10, 10, 3), name="outer")
    found = cost(model)
    assert [row.name.split("/")[0] for row in found.rows][1:3] == ["inner", "inner"]
    assert found.macs == 64 * 27 * 4 + 256 * 2
    assert (found.params, found.statistics) == (634, 8)
    assert model.count_params() == 642


def test_a_frozen_layer_has_its_parameters_all_the_same():
    model = model_of(L.Conv2D(4, 1), L.BatchNormalization(), L.Dense(2))
    before = cost(model).params
    model.layers[0].trainable = False
    found = cost(model)
    assert found.params == before == model.count_params() - 2 * 4
    assert found.rows[1].params == 4 * 193
    assert found.trainable_params == 4 + 4 + 4 * 2 + 2
    assert found.rows[1].trainable_params == 0


class Gate(keras.layers.Layer):
    def build(self, input_shape):
        self.gate = self.add_weight(shape=(input_shape[-1],))

    def call(self, x):
        return x * self.gate


def test_a_weighted_layer_without_a_rule_is_listed():
    found = cost(model_of(L.Conv2D(4, 1), Gate(name="gate"), L.Flatten()))
    assert found.uncounted == ("gate",)
    assert found.rows[2].macs is None
    assert found.rows[2].flops is None
    assert found.rows[2].params == 4
    for text in (" ".join(found.to_text().split()), found.to_markdown(), found.to_csv()):
        assert "NOT COUNTED: the multiply-adds of gate" in text
        assert "uncounted" in text
    assert "≥ 602,112" in found.to_text()
    assert found.to_dict()["total"]["uncounted"] == ["gate"]
    by_block = found.rolled_up("block")
    assert [row.uncounted for row in by_block if row.uncounted] == [("gate",)]


def test_bytes_follow_the_dtype():
    policy = keras.DTypePolicy("mixed_bfloat16")
    found = cost(model_of(L.Conv2D(4, 1, dtype=policy)))
    assert found.weight_bytes == 4 * found.params
    assert found.activation_bytes == 2 * found.activations
    sizes = {"float32": 4, "bfloat16": 2, "float8_e4m3fn": 1, "bool": 1, "int64": 8, "string": 0}
    assert {dtype: item_size(dtype) for dtype in sizes} == sizes


def test_the_formats_agree(resnet):
    found = cost(resnet)
    text, markdown = found.to_text("stage"), found.to_markdown("stage")
    data = json.loads(json.dumps(found.to_dict("stage")))
    lines = found.to_csv("stage").splitlines()
    notes = [line for line in lines if line.startswith("# ")]
    rows = list(csv.DictReader(io.StringIO("\n".join(lines[len(notes) :]))))
    for shown in (" ".join(text.split()), markdown, "\n".join(notes), data["convention"]):
        assert "Multiply-adds count convolutions and dense layers, of one image" in shown
    for shown in (" ".join(text.split()), markdown, notes[2]):
        assert "148,050,944 multiply-adds + 188,416 normalisation + 188,426 activation" in shown
    assert [int(row["macs"]) for row in rows] == [row["macs"] for row in data["rows"]]
    assert sum(int(row["macs"]) for row in rows) == data["total"]["macs"] == found.macs
    assert rows[2]["output_shape"] == "64x16x16"
    assert data["rows"][2]["output_shape"] == [64, 16, 16]
    assert data["total"]["elementwise"] == found.elementwise
    assert "37,748,736" in next(line for line in text.splitlines() if line.startswith("conv2 "))
    assert "| conv2 |" in markdown
    assert str(found) == found.to_text()
    assert repr(found) == "<Cost of resnet_18: 11,184,650 parameters, 148,050,944 multiply-adds>"
