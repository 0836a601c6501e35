"""torchvision's models, and the names that their weights have in this package.

Every rule below is total: each tensor of a state dict has one place in the Keras model, and each
weight of the Keras model is given one tensor.
"""

import importlib.util
import re
import warnings

import numpy as np
import pytest


def load():
    """Return ``torch`` and ``torchvision.models``; skip what calls this where either is missing."""
    torch = pytest.importorskip("torch", reason="networks are compared with torchvision's")
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("networks are compared with torchvision's", allow_module_level=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of decoders for images, which no model needs
        try:
            import torchvision
        except RuntimeError:  # operator torchvision::nms does not exist
            _stub_operators(torch)
            import torchvision
    return torch, torchvision.models


def _stub_operators(torch):
    """Declare the compiled operators that torchvision asks for when it is imported.

    They belong to its object detectors. Its wheels are compiled for one build of PyTorch, so that
    with another, such as that for CPUs, they are missing.
    """
    for operator in ("nms", "qnms"):
        signature = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        torch.library.define(f"torchvision::{operator}", signature)


def number(n):
    """Return the number of a layer in its group as its name ends in it: nothing for the first."""
    return "" if int(n) == 1 else str(int(n))


# Patterns of a module's path in torchvision, and the name of the Keras layer.
RESNET = (
    (r"conv1", lambda: "conv1_conv"),
    (r"bn1", lambda: "conv1_bn"),
    (
        r"layer(\d)\.(\d+)\.((?:conv|bn)\d)",
        lambda stage, block, layer: f"{_block(stage, block)}_{layer}",
    ),
    (
        r"layer(\d)\.(\d+)\.downsample\.([01])",
        lambda stage, block, n: f"{_block(stage, block)}_shortcut_{('conv', 'bn')[int(n)]}",
    ),
    (r"fc", lambda: "head_dense"),
)
DENSENET = (
    (r"features\.conv0", lambda: "conv1_conv"),
    (r"features\.norm0", lambda: "conv1_bn"),
    (r"features\.norm5", lambda: "final_bn"),
    (
        r"features\.denseblock(\d)\.denselayer(\d+)\.(norm|conv)(\d)",
        lambda stage, block, kind, n: f"dense{stage}_block{block}_{KINDS[kind]}{n}",
    ),
    (
        r"features\.transition(\d)\.(norm|conv)",
        lambda stage, kind: f"transition{stage}_{KINDS[kind]}",
    ),
    (r"classifier", lambda: "head_dense"),
)
KINDS = {"norm": "bn", "conv": "conv"}
GOOGLENET = (
    (r"conv([12])\.(conv|bn)", lambda n, kind: f"conv{n}_{kind}"),
    (r"conv3\.(conv|bn)", lambda kind: f"conv2_{kind}2"),
    (
        r"inception(\d)([a-e])\.branch([1-4])(?:\.([01]))?\.(conv|bn)",
        lambda stage, letter, branch, n, kind: (
            f"inception{stage}_block{'abcde'.index(letter) + 1}_{GOOGLENET_BRANCHES[branch]}"
            f"_{kind}{number(int(n or 0) + 1 if branch != '4' else 1)}"
        ),
    ),
    (r"aux(\d)\.conv\.(conv|bn)", lambda n, kind: f"aux{n}_{kind}"),
    (r"aux(\d)\.fc(\d)", lambda n, layer: f"aux{n}_dense{number(layer)}"),
    (r"fc", lambda: "head_dense"),
)
GOOGLENET_BRANCHES = {"1": "branch1x1", "2": "branch3x3", "3": "branch5x5", "4": "branch_pool"}
INCEPTION_V3 = (
    (r"Conv2d_1a_3x3\.(conv|bn)", lambda kind: f"conv1_{kind}"),
    (r"Conv2d_2a_3x3\.(conv|bn)", lambda kind: f"conv2_{kind}"),
    (r"Conv2d_2b_3x3\.(conv|bn)", lambda kind: f"conv2_{kind}2"),
    (r"Conv2d_3b_1x1\.(conv|bn)", lambda kind: f"conv3_{kind}"),
    (r"Conv2d_4a_3x3\.(conv|bn)", lambda kind: f"conv4_{kind}"),
    (
        r"Mixed_(\d)([a-e])\.(branch(?:_pool|[0-9a-z]+))(?:_(\d)([ab]?))?\.(conv|bn)",
        lambda stage, letter, branch, n, half, kind: (
            f"{_mixed(stage, letter)}_{branch}_"
            + (f"split{SPLIT[half]}_{kind}" if half else f"{kind}{number(n or 1)}")
        ),
    ),
    (r"AuxLogits\.conv([01])\.(conv|bn)", lambda n, kind: f"aux1_{kind}{number(int(n) + 1)}"),
    (r"AuxLogits\.fc", lambda: "aux1_dense"),
    (r"fc", lambda: "head_dense"),
)
SPLIT = {"a": "1x3", "b": "3x1"}
# The rows and columns of the maps that are flattened before a dense layer.
FLATTENED = {"classifier.1": 6, "classifier.0": 7, "aux1.fc1": 4, "aux2.fc1": 4}
BN = {"weight": "gamma", "bias": "beta"}
BN |= {"running_mean": "moving_mean", "running_var": "moving_variance"}


def _block(stage, block):
    return f"conv{int(stage) + 1}_block{int(block) + 1}"


def _mixed(stage, letter):
    """Return our name of TF-Slim's ``Mixed_5b`` and so on: 6a and 7a are the reductions."""
    if letter == "a":
        return f"reduction{stage}"
    return f"inception{stage}_block{'bcde'.index(letter) + 1}"


def randomised(net, torch, dtype, seed=0):
    """Give a model of the device ``meta`` values through which a signal lasts, none of them alike.

    The model is in the mode for inference afterwards.
    """
    rng, dtype = np.random.default_rng(seed), np.dtype(dtype).type

    def value(key, shape):
        if len(shape) > 1:
            noise = rng.random(shape, dtype) - dtype(0.5)  # quicker to make than a normal one
            noise *= dtype(np.sqrt(12 * 2 / np.prod(shape[1:])))
            return noise
        if key.endswith(("weight", "running_var")):
            return rng.uniform(0.6, 1.4, shape).astype(dtype)
        return (0.2 * rng.standard_normal(shape)).astype(dtype)

    state = {key: value(key, tuple(tensor.shape)) for key, tensor in net.state_dict().items()}
    tensors = {key: torch.from_numpy(np.asarray(array)) for key, array in state.items()}
    net.load_state_dict(tensors, assign=True)
    return net.eval()


def state_of(net, model, rules):
    """Return the values of a Keras model's variables that are those of a torchvision model.

    ``rules`` are patterns such as `RESNET`; ``None`` for a chain of layers, which has them in the
    same order.
    """
    values = {}
    chain = iter([layer.name for layer in model.layers if layer.weights])
    for path, module in net.named_modules():
        tensors = dict(module.state_dict()) if not list(module.children()) else {}
        tensors.pop("num_batches_tracked", None)
        if tensors:
            layer = next(chain) if rules is None else _layer(path, rules)
            for name, tensor in tensors.items():
                variable, array = _variable(path, name, tensor.numpy(), len(tensors))
                assert f"{layer}/{variable}" not in values
                values[f"{layer}/{variable}"] = array
    variables = model.trainable_variables, model.non_trainable_variables
    state = [[_value(variable, values) for variable in kind] for kind in variables]
    assert not values, f"tensors without a place: {sorted(values)}"
    return state


def _layer(path, rules):
    found = [(match, name) for pattern, name in rules if (match := re.fullmatch(pattern, path))]
    ((match, name),) = found
    return name(*match.groups())


def _variable(path, name, array, count):
    if array.ndim == 1:
        return (BN[name] if count == 4 else "bias"), array
    if array.ndim == 4:
        return "kernel", array.transpose(2, 3, 1, 0)
    if path in FLATTENED:
        size, outputs = FLATTENED[path], len(array)
        maps = array.reshape(outputs, -1, size, size).transpose(2, 3, 1, 0)
        return "kernel", maps.reshape(-1, outputs)
    return "kernel", array.T


def _value(variable, values):
    if variable.path.split("/")[-1].startswith("seed"):
        return np.zeros(variable.shape, variable.dtype)  # of dropout, which is not used
    value = values.pop(variable.path)
    assert value.shape == variable.shape, variable.path
    return value
