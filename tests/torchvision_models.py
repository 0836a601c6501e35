"""torchvision's models, with random values."""

import importlib.util
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


def randomised(net, torch, dtype, seed=0):
    """Give a model of the device ``meta`` values through which a signal lasts, none of them alike.

    Where there are gates, they get small kernels and what they scale is small: a signal that grows
    from block to block would open or close them all, and deep networks would be chaotic. The model
    is in the mode for inference afterwards.
    """
    rng, dtype = np.random.default_rng(seed), np.dtype(dtype).type
    has_gates = any(".se" in key for key in net.state_dict())

    def value(key, shape):
        if key.endswith("num_batches_tracked"):
            return np.zeros(shape, np.int64)
        if len(shape) > 1:
            noise = rng.random(shape, dtype) - dtype(0.5)  # quicker to make than a normal one
            reach = 0.2 if ".se" in key else 1
            noise *= dtype(reach * np.sqrt(12 * 2 / np.prod(shape[1:])))
            return noise
        if key.endswith(("weight", "running_var")):
            reach = 0.3 if has_gates and key.endswith("bn3.weight") else 1
            return (reach * rng.uniform(0.6, 1.4, shape)).astype(dtype)
        return (0.2 * rng.standard_normal(shape)).astype(dtype)

    state = {key: value(key, tuple(tensor.shape)) for key, tensor in net.state_dict().items()}
    tensors = {key: torch.from_numpy(np.asarray(array)) for key, array in state.items()}
    net.load_state_dict(tensors, assign=True)
    return net.eval()
