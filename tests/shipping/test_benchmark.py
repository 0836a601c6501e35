"""A benchmark times engines in turn, sees wrong outputs, and leaves out what cannot run."""

import csv
import io
import itertools
import json

import keras
import numpy as np
import pytest

from helpers import lively
from keras_convnets import ResnetBuilder, create_model
from keras_convnets.shipping.benchmark import in_a_process, measuring, ways
from keras_convnets.shipping.benchmark.benchmark import benchmark
from keras_convnets.shipping.benchmark.comparing import agreement, difference
from keras_convnets.shipping.benchmark.contender import Contender, Taken
from keras_convnets.shipping.benchmark.figure import plot_benchmark
from keras_convnets.shipping.benchmark.machine import Machine
from keras_convnets.shipping.benchmark.measuring import measured, memories
from keras_convnets.shipping.benchmark.preparing import Prepared, Wanted
from keras_convnets.shipping.benchmark.result import Benchmark, LeftOut, Measurement
from keras_convnets.shipping.benchmark.turns import LEAST, in_turn
from keras_convnets.shipping.engines import kinds

if keras.backend.backend() != "tensorflow":
    pytest.skip("the engines are TensorFlow's and exports by it", allow_module_level=True)

MACHINE = Machine("a processor", 2, "CPU", "Linux x86_64", {"keras": "3.15.1"})


class Clock:
    """A clock that goes on when something is called, by as much as that takes."""

    def __init__(self):
        self.now, self.log = 0.0, []

    def __call__(self):
        return self.now

    def call(self, name, seconds):
        def call():
            took = next(seconds)
            self.now += took
            self.log.append((name, took))

        return call

    def sleep(self, seconds):
        self.log.append(("rest", seconds))


def test_engines_take_turns_each_after_a_rest_and_a_call_that_is_not_timed():
    clock = Clock()
    calls = [clock.call("a", itertools.cycle([9, 1])), clock.call("b", itertools.cycle([9, 2]))]
    took = in_turn(calls, 1.0, clock, clock.sleep)
    assert took == [[1] * LEAST, [2] * LEAST]  # without the calls after the rests, of 9 seconds
    names = [name for name, _ in clock.log]
    one, other = ["rest", "a", "a"], ["rest", "b", "b"]
    assert names[:12] == [*one, *other, *other, *one]


def test_short_calls_are_timed_several_times_a_turn_and_all_for_as_long_as_asked():
    clock = Clock()
    calls = [clock.call(name, itertools.repeat(took)) for name, took in (("a", 1 / 16), ("b", 3))]
    fast, slow = in_turn(calls, 30.0, clock, clock.sleep)
    assert len(slow) >= 10
    assert sum(fast) + sum(slow) >= 60
    assert len(fast) == 3 * len(slow)  # 0.2 seconds a turn


def contender(outputs, name="a", way="predict", group="a", taken=None):
    return Contender(
        *(name, ways.WAYS[way], "float32", outputs, taken or Taken((8, 8, 3))),
        *(SAVED[0], group),
    )


SAVED = []


@pytest.fixture(autouse=True)
def _saved(tmp_path):
    SAVED[:] = [tmp_path / "model.keras"]
    SAVED[0].write_bytes(bytes(1000))


def wanted(batches, tmp_path):
    return Wanted((), ("float32",), batches, None, 1, tmp_path, lambda _: None)


def test_a_wrong_engine_is_seen_and_one_that_fails_is_left_out(tmp_path):
    def right(batch):
        return np.eye(4, dtype=np.float32)[np.arange(len(batch)) % 4]

    def wrong(batch):
        return right(batch)[:, ::-1]

    def small(batch):
        if len(batch) > 1:
            raise RuntimeError("too\nmany")
        return right(batch)

    def broken(batch):
        return right(batch) if len(batch) == 1 else np.full_like(right(batch), np.nan)

    ways_of = {"predict": right, "onnx": wrong, "xla": small, "litert": broken}
    prepared = Prepared([contender(run, way=way) for way, run in ways_of.items()])
    rows = measured(prepared, wanted((1, 4), tmp_path), 0.001, {})
    assert [(row.engine, row.batch, row.difference, row.agreement) for row in rows] == [
        ("predict", 1, 0, 1),
        ("onnx", 1, 1, 0),
        ("xla", 1, 0, 1),
        ("litert", 1, 0, 1),
        ("predict", 4, 0, 1),
        ("onnx", 4, 1, 0),
    ]
    assert rows[0].ratio == 1
    assert rows[1].ratio == pytest.approx(rows[1].median / rows[0].median)
    assert all(row.median <= row.p95 and row.calls >= LEAST for row in rows)
    assert [one.words for one in prepared.left_out] == [
        "left out: TensorFlow, XLA with a: with 4 images: RuntimeError: too many",
        "left out: LiteRT with a: with 4 images: it returns NaN or infinity",
    ]


