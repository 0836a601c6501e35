"""An export is proved by its own runtime, and nothing is left of one that is not."""

import dataclasses
import json
import os
import re

import keras
import numpy as np
import pytest

from keras_convnets import ResnetV1Builder, export
from keras_convnets.images.labelled import from_array
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.known import Known, remember
from keras_convnets.shipping.card.place import read_card
from keras_convnets.shipping.engines.kinds import KINDS, check_installed, kind_of
from keras_convnets.shipping.engines.metadata import about_of
from keras_convnets.shipping.export.overlap import Overlap
from keras_convnets.shipping.export.samples import Samples
from keras_convnets.shipping.export.usual import of_run
from keras_convnets.training import evaluate
from keras_convnets.training.data.loading import LabelledImages

if keras.backend.backend() != "tensorflow":
    pytest.skip("exports are made by TensorFlow", allow_module_level=True)

NAMES = ("cat", "dog", "<b>owl</b>", "ox\u202e")
HOW = Preprocessing(3, 16, 16, mean=(0.5,) * 3, std=(0.25,) * 3, resize="crop")


def _model(**options):
    """Return a small network whose outputs differ from image to image."""
    model = ResnetV1Builder.build((3, 16, 16), 4, "basic_block_v1", (1,), **options)
    rng = np.random.default_rng(3)
    for weight in model.weights:
        if "moving" in weight.path or "gamma" in weight.path:
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        elif "dense/kernel" in weight.path:
            weight.assign(rng.normal(0, 0.3, weight.shape))
    remember(model, Known(preprocessing=HOW.to_config(), class_names=NAMES))
    return model


@pytest.fixture(scope="module")
def model():
    return _model()


@pytest.fixture(scope="module")
def images():
    """Photographs of two sizes, as pixels, and the classes that the network says."""
    rng = np.random.default_rng(0)
    shapes = [(20, 30)] * 6 + [(16, 16)] * 3
    tints = rng.uniform(0, 200, (9, 1, 1, 3))
    return [
        (tint + rng.uniform(0, 55, (*shape, 3))).astype("uint8")
        for tint, shape in zip(tints, shapes, strict=True)
    ]


NET = "net"
FILES = {"saved_model": NET, "onnx": "net.onnx", "litert": "net.tflite", "openvino": "net.xml"}


def _writable(kind):
    try:
        check_installed(kind, writes=True)
    except ValueError as error:
        pytest.skip(str(error))
    return FILES[kind.name]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_says_the_same_and_tells_of_itself(model, images, tmp_path, kind):
    path = tmp_path / _writable(kind)
    labels = [0, 1, 2, 3, 0, 1, 2, 3, 0]
    report = export(model, path, check=(images, labels))
    proof, about = report.proof, report.about
    assert (report.kind, report.path, proof.images) == (kind.name, path, 9)
    assert proof.relative <= 1e-5
    assert (proof.agreeing, proof.is_synthetic) == (9, False)
    assert proof.batches == (1, 2, 5)
    assert proof.accuracy_before == proof.accuracy_after
    assert proof.accuracy_before in [count / 9 for count in range(10)]
    assert about == about_of(path)
    assert about.class_names == NAMES
    assert (about.network, about.input_shape, about.outputs) == (model.name, (3, 16, 16), "softmax")
    assert Preprocessing.from_config(about.preprocessing) == HOW
    assert about.folded == about.normalisations == 3
    assert about.proof == json.loads(json.dumps(proof.to_dict()))
    assert report.bytes_before == 4 * model.count_params()
    assert report.bytes_before / 2 < report.bytes_after < 2 * report.bytes_before + 200_000
    beside = {"net.xml", "net.bin"} if kind.name == "openvino" else {path.name}
    card = read_card(report.card)
    assert (card.fingerprint, card.class_names) == (about.fingerprint, NAMES)
    assert [one.proof for one in card.exports] == [about.proof]
    assert report.card == (path if path.is_dir() else tmp_path) / "MODEL.md"
    assert set(os.listdir(tmp_path)) == beside | ({"MODEL.md"} if path.is_file() else set())


