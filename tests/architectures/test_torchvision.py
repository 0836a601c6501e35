"""Every network after torchvision computes the same as torchvision's, at any size."""

import keras
import numpy as np
import pytest

import torchvision_models
from helpers import computed, images, outline
from torchvision_models import DENSENET, GOOGLENET, INCEPTION_V3, RESNET

torch, models = torchvision_models.load()

ANY = (97, 65), (131, 99)
GOOGLENET_SIZES = (193, 97), (125, 157)  # all feature maps of the second have odd sizes
INCEPTION, WITH_AUXILIARY = ((107, 141), (139, 99)), ((299, 313), (309, 301))
OUTPUTS = 10
LARGE = 50_000_000  # parameters: compared in float32


def slow(*case):
    return pytest.param(*case, marks=pytest.mark.slow)


CHAINS = [("alexnet", "alexnet", None, ANY, {})]
CHAINS += [slow(f"vgg_{n}_bn", f"vgg{n}_bn", None, ANY, {}) for n in (11, 13, 16, 19)]
RESNETS = [
    ("resnet_v1_18", "resnet18"),
    ("resnet_v1_34", "resnet34"),
    ("resnet_v1_5_50", "resnet50"),
    ("resnet_v1_5_101", "resnet101"),
    ("resnet_v1_5_152", "resnet152"),
    ("resnext_50_32x4d", "resnext50_32x4d"),
    ("resnext_101_32x8d", "resnext101_32x8d"),
    ("wide_resnet_50_2", "wide_resnet50_2"),
    ("wide_resnet_101_2", "wide_resnet101_2"),
]
CASES = [
    *CHAINS,
    *((*case, RESNET, ANY, {}) for case in RESNETS[:2]),
    *(slow(*case, RESNET, ANY, {}) for case in RESNETS[2:]),
    ("googlenet_bn", "googlenet", GOOGLENET, GOOGLENET_SIZES, {"include_auxiliary": True}),
    ("inception_v3", "inception_v3", INCEPTION_V3, INCEPTION, {"include_auxiliary": False}),
    slow("inception_v3", "inception_v3", INCEPTION_V3, WITH_AUXILIARY, {"include_auxiliary": True}),
    *(slow(f"densenet_{n}", f"densenet{n}", DENSENET, ANY, {}) for n in (121, 161, 169, 201)),
]


@pytest.fixture(autouse=True)
def _precision_is_left_alone():
    before = keras.config.floatx(), keras.config.dtype_policy()
    yield
    set_precision(*before)


def set_precision(dtype, policy):
    """Let layers compute, and arrays become tensors, in this precision."""
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(policy)


def built(name, twin, **options):
    """Return a model of torchvision with random weights, ours for any size, and their precision."""
    theirs = {} if "include_auxiliary" not in options else {"init_weights": False}
    if theirs:
        theirs["aux_logits"] = options["include_auxiliary"]
    with torch.device("meta"):
        net = getattr(models, twin)(weights=None, num_classes=OUTPUTS, **theirs)
    count = sum(parameter.numel() for parameter in net.parameters())
    dtype = "float32" if count > LARGE else "float64"
    torchvision_models.randomised(net, torch, dtype)
    set_precision(dtype, dtype)
    model = outline(
        name,
        input_shape=(3, None, None),
        num_outputs=OUTPUTS,
        classifier_activation=None,
        data_format="channels_last",
        **options,
    )
    return net, model, dtype


def outputs_of(net, x):
    """Return all outputs of a model, the main one first, the auxiliary ones in their order."""
    # Auxiliary classifiers are computed in training only; dropout and statistics stay as they are.
    net.training = hasattr(net, "aux_logits")
    with torch.no_grad():
        found = net(torch.from_numpy(x))
    if not isinstance(found, tuple):
        return [found.numpy()]
    main, *auxiliary = [output.numpy() for output in found if output is not None]
    return [main, *reversed(auxiliary)]


def compare(title, size, found, expected, precision):
    differences = []
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        range_of_outputs = np.ptp(other, axis=-1).max()  # of what differs between classes
        assert range_of_outputs > 0.1 * np.abs(other).max()
        assert np.ptp(other, axis=0).max() > 1e-2 * np.abs(other).max()  # and between images
        differences.append(np.abs(one - other).max() / range_of_outputs)
    print(f"| {title} | {size[0]} x {size[1]} | {precision} | {max(differences):.1e} |")
    assert max(differences) < (1e-5 if precision == "float32" else 1e-12)


@pytest.mark.parametrize(("name", "twin", "rules", "sizes", "options"), CASES)
def test_logits(name, twin, rules, sizes, options):
    net, model, precision = built(name, twin, **options)
    state = torchvision_models.state_of(net, model, rules)
    title = f"{name}{' with auxiliary' if options.get('include_auxiliary') else ''} | torchvision"
    for size in sizes:
        x = images((3, *size), "channels_first").astype(precision) * [[[[1]]], [[[3]]]]
        x = x.astype(precision)
        expected = outputs_of(net, x)
        compare(title, size, computed(model, state, np.moveaxis(x, 1, -1)), expected, precision)


@pytest.mark.parametrize("depth", [11, slow(13), slow(16), slow(19)])
def test_feature_maps_of_the_papers_vgg(depth):
    """As in the paper, its dense layers take maps of one size; torchvision pools them to 7 x 7."""
    with torch.device("meta"):
        net = getattr(models, f"vgg{depth}")(weights=None).features
    torchvision_models.randomised(net, torch, "float64")
    set_precision("float64", "float64")
    model = outline(
        f"vgg_{depth}",
        input_shape=(3, None, None),
        include_top=False,
        data_format="channels_last",
    )
    state = torchvision_models.state_of(net, model, None)
    for size in ANY:
        x = images((3, *size), "channels_first").astype("float64")
        (expected,) = outputs_of(net, x)
        (found,) = computed(model, state, np.moveaxis(x, 1, -1))
        title = f"vgg_{depth} feature maps | torchvision"
        compare(title, size, [found], [np.moveaxis(expected, 1, -1)], "float64")
