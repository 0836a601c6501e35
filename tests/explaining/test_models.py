"""Models of every kind: nested, of keras.applications, of several outputs, ours; and bad input."""

import keras
import numpy as np
import pytest
from PIL import Image

from helpers import FORMATS, outline, skip_where_it_cannot_run
from keras_convnets import create_model, explain
from keras_convnets.explaining.feature_layer import feature_layer
from keras_convnets.explaining.maps.methods import METHODS
from keras_convnets.inference.compiled import forward, to_numpy
from keras_convnets.keras_private import without_values
from keras_convnets.training import Preprocessing
from keras_convnets.zoo import find, one_output

layers = keras.layers
IMAGES = np.random.default_rng(0).normal(size=(3, 16, 16, 3)).astype(np.float32)
CAMS = ["grad_cam", "grad_cam_plus_plus", "score_cam"]


def backbone(name="backbone", activation="relu"):
    """Return feature maps of 4 x 4, of two convolutions."""
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 3))
    x = layers.Conv2D(6, 3, strides=2, padding="same", activation=activation, name="conv1")(image)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation=activation, name="conv2")(x)
    return keras.Model(image, x, name=name)


def flat(activation="relu"):
    """Return a classifier without a model in it."""
    base = backbone(activation=activation)
    x = layers.Dense(5, "softmax", name="scores")(layers.Flatten()(base.output))
    return keras.Model(base.input, x, name="flat")


@pytest.fixture(scope="module")
def model():
    return flat()


@pytest.fixture(scope="module")
def nested(model):
    """The same with its backbone as one layer, of the same weights."""
    base = backbone()
    x = layers.Dense(5, "softmax", name="scores")(layers.Flatten()(base(base.input)))
    whole = keras.Sequential([keras.Input((16, 16, 3)), base, layers.Flatten(), layers.Dense(5)])
    made = keras.Model(base.input, x, name="nested")
    for one in (whole, made):
        one.set_weights(model.get_weights())
    return made, whole


@pytest.mark.parametrize("method", METHODS)
def test_a_backbone_within_is_looked_into(model, nested, method):
    wanted = explain(model, IMAGES, method).maps
    for one in nested:
        assert explain(one, IMAGES, method).maps == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("layer", ["conv1", "backbone/conv1"])
def test_a_layer_within_is_found_by_its_name(model, nested, layer):
    found = explain(nested[0], IMAGES, layer=layer)
    assert found.layer == "backbone/conv1"
    assert found.maps == pytest.approx(explain(model, IMAGES, layer="conv1").maps, abs=1e-6)
    assert explain(nested[0], IMAGES, layer="backbone").layer == "backbone/conv2"


@pytest.mark.parametrize("data_format", FORMATS)
def test_stages_of_ours_are_named(data_format):
    skip_where_it_cannot_run(data_format, "float32")
    ours = create_model("cifar_resnet_20", (3, 16, 16), 4, data_format=data_format)
    images = IMAGES if data_format == "channels_last" else IMAGES.transpose(0, 3, 1, 2)
    found = [explain(ours, images, layer=name) for name in ("conv2", "conv3_block1", None)]
    assert [one.layer for one in found] == [
        *("conv2_block3_relu2", "conv3_block1_relu2", "conv4_block3_relu2"),
    ]
    wanted = to_numpy(forward(ours)(images))
    assert found[0].probabilities == pytest.approx(wanted, abs=1e-6)
    assert (found[0].labels == wanted.argmax(axis=1)).all()
    explain(ours, images, "guided_saliency")


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        ("VGG16", "block5_conv3"),
        ("DenseNet121", "relu"),
        ("MobileNetV2", "out_relu"),
        ("ResNet50V2", "post_relu"),
    ],
)
def test_the_default_layer_is_the_last_before_pooling(network, layer):
    with without_values():
        built = getattr(keras.applications, network)(weights=None)
    found = feature_layer(built, None, (3, 224, 224))
    assert found.name == layer
    assert found.size == ((14, 14) if network == "VGG16" else (7, 7))


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        ("lenet_5", "conv2_tanh"),
        ("alexnet", "conv5_relu"),
        ("googlenet", "inception5_block2_concat"),
        ("nin", "conv3_relu3"),
        ("densenet_121", "final_relu"),
        ("resnet_v1_5_50", "conv5_block3_relu3"),
    ],
)
def test_the_default_layer_of_ours_is_not_one_of_a_head(network, layer):
    shape = find(network).published.input_shape
    found = feature_layer(outline(network, **one_output(network)), None, shape)
    assert found.name == layer


