"""A classifier of a few numbers in the files of every runtime, written by their own tools."""

import contextlib
import io

import numpy as np

from keras_convnets import quiet

ROWS, CHANNELS, CLASSES = 8, 3, 4
_RNG = np.random.default_rng(0)
KERNEL = _RNG.normal(0, 3, (CHANNELS, CLASSES)).astype("float32")
BIAS = _RNG.normal(0, 0.1, CLASSES).astype("float32")


def images(count=3, seed=1):
    """Return images of values around 0, which differ in their colours."""
    rng = np.random.default_rng(seed)
    tints = rng.uniform(-0.8, 0.8, (count, 1, 1, CHANNELS))
    return (tints + rng.uniform(-0.2, 0.2, (count, ROWS, ROWS, CHANNELS))).astype("float32")


def expected(batch):
    """Return the probabilities of a batch of float32, computed in float64."""
    logits = batch.astype("float64").mean((1, 2)) @ KERNEL + BIAS
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def onnx_file(path, batch="batch", dtype="FLOAT"):
    """Write an ONNX file that takes any number of images, or only one number."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Gemm", ["mean", "kernel", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    shape = [batch, ROWS, ROWS, CHANNELS]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", getattr(TensorProto, dtype), shape)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [batch, CLASSES])],
        [numpy_helper.from_array(KERNEL, "kernel"), numpy_helper.from_array(BIAS, "bias")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def openvino_file(path):
    """Write an OpenVINO file and its weights, by way of ONNX."""
    import openvino

    source = onnx_file(path.with_name("source_of_openvino.onnx"))
    openvino.save_model(openvino.convert_model(source), path, compress_to_fp16=False)
    source.unlink()
    return path


def _function():
    import tensorflow as tf

    spec = tf.TensorSpec((None, ROWS, ROWS, CHANNELS), tf.float32, "images")

    @tf.function(input_signature=[spec], autograph=False)
    def classify(images):
        logits = tf.reduce_mean(images, (1, 2)) @ KERNEL + BIAS
        return {"probabilities": tf.nn.softmax(logits)}

    return classify


def saved_model(path):
    """Write a SavedModel with the signature of serving."""
    import tensorflow as tf

    module = tf.Module()
    tf.saved_model.save(module, str(path), signatures=_function())
    return path


def litert_file(path, whole_numbers=False):
    """Write a LiteRT file, in integers throughout if asked."""
    import tensorflow as tf

    with warnings_off(), quiet.held_back(), contextlib.redirect_stderr(io.StringIO()):
        concrete = _function().get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
        if whole_numbers:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([image[None]] for image in images(50, 2))
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        path.write_bytes(converter.convert())
    return path


@contextlib.contextmanager
def warnings_off():
    """Let a converter warn of its own future."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