class _Run:
    """A run of a model, whose test images are those given."""

    preprocessing, class_names = HOW, NAMES

    def __init__(self, model, images=None, labels=None):
        self.model, self._given = model, (images, labels)

    def load_images(self, data_dir=None):
        images, labels = self._given
        if images is None:
            raise ValueError("data: received 'gone'; expected a folder. Name one.")
        given = from_array(images, labels, "photo {}".format)
        return LabelledImages(given, HOW, "photos", "test", ("one is grey",))


def test_a_run_is_compared_on_a_thousand_of_its_test_images(model, tmp_path):
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (1200, 16, 16, 3), np.uint8)
    labels = np.repeat(np.arange(4, dtype=np.int32), 300)  # sorted, as data may be
    run = _Run(model, pixels, labels)
    report = export(run, tmp_path / NET)
    proof = report.proof
    assert (proof.of, proof.images) == ("1,000 of the 1,200 test images of photos", 1000)
    assert (proof.is_synthetic, report.notes) == (False, ("one is grey",))
    taken = np.linspace(0, 1199, 1000).round().astype(int)
    right = evaluate(model, from_array(pixels[taken], labels[taken], str), HOW).accuracy
    assert proof.accuracy_before == proof.accuracy_after == right


def test_the_images_of_a_run_are_prepared_as_is_said(model):
    rng = np.random.default_rng(6)
    pixels, labels = rng.integers(0, 256, (12, 16, 16, 3), np.uint8), np.arange(12, dtype=np.int32)
    run, other = _Run(model, pixels, labels % 4), dataclasses.replace(HOW, mean=(0.1,) * 3)
    samples = of_run(run, other)
    assert samples.words == "the 12 test images of photos"
    assert samples.notes == ("one is grey",)
    assert samples.at(3)[1] == other
    assert of_run(run, HOW).at(3)[1] == of_run(run, None).at(3)[1] == HOW


def test_a_run_without_its_images_is_compared_on_synthetic_ones(model, tmp_path):
    report = export(_Run(model), tmp_path / NET)
    assert report.proof.is_synthetic
    [note] = report.notes
    assert note == (
        "compared on synthetic images, since the run's own cannot be loaded: "
        "data: received 'gone'; expected a folder. Name one."
    )
    assert f"note          {note}" in str(report)


def test_somebody_elses_card_stays(model, tmp_path):
    file = _writable(next(kind for kind in KINDS if kind.name == "litert"))
    for name in ("MODEL.md", "net.MODEL.md"):
        (tmp_path / name).write_text("mine")
    report = export(model, tmp_path / file)
    assert report.card is None
    assert "no model card was written" in str(report)
    (tmp_path / NET).mkdir()
    (tmp_path / NET / "MODEL.md").write_text("mine")
    with pytest.raises(ValueError, match=r"a folder that also holds 'MODEL\.md'"):
        export(model, tmp_path / NET, overwrite=True)
    assert {path.read_text() for path in tmp_path.rglob("*MODEL.md")} == {"mine"}


def test_the_report_is_a_block_that_says_what_was_proved(model, tmp_path):
    report = export(model, tmp_path / NET, fold=False)
    lines = str(report).splitlines()
    titles = [line.split("   ")[0].strip() for line in lines]
    assert titles[:6] == ["exported", "size", "folded", "takes", "returns", "checked on"]
    assert "0 of 3 batch normalisations" in str(report)
    assert "24 synthetic images" in str(report)
    assert report.proof.is_synthetic
    plain = report.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["proof"]["images"] == 24


def test_a_fingerprint_is_that_of_the_weights(model, tmp_path):
    first = export(model, tmp_path / "one").about.fingerprint
    assert export(model, tmp_path / "two", fold=False).about.fingerprint == first
    other = keras.models.clone_model(model)
    assert export(other, tmp_path / "three").about.fingerprint != first


