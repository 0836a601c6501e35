"""Exported files with the preprocessing inside say what `classify` says, in each runtime."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from helpers import lively
from keras_convnets import ResnetBuilder, classify
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.shipping.engines.kinds import KINDS, OPENVINO
from keras_convnets.shipping.engines.opening import open_engine
from keras_convnets.shipping.export.graph import graph_of
from keras_convnets.shipping.export.writers import write

for module in ("onnxruntime", "tf2onnx", "ai_edge_litert", "openvino"):
    pytest.importorskip(module, reason="runtimes: pip install '.[onnx,litert,openvino]'")
if keras.backend.backend() != "tensorflow":
    pytest.skip("exports are made by TensorFlow", allow_module_level=True)

COLOUR = Preprocessing(
    *(3, 40, 40, 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    resize="crop",
    shorter_side=46,
)
GREY = Preprocessing(1, 28, 32, mean=(0.3,), std=(0.35,), interpolation="bicubic")
CASES = {"colour": (COLOUR, "channels_last"), "grey": (GREY, "channels_first")}


@pytest.fixture(scope="module")
def networks():
    """Two networks, of which one takes grey images, channels first."""
    return {
        name: lively(
            ResnetBuilder.build(
                *(how.image_shape, 7, "basic_block", (1, 1)), data_format=data_format
            ),
            kernels=0.8,
        )
        for name, (how, data_format) in CASES.items()
    }


def batches():
    """Photographs, and parts of them in odd and extreme sizes."""
    flower, temple = load_sample_images().images
    both = np.stack([flower, temple])
    yield both
    yield both[:1, ::3, ::2]
    yield both[:, 100:147, 200:231]
    yield both[1:, 200:201, 100:400]
    yield both[:, :90, 50:52]
    yield np.ascontiguousarray(both[:, 20:48, 30:62])


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_files_say_of_photographs_what_classify_says(tmp_path, networks, kind, case):
    """One session takes batches of all sizes."""
    model, (how, _) = networks[case], CASES[case]
    path = tmp_path / f"net{kind.suffix}"
    write(kind, graph_of(model, how), path, "float32")
    engine = open_engine(path)
    assert (engine.shape, engine.dtype) == ((None, None, None, 3), "uint8")
    outputs = []
    for pixels in batches():
        expected = classify(model, list(pixels), how).probabilities
        found = engine.run(pixels)
        np.testing.assert_allclose(found, expected, atol=1e-3)
        assert np.array_equal(found.argmax(1), expected.argmax(1))
        outputs.extend(found)
    assert 0.04 < np.ptp(outputs, axis=0).max() < 0.99  # the images differ, and do not saturate
    for wrong in (
        np.zeros((1, 0, 9, 3), np.uint8),
        np.zeros((1, 9, 9, 2), np.uint8),
        np.zeros((1, 9, 9, 4), np.uint8),
        np.zeros((1, 9, 9, 3), np.float32),
        np.zeros((9, 9, 3), np.uint8),
    ):
        with pytest.raises(ValueError, match=r"^batch: received .*; expected .*any, any, 3"):
            engine.run(wrong)
    assert np.isfinite(engine.run(np.full((1, 1, 1, 3), 9, np.uint8))).all()


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_places_of_pixels_keep_their_digits_in_openvino(tmp_path, precision):
    """The middle of the 200th row, 199.5, has more digits than bfloat16."""
    how = Preprocessing(3, 200, 16, 1, resize="stretch")
    pixels = keras.Input((200, 16, 3))
    model = keras.Model(pixels, keras.layers.Flatten()(pixels))
    path = tmp_path / "pixels.xml"
    write(OPENVINO, graph_of(model, how), path, precision)
    images = next(batches())
    found = open_engine(path).run(images).reshape(2, 200, 16, 3)
    assert np.abs(found - how(images)).max() < 0.1  # of 255 levels
