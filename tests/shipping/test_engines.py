"""Every runtime opens its files, computes what they say, and refuses what is none of them."""

import concurrent.futures
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import tiny_exports
from keras_convnets.shipping.engines import kinds
from keras_convnets.shipping.engines.kinds import KINDS, LITERT, ONNX, OPENVINO, SAVED_MODEL
from keras_convnets.shipping.engines.opening import open_engine

for module in ("onnx", "onnxruntime", "ai_edge_litert", "openvino"):
    pytest.importorskip(module, reason="runtimes: pip install '.[onnx,litert,openvino]'")
if keras.backend.backend() != "tensorflow":
    pytest.skip("exports are made by TensorFlow", allow_module_level=True)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    return {
        SAVED_MODEL: tiny_exports.saved_model(folder / "tiny"),
        ONNX: tiny_exports.onnx_file(folder / "tiny.onnx"),
        LITERT: tiny_exports.litert_file(folder / "tiny.tflite"),
        OPENVINO: tiny_exports.openvino_file(folder / "tiny.xml"),
    }


@pytest.fixture(scope="module")
def engines(written):
    return {kind: open_engine(path) for kind, path in written.items()}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_any_number_of_images_gives_probabilities(engines, kind):
    engine = engines[kind]
    assert (engine.kind, engine.about, engine.dtype) == (kind, None, "float32")
    assert engine.shape == (None, 8, 8, 3)
    assert engine.version[0].isdigit()
    for count in (3, 1, 5):
        batch = tiny_exports.images(count)
        found = engine.run(batch)
        assert (found.dtype, found.shape) == (np.float32, (count, 4))
        np.testing.assert_allclose(found, tiny_exports.expected(batch), atol=2e-6)
    assert np.ptp(found, axis=0).min() > 0.05  # the images differ


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_many_threads_get_their_own_answers(engines, kind):
    batches = [tiny_exports.images(1 + seed % 3, seed) for seed in range(64)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(engines[kind].run, batches))
    for outputs, batch in zip(found, batches, strict=True):
        np.testing.assert_allclose(outputs, tiny_exports.expected(batch), atol=2e-6)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    ("batch", "shown"),
    [
        (np.zeros((2, 8, 8, 3)), "an array of float64, (2, 8, 8, 3)"),
        (np.zeros((2, 8, 8, 3), "uint8"), "an array of uint8, (2, 8, 8, 3)"),
        (np.zeros((2, 3, 8, 8), "float32"), "an array of float32, (2, 3, 8, 8)"),
        (np.zeros((8, 8, 3), "float32"), "an array of float32, (8, 8, 3)"),
        (np.zeros((0, 8, 8, 3), "float32"), "an array of float32, (0, 8, 8, 3)"),
        ([[1]], "[[1]]"),
    ],
    ids=range(6),
)
def test_what_is_no_batch_is_refused(engines, kind, batch, shown):
    with pytest.raises(ValueError) as caught:
        engines[kind].run(batch)
    assert str(caught.value) == (
        f"batch: received {shown}; expected an array of float32, (images, 8, 8, 3). Prepare the "
        "images as the file's metadata says."
    )


def test_a_file_of_one_number_of_images_takes_any(tmp_path):
    engine = open_engine(tiny_exports.onnx_file(tmp_path / "four.onnx", batch=4))
    assert engine.shape[0] is None
    for count in (1, 4, 9):
        batch = tiny_exports.images(count)
        np.testing.assert_allclose(engine.run(batch), tiny_exports.expected(batch), atol=2e-6)


@pytest.mark.parametrize(("dtype", "taken"), [("FLOAT16", "float32"), ("UINT8", "uint8")])
def test_inputs_of_other_types(tmp_path, dtype, taken):
    engine = open_engine(tiny_exports.onnx_file(tmp_path / "other.onnx", dtype=dtype))
    assert engine.dtype == taken
    batch = np.float32(np.float16(tiny_exports.images()))
    batch = batch if taken == "float32" else np.uint8(np.clip(batch, 0, 1) * 3)
    np.testing.assert_allclose(engine.run(batch), tiny_exports.expected(batch), atol=2e-6)


def test_integers_are_quantised_and_back(tmp_path):
    engine = open_engine(tiny_exports.litert_file(tmp_path / "int8.tflite", whole_numbers=True))
    assert engine.dtype == "float32"
    batch = tiny_exports.images(40)
    found, right = engine.run(batch), tiny_exports.expected(batch)
    assert found.dtype == np.float32
    assert 1e-4 < np.abs(found - right).max() < 0.15
    assert (found.argmax(1) == right.argmax(1)).mean() > 0.9
    assert np.abs(found.sum(1) - 1).max() < 0.02
    np.testing.assert_array_equal(found * 256, np.rint(found * 256))
    far = engine.run(batch * 100)  # outside what int8 can hold: the nearest, not wrapped around
    assert np.isfinite(far).all()
    assert (far.argmax(1) == engine.run(np.clip(batch * 100, -1, 1)).argmax(1)).all()