@pytest.mark.parametrize("rounds", [0.02, float("nan")])
def test_a_file_that_says_something_else_is_not_left(model, tmp_path, monkeypatch, rounds):
    from keras_convnets.shipping.export import export as exporting

    opened = exporting.open_engine

    def wrong(path):
        engine = opened(path)
        return dataclasses.replace(engine, run=lambda batch: engine.run(batch) * (1 - rounds))

    monkeypatch.setattr(exporting, "open_engine", wrong)
    said = (
        "NaN or infinity for synthetic image 0"
        if np.isnan(rounds)
        else (
            r"a difference of 0\.02\d* .*largest for synthetic image \d+, class .*: "
            r"0\.\d{4} became 0\.\d{4}\. The first class is the same for 24 of 24\. Nothing"
        )
    )
    with pytest.raises(ValueError, match=said):
        export(model, tmp_path / NET)
    assert not os.listdir(tmp_path)
    if not np.isnan(rounds):
        assert export(model, tmp_path / NET, tolerance=0.05).proof.relative > 0.01


def test_a_file_of_a_fixed_batch_is_found(model, images, tmp_path, monkeypatch):
    from keras_convnets.shipping.export import export as exporting

    opened = exporting.open_engine

    def fixed(path):
        engine = opened(path)
        return dataclasses.replace(engine, run=lambda batch: engine.run(batch[:1]))

    monkeypatch.setattr(exporting, "open_engine", fixed)
    for check in (None, images[0]):
        with pytest.raises(ValueError, match=r"returns \(1, 4\) for a batch of 2 in TensorFlow"):
            export(model, tmp_path / NET, check=check)
    assert not os.listdir(tmp_path)


def test_what_exists_is_replaced_only_once_the_new_one_is_proved(model, tmp_path):
    export(model, tmp_path / NET)
    before = about_of(tmp_path / NET)
    with pytest.raises(ValueError, match="which exists; expected a new name"):
        export(model, tmp_path / NET)
    with pytest.raises(ValueError, match="Nothing was written"):
        export(model, tmp_path / NET, class_names=list("abcd"), tolerance=1e-12, overwrite=True)
    assert about_of(tmp_path / NET) == before
    export(model, tmp_path / NET, class_names=list("abcd"), overwrite=True)
    assert about_of(tmp_path / NET).class_names == tuple("abcd")
    (tmp_path / NET / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=re.escape("also holds 'notes.txt'")):
        export(model, tmp_path / NET, overwrite=True)
    assert os.listdir(tmp_path) == [NET]


def test_an_interruption_leaves_nothing(model, tmp_path, monkeypatch):
    from keras_convnets.shipping.export import export as exporting

    def interrupting(function):
        def interrupted(*args):
            function(*args)
            raise KeyboardInterrupt

        return interrupted

    for name in ("write", "embed", "open_engine", "prove"):
        with monkeypatch.context() as patch:
            patch.setattr(exporting, name, interrupting(getattr(exporting, name)))
            with pytest.raises(KeyboardInterrupt):
                export(model, tmp_path / NET)
        assert not os.listdir(tmp_path), name


def test_logits_are_compared_as_probabilities(tmp_path):
    for outputs, count in ((4, None), (1, None)):
        model = ResnetV1Builder.build(
            (3, 16, 16), outputs, "basic_block_v1", (1,), classifier_activation=count
        )
        report = export(model, tmp_path / f"{outputs}")
        assert report.about.outputs == "linear"
        said = {4: "logits of 4 classes", 1: "the logit of the second of two classes"}[outputs]
        assert f"returns       {said}\n" in str(report)
        assert report.proof.relative < 1e-5


def test_channels_first_is_proved_too(tmp_path):
    model = _model(data_format="channels_first")
    report = export(model, tmp_path / NET)
    assert report.about.input_shape == (3, 16, 16)
    assert report.proof.relative < 1e-4


def test_a_model_that_does_not_know_its_images_takes_prepared_ones(tmp_path):
    model = ResnetV1Builder.build((3, 16, 16), 4, "basic_block_v1", (1,))
    batch = np.random.default_rng(0).normal(size=(3, 16, 16, 3))
    report = export(model, tmp_path / NET, check=batch)
    assert (report.proof.images, report.about.preprocessing) == (3, None)
    for wrong, said in (
        (batch[:, :8], "received float64 of 3 × 8 × 16 × 3; expected an array of floats"),
        (batch * np.nan, "received NaN or infinity"),
        (["none.png"], "expected an array of floats"),
    ):
        with pytest.raises(ValueError, match=f"check: images: .*{said}"):
            export(model, tmp_path / "other", check=wrong)