def test_each_of_several_outputs_has_maps_of_its_own():
    keras.utils.set_random_seed(1)
    base = flat()
    aux = layers.GlobalAveragePooling2D()(base.get_layer("conv1").output)
    aux = layers.Dense(5, "softmax", name="aux")(aux)
    both = keras.Model(base.input, [base.output, aux], name="both")
    main, second = (explain(both, IMAGES, output=number) for number in (None, 1))
    assert main.maps == pytest.approx(explain(base, IMAGES).maps, abs=1e-6)
    assert second.maps == pytest.approx(explain(keras.Model(base.input, aux), IMAGES).maps)
    assert explain(both, IMAGES, output="aux").layer == second.layer == "conv1"
    with pytest.raises(ValueError, match="output: received 2; expected one of the 2 outputs"):
        explain(both, IMAGES, output=2)
    with pytest.raises(ValueError, match="layer: received 'conv2'; expected one of"):
        explain(both, IMAGES, output="aux", layer="conv2")


def test_an_average_of_softmaxes_is_explained_by_its_logarithm(model):
    twice = layers.Average()([model.output, model.output])
    found = explain(keras.Model(model.input, twice), IMAGES)
    assert found.probabilities == pytest.approx(explain(model, IMAGES).probabilities, abs=1e-6)


def test_activations_that_come_apart_are_left_out_as_well(model):
    keras.utils.set_random_seed(0)
    base = backbone()
    x = layers.Dense(5)(layers.Flatten()(base.output))
    for end in (layers.Activation("softmax"), layers.Softmax(), keras.ops.softmax):
        apart = keras.Model(base.input, layers.Activation("linear")(end(x)))
        apart.set_weights(model.get_weights())
        assert explain(apart, IMAGES).maps == pytest.approx(explain(model, IMAGES).maps, abs=1e-6)


def test_the_model_stays_as_it_is(model):
    before = model.to_json(), [weight.numpy().copy() for weight in model.weights]
    outputs = model.predict_on_batch(IMAGES)
    for method in METHODS:
        explain(model, IMAGES, method)
    assert model.to_json() == before[0]
    for weight, was in zip(model.weights, before[1], strict=True):
        np.testing.assert_array_equal(weight.numpy(), was)
    np.testing.assert_array_equal(model.predict_on_batch(IMAGES), outputs)
    assert model.get_layer("scores").activation is keras.activations.softmax


@pytest.mark.parametrize("method", METHODS)
def test_batches_of_any_size_give_the_same(model, method):
    wanted = explain(model, IMAGES, method)
    found = explain(model, IMAGES, method, batch_size=2)
    assert found.maps == pytest.approx(wanted.maps, abs=1e-6)
    assert found.files == ("image 0", "image 1", "image 2")


def test_images_are_pixels_where_they_are_not_floats(model):
    """They are prepared as `classify` prepares them."""
    pixels = np.random.default_rng(2).integers(0, 256, (2, 20, 18, 3), np.uint8)
    how = Preprocessing(3, 16, 16, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.2))
    found = explain(model, pixels, preprocessing=how)
    prepared = np.asarray(how(pixels))
    assert found.maps == pytest.approx(explain(model, prepared).maps, abs=1e-6)
    shown = np.asarray(Preprocessing(3, 16, 16, scale=1)(pixels))
    assert np.abs(found.pictures - shown).max() <= 1
    Image.fromarray(pixels[0]).save("a.png")
    named = explain(model, ["a.png", pixels[1]], preprocessing=how, class_names=list("abcde"))
    assert named.files == ("a.png", "image 1")
    assert named.maps == pytest.approx(found.maps, abs=1e-6)
    assert set(named.names) <= set("abcde")


def test_classes_are_chosen_by_label_or_name_for_all_or_each(model):
    names = ["cat", "dog", "cow", "hen", "pig"]
    each = explain(model, IMAGES, class_index=["dog", 4, 0], class_names=names)
    assert each.names == ("dog", "pig", "cat")
    one = explain(model, IMAGES, class_index="dog", class_names=names)
    assert one.maps[0] == pytest.approx(each.maps[0])
    assert one[[2, 0]].names == ("dog", "dog")
    assert one[1].files == ("image 1",)
    assert [len(part) for part in one] == [1, 1, 1]