def test_engines_that_take_the_same_images_share_one_batch(tmp_path):
    batches = []

    def run(batch):
        batches.append(batch)
        return np.eye(len(batch), 4, dtype=np.float32)

    first = Taken((8, 8, 3), channels_last=False)
    measured(
        Prepared([contender(run), contender(run, "b"), contender(run, "c", taken=first)]),
        *(wanted((2,), tmp_path), 0.001, {}),
    )
    assert len({id(batch) for batch in batches[3:]}) == 2


def test_only_engines_of_one_network_with_the_same_images_are_compared(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "in_turn", lambda calls, seconds: [[0.2], [0.3], [0.5]])

    def run(batch):
        return np.eye(len(batch), 4, dtype=np.float32)

    prepared = Prepared(
        [
            contender(run),
            contender(run, "b", group="b"),
            contender(run, "c", taken=Taken((4, 4, 3))),
        ]
    )
    first, other, larger = measured(prepared, wanted((2,), tmp_path), 0.001, {})
    assert (first.ratio, other.ratio, other.difference) == (1, 1, 0)
    assert larger.ratio == 2.5
    assert (larger.difference, larger.agreement) == (None, None)


def test_differences_are_of_the_largest_output_and_no_number_is_none():
    first = np.float32([[0.1, 0.4], [0.3, 0.2]])
    assert difference(first + np.float32([[0, 0.1], [0, 0]]), first) == pytest.approx(0.25, 1e-5)
    assert difference(first * np.nan, first) == np.inf
    assert difference(first[:, :1], first) == np.inf
    assert agreement(first[:, ::-1], first) == 0
    assert agreement(np.float32([[0, 1], [0, 1]]), first) == 0.5
    assert agreement(first[:, :1], first) == 0
    assert agreement(first[:, :1], first[:, :1]) is None  # a single class is always the first


def test_images_are_the_same_in_either_layout_and_type():
    last, first = Taken((4, 5, 3)), Taken((4, 5, 3), channels_last=False)
    assert (last.batch(2).shape, first.batch(2).shape) == ((2, 4, 5, 3), (2, 3, 4, 5))
    np.testing.assert_array_equal(last.batch(2).transpose(0, 3, 1, 2), first.batch(2))
    np.testing.assert_array_equal(last.batch(2), last.batch(2))
    assert Taken((4, 5, 3), "uint8").batch(2).dtype == np.uint8
    assert last.input_shape == (3, 4, 5)


def row(**changes):
    values = {
        "model": "net",
        "engine": "predict",
        "precision": "float32",
        "batch": 8,
        "input_shape": (3, 224, 224),
        "median": 0.4,
        "p95": 0.5,
        "calls": 7,
        "ratio": 1.0,
        "memory_bytes": 812_000_000,
        "file_bytes": 102_400_000,
        "difference": 0.0,
        "agreement": 1.0,
    }
    return Measurement(**values | changes)


def result(*rows, left_out=()):
    return Benchmark(rows, tuple(left_out), MACHINE, "2026-01-01T00:00:00+00:00", ("a note.",))


def test_the_table_and_the_facts():
    left_out = LeftOut("net", "litert", "int8", "it has no such operation")
    found = result(
        row(),
        row(engine="onnx", precision="int8", median=0.0991, ratio=0.248, memory_bytes=None,
            difference=3e-4, agreement=0.875),
        left_out=[left_out],
    )  # fmt: skip
    heading, _, first, second, _, *notes = found.to_text().splitlines()
    assert heading.split("   ")[0] == "engine"
    assert first.split() == (
        ["Keras", "predict", "8", "400", "500", "20.0", "1.00", "812", "102.4", "0e+00", "100.0%"]
    )  # fmt: skip
    assert second.split() == [
        "ONNX",
        "Runtime,",
        "int8",
        "8",
        "99.1",
        "500",
        "80.7",
        "0.248",
        "102.4",
        "3e-04",
        "87.5%",
    ]
    text = " ".join(notes)
    assert "net, images of 3 × 224 × 224, on 2 threads of a processor; keras 3.15.1" in text
    assert "a note." in text
    assert "left out: LiteRT in int8 with net: it has no such operation" in text
    facts = json.loads(json.dumps(found.to_dict()))
    assert facts["measurements"][0]["images_per_second"] == pytest.approx(20)
    assert facts["machine"]["threads"] == 2
    assert facts["left_out"] == [
        {
            "model": "net",
            "engine": "litert",
            "precision": "int8",
            "reason": "it has no such operation",
        }
    ]
    lines = [line for line in found.to_csv().splitlines() if line[0] != "#"]
    (one, other) = csv.DictReader(io.StringIO("\n".join(lines)))
    assert (one["median"], other["memory_bytes"]) == ("0.4", "")
    assert found.to_markdown().splitlines()[2].startswith("| Keras predict | 8 | 400 | 500 |")