def test_a_model_of_mixed_precision_is_exported_in_float32(tmp_path):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = _model()
    finally:
        keras.config.set_dtype_policy(policy)
    report = export(model, tmp_path / NET)
    assert report.proof.relative < 1e-5
    assert (report.about.class_names, report.about.folded) == (NAMES, 3)
    assert model.compute_dtype == "bfloat16"


def test_a_preprocessing_that_is_given_says_the_size(tmp_path):
    model = ResnetV1Builder.build((3, None, None), 4, "basic_block_v1", (1,))
    report = export(model, tmp_path / NET, preprocessing=Preprocessing(3, 24, 20))
    assert report.about.input_shape == (3, None, None)


class Called(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        return self.dense(keras.ops.mean(x, axis=(1, 2)))


def _of_two_outputs():
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, [keras.layers.Dense(4, "softmax")(x) for _ in range(2)], name="two")


def _of_two_inputs():
    pair = [keras.Input((16, 16, 3)), keras.Input((16, 16, 3))]
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()(pair))
    return keras.Model(pair, keras.layers.Dense(4, "softmax")(x), name="pair")


def _called():
    model = Called()
    model(np.zeros((1, 16, 16, 3), "float32"))
    return model


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (_of_two_outputs, r"two has 2 outputs; expected one\. .*keras\.Model\(.*outputs\[0\]\)"),
        (_of_two_inputs, r"pair takes \[.*\] and outputs .*; expected one input"),
        (_called, r"expected a functional model"),
    ],
)
def test_models_that_have_no_one_graph_are_refused(build, said, tmp_path):
    with pytest.raises(ValueError, match=f"^model: .*{said}") as refused:
        export(build(), tmp_path / NET)
    assert "\n" not in str(refused.value)
    assert not os.listdir(tmp_path)


def test_independent_classes_of_images_of_any_size(tmp_path):
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    x = keras.layers.Lambda(lambda x: keras.ops.max(x, axis=(1, 2)) - 0.5)(x)
    model = keras.Model(inputs, keras.layers.Dense(3, "sigmoid")(x))
    batch = np.random.default_rng(0).normal(size=(5, 20, 24, 3))
    labels = np.eye(5, 3, dtype=int)
    report = export(model, tmp_path / NET, check=(batch, labels), class_names=["a", "b", "c"])
    assert (report.about.outputs, report.about.input_shape) == ("sigmoid", (3, None, None))
    assert report.proof.relative < 1e-5
    assert report.proof.accuracy_before == report.proof.accuracy_after
    assert report.proof.accuracy_before in [count / 15 for count in range(16)]


def test_images_that_calibrate_are_noticed_among_those_compared_on():
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 3), "uint8")
    images[17] = images[3]

    def samples(numbers):
        return Samples(len(numbers), "images", lambda number: (images[numbers[number]], None), str)

    calibrate, check = samples(range(2, 7)), samples([0, 1, 2, 3, 17, 19])
    overlap = Overlap(calibrate)
    watched = overlap.watching(check)
    assert overlap.notes(check) == ()
    for number in (*range(6), 2, 3):
        assert (watched.at(number)[0] == check.at(number)[0]).all()
    assert overlap.notes(check)[0].startswith("3 of the 6 images compared on are also those")
    for calibrated in (samples([5, 6]), None):
        others = Overlap(calibrated)
        watched = others.watching(check)
        assert [watched.at(number)[1] for number in range(6)] == [None] * 6
        assert others.notes(check) == ()


def test_too_few_images_to_calibrate_are_refused(model, tmp_path):
    path = tmp_path / _writable(kind_of("net.tflite"))
    images = np.zeros((15, 16, 16, 3), "uint8")
    for count, words in ((1, "1 image"), (15, "15 images")):
        with pytest.raises(ValueError, match=f"calibrate: received {words}; expected at least 16,"):
            export(model, path, precision="int8", calibrate=images[:count])
    assert os.listdir(tmp_path) == []