# ruff: noqa: ISC004
BAD = {
    "a model without feature maps": (
        lambda: explain(_dense(), IMAGES),
        "has no feature maps: none of its layers outputs rows and columns of what a convolution "
        "has computed; expected a convolutional network. Pass one; of explain's methods",
    ),
    "a layer that is not there": (
        lambda: explain(flat(), IMAGES, layer="conv7"),
        "layer: received 'conv7'; expected one of 'conv1', 'conv2', 'scores', the stages of the "
        "model, or one of its blocks or layers. Did you mean 'conv2' or 'conv1'?",
    ),
    "a layer without feature maps": (
        lambda: explain(flat(), IMAGES, layer="scores"),
        r"layer: received 'scores', which outputs \(5,\); expected feature maps",
    ),
    "a layer for a method that takes none": (
        lambda: explain(flat(), IMAGES, "occlusion", layer="conv1"),
        "layer: received 'conv1' with method='occlusion', which looks at the image alone",
    ),
    "another size": (
        lambda: explain(flat(), IMAGES[:, 1:]),
        "images: received float32 of 3 × 15 × 16 × 3; expected [?] × 16 × 16 × 3, as flat takes",
    ),
    "pixels that nobody says how to prepare": (
        lambda: explain(flat(), np.zeros((2, 16, 16, 3), np.uint8)),
        "preprocessing: received none, and flat does not know how its images are prepared",
    ),
    "NaN": (
        lambda: explain(flat(), IMAGES * np.nan),
        "images: received NaN or infinity; expected numbers",
    ),
    "no images": (
        lambda: explain(flat(), IMAGES[:0]),
        "images: received none; expected at least one",
    ),
    "a class out of range": (
        lambda: explain(flat(), IMAGES, class_index=5),
        "class_index: received 5; expected a label from 0 to 4, or a name of a class, such as '0'",
    ),
    "a class that is none": (
        lambda: explain(flat(), IMAGES, class_index="dgo", class_names=["dog", "b", "c", "d", "e"]),
        "class_index: received 'dgo'; .* Did you mean 'dog'?",
    ),
    "too many classes": (
        lambda: explain(flat(), IMAGES, class_index=[0, 1]),
        "class_index: received 2 classes for at least 3 images; expected one class, or one for",
    ),
    "another method": (
        lambda: explain(flat(), IMAGES, "gradcam"),
        "method: received 'gradcam'; expected one of 'grad_cam', .* Did you mean 'grad_cam'",
    ),
    "an option of another method": (
        lambda: explain(flat(), IMAGES, steps=9),
        "steps: received it with method='grad_cam'; expected an option of this method: none",
    ),
    "a patch as large as the image": (
        lambda: explain(flat(), IMAGES, "occlusion", patch=16),
        "patch: received a patch of 16 at each 8 pixels, for images of 16 x 16; expected a smaller",
    ),
    "a baseline of another shape": (
        lambda: explain(flat(), IMAGES, "integrated_gradients", baseline=(1, 2)),
        r"baseline: received \(1, 2\); expected a number, or 3 of them, one a channel",
    ),
    "no ReLU": (
        lambda: explain(flat("tanh"), IMAGES, "guided_saliency"),
        r"'guided_saliency' for flat, whose activations are tanh \(2\); expected ReLU",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_one_line(case):
    act, line = BAD[case]
    with pytest.raises(ValueError, match=line) as caught:
        act()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", ["grad_cam", "guided_saliency", "integrated_gradients"])
@pytest.mark.parametrize("how", [keras.ops.stop_gradient, keras.ops.sign])
def test_a_model_without_gradient_is_refused(method, how):
    base = backbone()
    x = layers.Dense(5, "softmax")(layers.Flatten()(how(base.output)))
    line = "the class scores of .* have no gradient to its images or feature maps"
    with pytest.raises(ValueError, match=line):
        explain(
            keras.Model(base.input, x), IMAGES, method, layer="conv2" if "cam" in method else None
        )


def test_normalised_images_are_told_from_pixels(model):
    from keras_convnets.known import Known, remember

    knowing = flat()
    how = Preprocessing(3, 16, 16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    remember(knowing, Known(preprocessing=how.to_config()))
    assert explain(knowing, IMAGES / 4).maps.shape == (3, 16, 16)
    line = "images: received floats from .* expected them as flat takes them, from -2 to 2"
    with pytest.raises(ValueError, match=line):
        explain(knowing, np.abs(IMAGES) * 60)


def _dense():
    return keras.Sequential(
        [keras.Input((16, 16, 3)), layers.Flatten(), layers.Dense(4, "relu"), layers.Dense(3)]
    )