@pytest.mark.parametrize("kind", [ONNX, LITERT, OPENVINO], ids=lambda kind: kind.name)
def test_a_number_of_threads(written, kind):
    engine = open_engine(written[kind], threads=1)
    batch = tiny_exports.images()
    np.testing.assert_allclose(engine.run(batch), tiny_exports.expected(batch), atol=2e-6)


def test_threads_that_cannot_be_had(written, engines):
    engines[SAVED_MODEL].run(tiny_exports.images())
    with pytest.raises(
        ValueError, match="threads: received 77; expected .*TF_NUM_INTRAOP_THREADS=77"
    ):
        open_engine(written[SAVED_MODEL], threads=77)
    for threads in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="threads: received"):
            open_engine(written[ONNX], threads=threads)


def refused(path):
    with pytest.raises(ValueError) as caught:
        open_engine(path)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 700
    return line


def test_no_such_file(tmp_path):
    for name in ("none.onnx", "none.tflite", "none.xml", "none", "none/none.onnx"):
        path = tmp_path / name
        line = f"path: received {str(path)!r}; there is no such file. Name one that exists."
        assert refused(path) == line


def test_suffixes_that_no_runtime_has(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"1")
    assert "expected a name that ends in .onnx, .tflite, .xml" in refused(tmp_path / "model.keras")


def test_folders_that_are_no_saved_models(tmp_path):
    assert "a folder without saved_model.pb" in refused(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"nonsense")
    assert "TensorFlow cannot open" in refused(tmp_path)
    (tmp_path / "a.onnx").mkdir()
    assert "it is a folder; expected a file" in refused(tmp_path / "a.onnx")
    (tmp_path / "file").write_bytes(b"")
    assert "it is a file; expected a folder" in refused(tmp_path / "file")


def test_only_regular_files_are_opened(tmp_path):
    for name in ("a.onnx", "a.tflite", "a.xml"):
        os.mkfifo(tmp_path / name)
        assert "it is a pipe, socket or device; expected a file" in refused(tmp_path / name)


@pytest.mark.parametrize("kind", [ONNX, LITERT, OPENVINO], ids=lambda kind: kind.name)
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.99])
def test_files_that_are_cut_off(written, tmp_path, kind, share):
    whole = written[kind].read_bytes()
    path = tmp_path / f"cut{kind.suffix}"
    path.write_bytes(whole[: int(share * len(whole))])
    path.with_suffix(".bin").write_bytes(b"\0" * 9999)
    assert str(path) in refused(path)


def test_openvino_without_all_of_its_weights(written, tmp_path):
    path = tmp_path / "tiny.xml"
    path.write_bytes(written[OPENVINO].read_bytes())
    assert "without tiny.bin beside it" in refused(path)
    path.with_suffix(".bin").write_bytes(written[OPENVINO].with_suffix(".bin").read_bytes()[:-8])
    assert "OpenVINO cannot open" in refused(path)


def test_a_network_of_two_outputs(tmp_path):
    import onnx

    model = onnx.load(tiny_exports.onnx_file(tmp_path / "two.onnx"))
    model.graph.output.append(onnx.helper.make_tensor_value_info("logits", 1, ["batch", 4]))
    onnx.save(model, tmp_path / "two.onnx")
    assert "has 2 outputs; expected one" in refused(tmp_path / "two.onnx")


def test_a_runtime_that_is_missing(written, monkeypatch):
    find = kinds.importlib.util.find_spec
    missing = lambda name: None if name == "onnxruntime" else find(name)  # noqa: E731
    monkeypatch.setattr(kinds.importlib.util, "find_spec", missing)
    assert refused(written[ONNX]) == (
        "ONNX Runtime: received no package onnxruntime; expected it, for .onnx. Install it: pip "
        "install 'keras_convnets[onnx]'."
    )


def test_nothing_is_printed(written):
    program = """
import sys
import numpy as np
from keras_convnets.shipping.engines.opening import open_engine
for path in sys.argv[1:]:
    open_engine(path).run(np.zeros((2, 8, 8, 3), "float32"))
"""
    paths = [str(written[kind]) for kind in (LITERT, ONNX, OPENVINO)]
    done = subprocess.run([sys.executable, "-c", program, *paths], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_saved_model_has_the_layout_of_tensorflow_serving(tmp_path):
    import tensorflow as tf

    from keras_convnets import ResnetBuilder
    from keras_convnets.shipping.export.graph import graph_of
    from keras_convnets.shipping.export.writers import write

    model = ResnetBuilder.build((3, 16, 16), 4, "basic_block", (1,))
    version = tmp_path / "flowers" / "1"
    version.parent.mkdir()
    write(SAVED_MODEL, graph_of(model), version, "float32")
    assert (version / "saved_model.pb").is_file()
    assert (version / "variables").is_dir()
    loaded = tf.saved_model.load(str(version))
    assert list(loaded.signatures) == ["serving_default"]
    signature = loaded.signatures["serving_default"]
    [(name, spec)] = signature.structured_input_signature[1].items()
    assert (name, spec.shape.as_list(), spec.dtype) == ("images", [None, 16, 16, 3], tf.float32)
    assert list(signature.structured_outputs) == ["probabilities"]
