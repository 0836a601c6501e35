"""Write the small weight files that the tests read without PyTorch.

    python scripts/keep_weights.py tests/data/weights

They are what torch 2.13.0, safetensors and onnx write: the same state dict as a legacy stream, a
zip and a checkpoint with a moving average, and ``expected.npz``: its arrays, with bfloat16 as
float32.
"""

from __future__ import annotations

import argparse
import collections
import pathlib
import sys
from pathlib import Path

import numpy as np
import onnx
import safetensors.torch
import torch

LEGACY = {"_use_new_zipfile_serialization": False}


def main(folder: Path) -> None:
    """Write the files to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = state_dict()
    torch.save(tensors, folder / "zip.pth")
    torch.save(tensors, folder / "legacy.pth", **LEGACY)
    torch.save(checkpoint(tensors), folder / "checkpoint_zip.pth")
    torch.save(checkpoint(tensors), folder / "checkpoint_legacy.pth", **LEGACY)
    torch.save(torch.nn.Sequential(torch.nn.Linear(2, 1)), folder / "module.pth")
    safetensors.torch.save_file(
        {name: tensor.contiguous().clone() for name, tensor in tensors.items()},
        folder / "weights.safetensors",
    )
    arrays = {name: array_of(tensor) for name, tensor in tensors.items()}
    np.savez_compressed(folder / "expected.npz", **arrays)
    (folder / "weights.onnx").write_bytes(model(arrays))


def state_dict() -> collections.OrderedDict[str, torch.Tensor]:
    """Return tensors of each kind: shared, transposed, cut, empty, without axes."""
    torch.manual_seed(0)
    kernel = torch.randn(4, 3, 2, 2)
    return collections.OrderedDict(
        {
            "conv1.weight": kernel,
            "conv1.last": kernel.contiguous(memory_format=torch.channels_last),
            "conv1.shared": kernel[1:3, :, ::2],
            "fc.weight": torch.randn(3, 2).t(),
            "fc.bias": torch.randn(2).bfloat16(),
            "fc.half": torch.randn(3).half(),
            "fc.double": torch.randn(2, dtype=torch.double),
            "bn.num_batches_tracked": torch.tensor(7),
            "bn.mask": torch.tensor([True, False]),
            "bn.bytes": torch.arange(3, dtype=torch.uint8),
            "bn.none": torch.zeros(0, 3),
            "head.weight": torch.nn.Parameter(torch.randn(2)),
        }
    )


def checkpoint(tensors: dict[str, torch.Tensor]) -> dict[str, object]:
    """Return what a training script keeps: the average is the state dict above."""
    weights = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weights], 0.1, momentum=0.9)
    weights.grad = torch.ones(3)
    optimizer.step()
    return {
        "epoch": 3,
        "arch": "resnet50",
        "state_dict": {f"module.{name}": torch.zeros_like(one) for name, one in tensors.items()},
        "optimizer": optimizer.state_dict(),
        "args": argparse.Namespace(lr=0.1, out=pathlib.PurePosixPath("out")),
        "best_acc1": torch.tensor(76.0),
        "metric": np.float64(0.5),
        "state_dict_ema": {f"module._orig_mod.{name}": one for name, one in tensors.items()},
    }


def array_of(tensor: torch.Tensor) -> np.ndarray:
    """Return a tensor as an array; bfloat16 as float32."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def model(arrays: dict[str, np.ndarray]) -> bytes:
    """Return an ONNX file with the arrays as initialisers: bytes, and numbers in turn."""
    initialisers = [
        onnx.numpy_helper.from_array(array, name)
        if number % 2 or array.dtype == np.float16
        else onnx.helper.make_tensor(
            name,
            onnx.helper.np_dtype_to_tensor_dtype(array.dtype),
            array.shape,
            array.ravel().tolist(),
        )
        for number, (name, array) in enumerate(arrays.items())
    ]
    graph = onnx.helper.make_graph([], "kept", [], [], initialisers)
    return onnx.helper.make_model(graph).SerializeToString()


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
