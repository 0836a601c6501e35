import keras
import numpy as np
import pytest

from helpers import FORMATS, images, lively, outline
from keras_convnets import cost, create_model, list_models, parse
from keras_convnets.axes import in_papers_order

# The course notes' figures: trainable parameters with 10 outputs, at these shapes.
PARAMETERS = {
    "notes_resnet_18": ((1, 224, 224), 11_178_378),
    "notes_densenet": ((1, 96, 96), 758_226),
    "notes_alexnet": ((1, 224, 224), 46_764_746),
    "notes_vgg_11": ((3, 224, 224), 128_807_306),
    "notes_googlenet": ((1, 96, 96), 5_977_530),
    "notes_mnist_inception": ((1, 28, 28), 97_298),
    "notes_mnist_resnet": ((1, 28, 28), 41_514),
}

# Shapes, channels first: those that the notes give, and between them those that follow by hand.
SHAPES = {
    "notes_resnet_18": {
        "conv1_relu": (64, 112, 112),
        "conv1_pool": (64, 56, 56),
        "conv2_block2_relu2": (64, 56, 56),
        "conv3_block2_relu2": (128, 28, 28),
        "conv4_block2_relu2": (256, 14, 14),
        "conv5_block2_relu2": (512, 7, 7),
    },
    "notes_densenet": {
        "conv1_pool": (64, 24, 24),
        "dense1_block1_concat": (96, 24, 24),
        "dense1_block4_concat": (192, 24, 24),
        "transition1_pool": (96, 12, 12),
        "dense2_block4_concat": (224, 12, 12),
        "transition2_pool": (112, 6, 6),
        "dense3_block4_concat": (240, 6, 6),
        "transition3_pool": (120, 3, 3),
        "dense4_block4_concat": (248, 3, 3),
        "final_relu": (248, 3, 3),
    },
    "notes_alexnet": {
        "conv1_relu": (96, 54, 54),
        "conv1_pool": (96, 26, 26),
        "conv2_pool": (256, 12, 12),
        "conv3_relu": (384, 12, 12),
        "conv4_relu": (384, 12, 12),
        "conv5_relu": (256, 12, 12),
        "conv5_pool": (256, 5, 5),
        "head_flatten": (6400,),
        "head_dropout": (4096,),
        "head_dropout2": (4096,),
    },
    "notes_vgg_11": {
        "conv1_relu": (64, 224, 224),
        "conv1_pool": (64, 112, 112),
        "conv2_pool": (128, 56, 56),
        "conv3_relu2": (256, 56, 56),
        "conv3_pool": (256, 28, 28),
        "conv4_pool": (512, 14, 14),
        "conv5_pool": (512, 7, 7),
        "head_flatten": (25088,),
        "head_dropout": (4096,),
        "head_dropout2": (4096,),
    },
    "notes_googlenet": {
        "conv1_relu": (64, 48, 48),
        "pool1_pool": (64, 24, 24),
        "conv2_relu": (64, 24, 24),
        "conv2_relu2": (192, 24, 24),
        "pool2_pool": (192, 12, 12),
        "inception3_block1_concat": (256, 12, 12),
        "inception3_block2_concat": (480, 12, 12),
        "pool3_pool": (480, 6, 6),
        "inception4_block1_concat": (512, 6, 6),
        "inception4_block2_concat": (512, 6, 6),
        "inception4_block3_concat": (512, 6, 6),
        "inception4_block4_concat": (528, 6, 6),
        "inception4_block5_concat": (832, 6, 6),
        "pool4_pool": (832, 3, 3),
        "inception5_block1_concat": (832, 3, 3),
        "inception5_block2_concat": (1024, 3, 3),
    },
    "notes_mnist_inception": {
        "conv1_conv": (10, 24, 24),
        "conv1_relu": (10, 12, 12),
        "inception2_block1_concat": (88, 12, 12),
        "conv3_conv": (20, 8, 8),
        "conv3_relu": (20, 4, 4),
        "inception4_block1_concat": (88, 4, 4),
        "head_flatten": (1408,),
    },
    "notes_mnist_resnet": {
        "conv1_relu": (16, 24, 24),
        "conv1_pool": (16, 12, 12),
        "conv2_block1_relu2": (16, 12, 12),
        "conv3_relu": (32, 8, 8),
        "conv3_pool": (32, 4, 4),
        "conv4_block1_relu2": (32, 4, 4),
        "head_flatten": (512,),
    },
}

