"""The table of the benchmark on accelerators, and what it makes of a device that is too small."""

import dataclasses
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))


def row(**facts):
    from benchmarks.gpu_rows import Row

    known = {"macs": 4_089_184_256, "speed": 4000.0, "memory": 10_850_000_000}
    device = "NVIDIA H100 80GB HBM3, Keras 3.15.1 on jax 0.11.2"
    return Row(
        "resnet_v1_5_50", **{"phase": "training", "batch": 256, "device": device, **known, **facts}
    )


def test_training_makes_the_multiply_adds_of_inference_three_times():
    from benchmarks.gpu_rows import share_of_peak

    trained = share_of_peak(row(), "mixed_bfloat16")
    assert trained == pytest.approx(4000 * 3 * 2 * 4_089_184_256 / 989e12)
    assert share_of_peak(row(phase="inference"), "mixed_bfloat16") == pytest.approx(trained / 3)


@pytest.mark.parametrize(
    ("device", "tflops"),
    [
        ("NVIDIA H100 80GB HBM3", 989),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA H200", 989),
        ("NVIDIA A100-SXM4-40GB", 312),
        ("NVIDIA L4", 121),
        ("NVIDIA L40S", 362),
        ("Tesla V100-SXM2-16GB", None),
        ("Intel(R) Xeon(R) Processor, 2 threads", None),
    ],
)
def test_peaks_are_found_by_the_name_of_the_device(device, tflops):
    from benchmarks.gpu_rows import peak

    assert peak(device, "mixed_bfloat16") == (tflops and tflops * 1e12)
    assert peak(device, "float32") is None


def test_the_table_beside_another_packages():
    from benchmarks.gpu_rows import as_table

    ours = [row(), row(batch=512, speed=None, memory=None, reason="out of memory")]
    others = [row(speed=2000.0), row(batch=512, speed=2100.0)]
    lines = as_table(ours, "mixed_bfloat16", others).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0][-2:] == ["torchvision", "ratio"]
    assert cells[2] == [
        "resnet_v1_5_50", "training", "256", "4,000", "9.9%", "10.85", "2,000", "2.00",
    ]  # fmt: skip
    assert cells[3] == [
        "resnet_v1_5_50", "training", "512", "out of memory", "—", "—", "2,100", "—",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes"), True),
        (type("ResourceExhaustedError", (Exception,), {})("OOM when allocating tensor"), True),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory. Tried to"), True),
        (ValueError("Unrecognized data type"), False),
    ],
)
def test_what_says_that_memory_is_short(error, expected):
    from benchmarks.gpu_rows import is_out_of_memory

    assert is_out_of_memory(error) is expected


def test_what_follows_a_batch_that_is_too_large_is_too_large(monkeypatch):
    from benchmarks import gpu_torch
    from benchmarks.gpu_work import Work

    tried = []

    class Side:
        macs, device = 7, "a device"

        def __init__(self, work):
            pass

        def training(self, batch):
            tried.append(batch)
            if batch > 2:
                raise MemoryError
            return lambda steps: steps * 0.25

        def most_memory(self):
            return 5

    monkeypatch.setattr(gpu_torch, "Side", Side)
    work = Work("a", "training", [1, 2, 4, 8], None, "float32", 3, 1.0, 2, of_torchvision=True)
    rows = list(work.rows())
    assert [one.speed for one in rows] == [4.0, 8.0, None, None]
    assert [one.reason for one in rows] == ["", "", "out of memory", "out of memory"]
    assert tried == [1, 2, 4]
    assert not any(one.failed for one in rows)
    assert dataclasses.replace(rows[-1], reason="exit code -6").failed