def test_several_models_have_a_column_and_a_narrow_console_has_fewer():
    found = result(row(), row(model="other", engine="onnx"))
    assert found.to_text().startswith("model")
    narrow = found.to_text(74).splitlines()[0]
    assert "difference" not in narrow
    assert len(narrow) <= 74


@pytest.mark.parametrize("slowest", [0.4, 40])
def test_the_figure(slowest, tmp_path):
    rows = [row(median=slowest, p95=2 * slowest), row(engine="onnx", median=0.3)]
    file = tmp_path / "speed.svg"
    plot_benchmark(result(*rows, row(batch=1)), file)
    drawn = file.read_text()
    assert "prefers-color-scheme: dark" in drawn
    with pytest.raises(ValueError, match="to_file: received 'speed.gif'"):
        plot_benchmark(result(*rows), "speed.gif")


@pytest.fixture(scope="module")
def tiny():
    return lively(ResnetBuilder.build((3, 16, 16), 10, "basic_block", (1, 1)))


@pytest.fixture(scope="module")
def found(tiny):
    for module in ("onnxruntime", "tf2onnx", "ai_edge_litert", "openvino"):
        pytest.importorskip(module, reason="engines: pip install '.[onnx,litert,openvino]'")
    return benchmark(tiny, list(ways.WAYS), (1, 3), seconds=0.01, memory=False)


def test_all_engines_say_the_same(found, tiny):
    rows = [(one.engine, one.batch) for one in found.measurements]
    assert rows == [(name, batch) for batch in (1, 3) for name in ways.WAYS]
    assert found.left_out == ()
    for one in found.measurements:
        assert one.model == tiny.name
        assert one.agreement == 1
        assert one.difference < 1e-4
        assert 0 < one.median <= one.p95
        assert one.file_bytes > 4 * 100_000  # the parameters
        assert one.memory_bytes is None
    assert {"keras", "tensorflow", "onnxruntime", "openvino"} <= found.machine.versions.keys()


def test_files_are_in_the_precision_that_they_say(tiny):
    """A SavedModel has that of its graph; a model in mixed precision is exported from float32."""
    found = benchmark(
        {"exact": tiny, "mixed": in_mixed_precision(tiny)},
        *(["saved_model"], [1], ["float32", "float16"]),
        seconds=0.01,
        memory=False,
    )
    assert found.left_out == ()
    exact, half, mixed, mixed_half = (one.file_bytes for one in found.measurements)
    assert half < 0.75 * exact
    assert (mixed, mixed_half) == pytest.approx((exact, half), rel=0.1)


def in_mixed_precision(model):
    def copied(layer):
        return type(layer).from_config(layer.get_config() | {"dtype": "mixed_bfloat16"})

    copy = keras.models.clone_model(model, clone_function=copied)
    copy.set_weights(model.get_weights())
    return copy


def test_a_missing_converter_is_a_line_with_its_extra(tiny, monkeypatch):
    pytest.importorskip("onnxruntime", reason="engines: pip install '.[onnx]'")
    find = kinds.importlib.util.find_spec
    monkeypatch.setattr(
        kinds.importlib.util, "find_spec", lambda name: None if name == "tf2onnx" else find(name)
    )
    found = benchmark(tiny, ["predict", "onnx"], seconds=0.01, memory=False)
    assert "Install it: pip install 'keras_convnets[onnx]'" in found.left_out[0].reason


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    pytest.importorskip("onnxruntime", reason="engines: pip install '.[onnx,litert]'")
    pytest.importorskip("ai_edge_litert", reason="engines: pip install '.[onnx,litert]'")
    import tiny_exports

    folder = tmp_path_factory.mktemp("files")
    return [
        tiny_exports.onnx_file(folder / "tiny.onnx"),
        tiny_exports.litert_file(folder / "tiny.tflite"),
    ]