FLATTENED = ["notes_alexnet", "notes_vgg_11", "notes_mnist_inception", "notes_mnist_resnet"]


def test_there_are_seven():
    assert sorted(list_models("notes_*")) == sorted(PARAMETERS) == sorted(SHAPES)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_and_shapes_of_the_notes(name, data_format):
    model = outline(name, data_format=data_format)
    input_shape, parameters = PARAMETERS[name]
    assert in_papers_order(model.input_shape, data_format) == input_shape
    assert model.output_shape == (None, 10)
    assert cost(model).trainable_params == parameters
    for layer, shape in SHAPES[name].items():
        found = model.get_layer(layer).output.shape
        assert (in_papers_order(found, data_format) if len(found) == 4 else found[1:]) == shape
    assert all(parse(layer.name) for layer in model.layers)


@pytest.mark.parametrize("name", PARAMETERS)
def test_layers_are_made_as_the_notes_make_them(name):
    for layer in outline(name).layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            assert (layer.epsilon, layer.momentum) == (1e-5, 0.9)
        if isinstance(layer, keras.layers.Dropout):
            assert layer.rate == 0.5
        if hasattr(layer, "kernel"):
            assert layer.use_bias


def inside(model, group):
    """Return what a group's layers are called within it, in the order of the model."""
    names = [layer.name for layer in model.layers]
    return [name.removeprefix(f"{group}_") for name in names if name.startswith(f"{group}_")]


def test_names_tell_the_story():
    resnet = outline("notes_resnet_18")
    block = ["conv1", "bn1", "relu1", "conv2", "bn2", "add", "relu2"]
    assert inside(resnet, "conv2_block1") == block
    assert set(inside(resnet, "conv3_block1")) == {*block, "zeros", "shortcut_conv"}
    projections = [layer.name for layer in resnet.layers if "shortcut" in layer.name]
    assert projections == [f"conv{stage}_block1_shortcut_conv" for stage in (3, 4, 5)]
    densenet = outline("notes_densenet")
    assert inside(densenet, "dense2_block3") == ["bn1", "relu1", "conv1", "concat"]
    assert inside(densenet, "transition1") == ["bn", "relu", "conv", "pool"]
    assert inside(outline("notes_mnist_inception"), "conv1") == ["conv", "pool", "relu"]
    assert inside(outline("notes_alexnet"), "head") == [
        *("flatten", "dense", "relu", "dropout", "dense2", "relu2", "dropout2", "dense3")
    ]


@pytest.mark.parametrize("name", sorted(set(PARAMETERS) - set(FLATTENED)))
def test_open_sizes_where_the_head_pools(name):
    assert outline(name, (1, None, None)).output_shape == (None, 10)


@pytest.mark.parametrize("name", FLATTENED)
def test_no_open_sizes_where_the_head_flattens(name):
    with pytest.raises(ValueError, match=r"^input_shape: received None for rows or columns"):
        outline(name, (1, None, None))
    model = outline(name, (1, None, None), include_top=False, pooling="avg")
    maps = in_papers_order(outline(name, include_top=False).output_shape, "channels_last")
    assert model.output_shape == (None, maps[0])


@pytest.mark.parametrize(
    ("name", "smallest", "group"),
    [
        ("notes_resnet_18", 17, "conv5_block1"),
        ("notes_densenet", 29, "transition3"),
        ("notes_alexnet", 65, "conv5"),
        ("notes_vgg_11", 32, "conv5"),
        ("notes_googlenet", 17, "pool4"),
        ("notes_mnist_inception", 16, "conv3"),
        ("notes_mnist_resnet", 16, "conv3"),
    ],
)
def test_an_input_too_small_says_where_it_dies(name, smallest, group):
    assert outline(name, (1, smallest, smallest)).output_shape == (None, 10)
    with pytest.raises(ValueError, match=f"too small for the network's strides: in {group},"):
        outline(name, (1, smallest - 1, smallest))


@pytest.mark.parametrize("name", ["notes_mnist_inception", "notes_mnist_resnet"])
def test_flattened_maps_are_in_one_order_in_both_formats(name):
    first, last = (
        create_model(name, data_format=data_format, classifier_activation=None)
        for data_format in FORMATS
    )
    lively(last)
    first.set_weights(last.get_weights())
    outputs = [
        keras.ops.convert_to_numpy(model(images((1, 28, 28), data_format)))
        for data_format, model in zip(FORMATS, (first, last), strict=True)
    ]
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=0, atol=1e-5 * np.ptp(outputs[0]))
