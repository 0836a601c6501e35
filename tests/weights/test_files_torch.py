"""Files as PyTorch itself writes them, of random tensors; and ours, as it reads them."""

import random
import re

import numpy as np
import pytest

from keras_convnets.weights.formats import writing
from keras_convnets.weights.formats.formats import read

torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file  # noqa: E402 - needs PyTorch

KINDS = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32]
KINDS += [torch.int16, torch.int8, torch.uint8, torch.bool]
WAYS = {
    "zip": lambda tensors, path: torch.save(tensors, path),
    "zip, protocol 5": lambda tensors, path: torch.save(tensors, path, pickle_protocol=5),
    "legacy": lambda tensors, path: torch.save(tensors, path, _use_new_zipfile_serialization=False),
    "legacy, protocol 4": lambda tensors, path: torch.save(
        tensors, path, pickle_protocol=4, _use_new_zipfile_serialization=False
    ),
    "safetensors": lambda tensors, path: save_file(
        {name: tensor.contiguous().clone() for name, tensor in tensors.items()}, path
    ),
}


def tensors(seed):
    """Return random tensors by name, some of which are views of others."""
    chance = random.Random(seed)
    torch.manual_seed(seed)
    found = {}
    for number in range(chance.randrange(1, 30)):
        shape = [chance.choice((0, 1, 2, 3, 7)) for _ in range(chance.randrange(5))]
        tensor = (100 * torch.randn(shape)).to(chance.choice(KINDS))
        way = chance.randrange(6)
        if way == 0 and shape:
            tensor = tensor.transpose(0, -1)
        elif way == 1 and shape and shape[0]:
            tensor = tensor[:: chance.choice((1, 2))][: chance.choice((1, 2, 3))]
        elif way == 2 and len(shape) == 4:
            tensor = tensor.contiguous(memory_format=torch.channels_last)
        elif way == 3 and tensor.is_floating_point():
            tensor = torch.nn.Parameter(tensor)
        elif way == 4 and found:
            tensor = chance.choice(list(found.values()))
        elif way == 5 and tensor.is_contiguous():
            tensor = tensor.reshape(-1)
        found[f"layer{number}.weight"] = tensor
    return found


def array_of(tensor):
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(12))
def test_what_pytorch_writes_is_read_bit_for_bit(way, seed, tmp_path):
    expected = tensors(seed)
    WAYS[way](expected, tmp_path / "weights")
    found = read(tmp_path / "weights").arrays
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        array = array_of(tensor)
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("seed", range(12))
def test_what_is_written_is_read_by_pytorch(seed, tmp_path):
    written = {name: array_of(tensor) for name, tensor in tensors(seed).items()}
    writing.write(tmp_path / "weights.safetensors", written)
    found = load_file(tmp_path / "weights.safetensors")
    assert found.keys() == written.keys()
    for name, array in written.items():
        assert found[name].numpy().dtype == array.dtype
        np.testing.assert_array_equal(found[name].numpy(), array)


@pytest.mark.parametrize("new", [True, False])
def test_checkpoints(new, tmp_path):
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.BatchNorm2d(2))
    average = torch.optim.swa_utils.AveragedModel(model)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(2, 3, 5, 5)).sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=9)
    scaler = torch.amp.GradScaler("cpu")
    beside = {"optimizer": optimizer.state_dict(), "lr_scheduler": schedule.state_dict()}
    beside |= {"epoch": 1, "rng": torch.get_rng_state(), "scaler": scaler.state_dict()}
    plain = model.state_dict()
    compiled = {f"_orig_mod.{name}": tensor for name, tensor in plain.items()}
    for weights, taken, prefix in (
        ({"model": plain}, "model", ""),
        ({"model": plain, "model_ema": average.state_dict()}, "model_ema", "module."),
        ({"model_state": compiled}, "model_state", "_orig_mod."),
    ):
        torch.save(weights | beside, tmp_path / "w", _use_new_zipfile_serialization=new)
        found = read(tmp_path / "w")
        assert found.arrays.keys() == model.state_dict().keys()
        assert found.prefix == prefix
        assert found.taken.startswith(f"{taken}; also there: ")
        assert "optimizer" in found.taken


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize(
    ("value", "says"),
    [
        (torch.nn.Linear(2, 2), "a whole object of class torch.nn.modules.linear.Linear"),
        ({"model": torch.nn.Linear(2, 2)}, "no tensors, but an object of class torch.nn"),
        (torch.optim.SGD([torch.nn.Parameter(torch.ones(1))]).state_dict(), "an optimizer"),
        (torch.ones(2), "a single tensor"),
        ({"a": torch.ones(2, dtype=torch.complex64)}, "'a' is a tensor of a kind that is not read"),
        ({"a": torch.ones(2).to(torch.float8_e5m2)}, "torch.float8_e5m2"),
        ({"a": torch.ones(2).to_sparse()}, "_rebuild_sparse_tensor"),
        ({"a": torch.ones(1).expand(9)}, "values are repeated"),
        ({"g": {"a": torch.ones(1)}, "d": {"a": torch.ones(1)}}, "several state dicts: 'g', 'd'"),
    ],
)
def test_what_is_no_state_dict(value, says, new, tmp_path):
    torch.save(value, tmp_path / "w", _use_new_zipfile_serialization=new)
    with pytest.raises(ValueError, match=re.escape(says)):
        read(tmp_path / "w")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_scripted_program(tmp_path):
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), tmp_path / "w")
    with pytest.raises(ValueError, match="a TorchScript archive"):
        read(tmp_path / "w")