def test_exported_files_are_measured_as_they_are(files):
    told = []
    found = benchmark(files, seconds=0.01, tell=told.append)
    assert [(one.model, one.engine) for one in found.measurements] == [
        (str(files[0]), "onnx"),
        (str(files[1]), "litert"),
    ]
    for one, file in zip(found.measurements, files, strict=True):
        assert one.file_bytes == file.stat().st_size
        if in_a_process.is_known():
            assert 20e6 < one.memory_bytes < 400e6  # without TensorFlow
    assert any("measuring the memory" in line for line in told)


def test_what_would_take_this_process_along_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(in_a_process, "_WORKER", "dies")
    (tmp_path / "dies.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    prepared = Prepared([contender(None)])
    assert memories(prepared, wanted((1,), tmp_path)) == {}
    assert prepared.contenders == []
    assert prepared.left_out[0].reason == "its process was ended by SIGSEGV"
    (tmp_path / "dies.py").write_text("import os\nos.write(2, b'no such \\xff model\\n')")
    prepared = Prepared([contender(None)])
    assert memories(prepared, wanted((1,), tmp_path)) == {}
    assert prepared.left_out == []
    assert prepared.notes == [
        "memory: that of Keras predict with a is not known: no such \ufffd model"
    ]


def test_a_model_that_an_engine_cannot_take_is_a_line(tiny):
    found = benchmark(tiny, ["predict", "saved_model"], precisions=["int8"], seconds=0.01,
                      memory=False)  # fmt: skip
    assert [one.engine for one in found.measurements] == ["predict"]
    assert found.left_out[0].words == (
        f"left out: TensorFlow SavedModel in int8 with {tiny.name}: it has no int8; expected "
        "float32, float16, bfloat16"
    )
    with pytest.raises(ValueError, match="engines: none can run what was given .left out: Tens"):
        benchmark(tiny, ["saved_model"], precisions=["int8"], seconds=0.01, memory=False)


class NoGraph(keras.Model):
    def call(self, x):
        return x


def test_what_is_refused(tiny, tmp_path, monkeypatch):
    def refused(expected, *arguments, **options):
        with pytest.raises(ValueError, match=expected):
            benchmark(*arguments, **options)

    refused("models: received none", [])
    refused("models: received 3; expected a list", 3)
    refused(f"models: received '{tiny.name}' twice", [tiny, tiny])
    refused("models: received 'x.txt'|path: received 'x.txt'", "x.txt")
    refused("path: received 'x.onnx'; there is no such file", "x.onnx")
    refused("engines: received 'onx'; expected one of .* Did you mean 'onnx'", tiny, ["onx"])
    refused("engines: received .*each once", tiny, ["xla", "xla"])
    refused("engines: received .*one or more", tiny, [])
    refused("batches: received 0|batches: received .0", tiny, batches=[0])
    refused("batches: received .*each once", tiny, batches=[8, 8])
    refused("precisions: received 'float8'", tiny, precisions=["float8"])
    refused("precisions: received .*each once", tiny, precisions=[])
    refused("seconds: received 0", tiny, seconds=0)
    refused("threads: received 0", tiny, threads=0)
    refused("threads: received 77; expected .* which TensorFlow has begun", tiny, threads=77)
    refused("input_shape: received .*expected 3 channels", tiny, input_shape=(1, 16, 16))
    refused("memory: a batch of 2,000,000,000 images", tiny, batches=[2_000_000_000])
    two = keras.Model(tiny.input, [tiny.output, tiny.output])
    refused("models: received .* expected one input of images and one output", two)
    refused("model: received <NoGraph .*expected a functional model, or a Sequential", [NoGraph()])
    monkeypatch.setattr(ways, "check_installed", _missing)
    refused("OpenVINO: received no package openvino", tiny, ["openvino"])


def _missing(kind):
    raise ValueError(f"{kind.runtime}: received no package {kind.modules[0]}")


def test_open_sizes_are_asked_for():
    model = create_model("cifar_resnet_20", (3, None, None))
    with pytest.raises(ValueError, match="input_shape: received none with 'cifar_resnet_20'"):
        benchmark(model, ["compiled"], seconds=0.01, memory=False)
    found = benchmark(
        model, ["compiled"], input_shape=(3, 8, 8), seconds=0.01, memory=False
    )  # fmt: skip
    assert found.measurements[0].input_shape == (3, 8, 8)
