"""torchvision's networks, and how PyTorch trains and runs them at its fastest on this machine."""

from __future__ import annotations

import contextlib
import itertools
import os
from typing import Any

from benchmarks.turns import Call

HALVES = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}
"""The type that PyTorch's autocast computes in under a Keras policy of mixed precision."""

TWIN = "cifar_resnet_20"
"""The network that torchvision lacks; its twin is written here."""


def torch_and_torchvision() -> tuple[Any, Any]:
    """Import PyTorch and torchvision, with as many threads as TensorFlow has.

    A torchvision built for CUDA lacks its operators on a CPU build of PyTorch. Its import fails
    because it looks up two of them, although the networks need none.
    """
    import torch

    threads = os.environ.get("TF_NUM_INTRAOP_THREADS") or len(os.sched_getaffinity(0))
    torch.set_num_threads(int(threads))
    try:
        import torchvision
    except RuntimeError:
        for operator in ("nms", "qnms"):
            signature = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            torch.library.define(f"torchvision::{operator}", signature)
        import torchvision
    return torch, torchvision


def network(torch: Any, torchvision: Any, name: str, size: int, classes: int = 1000) -> Any:
    """Return torchvision's network without weights, for images of the given size."""
    if name == TWIN:
        return twin(torch, classes)
    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    model = getattr(torchvision.models, name)(weights=None, num_classes=classes, **options)
    if name == "vgg16":
        # Its adaptive pooling outputs 7 x 7 for any size; the others' dense layers adapt.
        model.avgpool = torch.nn.Identity()
        model.classifier[0] = torch.nn.Linear(512 * (size // 32) ** 2, 4096)
    return model


def twin(torch: Any, classes: int = 10) -> Any:
    """Return ResNet-20 for CIFAR as He et al. 2015 describe it, with shortcuts of option A."""
    from torch import nn
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self, before: int, channels: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(before, channels, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(channels)
            self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(channels)
            self.relu = nn.ReLU(inplace=True)
            self.stride, self.more = stride, channels - before

        def forward(self, x: Any) -> Any:
            y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            if self.more:
                x = x[:, :, :: self.stride, :: self.stride]
                x = functional.pad(x, (0, 0, 0, 0, 0, self.more))
            return self.relu(y + x)

    widths = [16, *[16] * 3, *[32] * 3, *[64] * 3]
    pairs = list(itertools.pairwise(widths))
    blocks = [Block(a, b, 1 if a == b else 2) for a, b in pairs]
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes)]
    return nn.Sequential(*stem, *blocks, *head)


def parameters(model: Any) -> int:
    """Return the number of trainable parameters."""
    return sum(weight.numel() for weight in model.parameters())


def autocast(torch: Any, precision: str) -> Any:
    """Return the context in which PyTorch computes as Keras does under a policy."""
    if precision not in HALVES:
        return contextlib.nullcontext()
    return torch.autocast(device(torch), getattr(torch, HALVES[precision]))


def device(torch: Any) -> str:
    """Return the device that PyTorch computes on: the first GPU, or the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def training_step(
    torch: Any, model: Any, images: Any, labels: Any, precision: str, weight_decay: float = 0.0
) -> Call:
    """Return a step of SGD with momentum on a batch, in channels_last, which is faster.

    Args:
        torch: the package.
        model: a network that outputs logits.
        images: the batch as a NumPy array, channels last.
        labels: its classes as a NumPy array.
        precision: the Keras policy to compute as.
        weight_decay: the decay of the kernels of convolutions, as ``set_weight_decay`` takes it.
    """
    where = device(torch)
    model.to(where, memory_format=torch.channels_last).train()
    kernels = [weight for weight in model.parameters() if weight.ndim == 4]
    others = [weight for weight in model.parameters() if weight.ndim != 4]
    groups = [{"params": kernels, "weight_decay": weight_decay}, {"params": others}]
    optimizer = torch.optim.SGD([one for one in groups if one["params"]], 0.01, momentum=0.9)
    batch = torch.from_numpy(images).to(where).permute(0, 3, 1, 2)
    truth = torch.from_numpy(labels).to(where)

    def step() -> float:
        optimizer.zero_grad()
        with autocast(torch, precision):
            loss = torch.nn.functional.cross_entropy(model(batch), truth)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def inference(torch: Any, model: Any, images: Any, precision: str) -> Call:
    """Return the forward pass of a network on a batch, in channels_last, in evaluation mode."""
    where = device(torch)
    model.to(where, memory_format=torch.channels_last).eval()
    batch = torch.from_numpy(images).to(where).permute(0, 3, 1, 2)

    def call() -> Any:
        with torch.inference_mode(), autocast(torch, precision):
            return model(batch).float().cpu()

    return call
