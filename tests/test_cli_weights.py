"""The commands that work on files of weights: convert, and predict and evaluate with them."""

import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

import small_weights
from finished import write_images
from keras_convnets import cli, load_model, preprocessing_of, save_weights
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.folder_labels import labels_of
from keras_convnets.known import Known, remember
from keras_convnets.weights.transfer import told
from small_weights import SmallBuilder, small_resnet  # noqa: F401 - for all tests here

MODEL = ["--model", "small_resnet"]


def outcome(capfd, *arguments):
    """Return exit code, standard output and standard error of a command."""
    code = cli.main([*map(str, arguments)])
    written = capfd.readouterr()
    return code, written.out, written.err


def refused(capfd, *arguments):
    """Return the line by which a command is refused."""
    code, out, err = outcome(capfd, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    return err


def test_convert_there_and_back(capfd):
    arrays = small_weights.write()
    code, out, _ = outcome(capfd, "convert", "small.safetensors", "small.keras", *MODEL)
    assert code == 0
    assert "all                17   84,359" in out
    assert out.endswith("written to small.keras, with the names of the model's layers\n")
    assert load_model("small.keras").output_shape == (None, 7)
    assert cli.main(["convert", "small.keras", "back.npz"]) == 0
    assert cli.main(["convert", "back.npz", "again.weights.h5", *MODEL]) == 0
    model = load_model("small.keras")
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape))
    model.load_weights("again.weights.h5")
    kernel = arrays["conv1.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(np.array(model.get_layer("conv1_conv").kernel), kernel)


@pytest.mark.parametrize("given", ["small.keras", "small.safetensors"])
def test_convert_folds(given, capfd):
    small_weights.write()
    outcome(capfd, "convert", "small.safetensors", "small.keras", *MODEL)
    named = MODEL if given == "small.safetensors" else []
    code, out, _ = outcome(capfd, "convert", given, "folded.keras", "--fold", *named)
    assert code == 0
    assert out.startswith("small_resnet: 3 of 3 batch normalisations folded\n")
    names = "conv1_bn, conv2_block1_bn1, conv2_block1_bn2"
    assert f"     3   folded into the layer before it   {names}\n" in out
    assert out.endswith("written to folded.keras, with the names of the model's layers\n")
    model, folded = load_model("small.keras"), load_model("folded.keras")
    norms = keras.layers.BatchNormalization
    assert [layer.name for layer in folded.layers] == [
        layer.name for layer in model.layers if not isinstance(layer, norms)
    ]
    x = np.random.default_rng(0).standard_normal((4, *model.input_shape[1:]))
    x *= np.reshape([1, 2, 4, 8], (4, 1, 1, 1))
    expected, found = (keras.ops.convert_to_numpy(one(x)) for one in (model, folded))
    assert np.ptp(expected, axis=0).max() > 0.01  # of probabilities
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * expected.max())


@keras.saving.register_keras_serializable("tests")
class NoGraph(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        return self.dense(x)


def test_what_convert_does_not_fold(capfd):
    x = keras.Input((4, 4, 3))
    y = keras.layers.ReLU()(keras.layers.Conv2D(2, 3)(x))
    keras.Model(x, keras.layers.BatchNormalization(name="late")(y), name="kept").save("kept.keras")
    code, out, _ = outcome(capfd, "convert", "kept.keras", "x.keras", "--fold")
    assert code == 0
    assert out.startswith("kept: 0 of 1 batch normalisations folded\n")
    assert "kept: it comes after ReLU   late\n" in out
    model = NoGraph()
    model(np.zeros((1, 3)))
    model.save("subclassed.keras")
    before = sorted(os.listdir())
    for out in ("y.safetensors", "y.npz", "y.weights.h5"):
        words = refused(capfd, "convert", "kept.keras", out, "--fold")
        assert f"fold: received '{out}' with --fold; expected a name that ends in .keras" in words
    assert "expected a functional model" in refused(
        capfd, "convert", "subclassed.keras", "y.keras", "--fold"
    )
    assert sorted(os.listdir()) == before


def test_what_images_usually_are_goes_into_the_model(monkeypatch, capfd):
    monkeypatch.setattr(told, "_usual_images", lambda network, sources: IMAGES)
    small_weights.write()
    code, _, err = outcome(capfd, "convert", "small.safetensors", "small.keras", *MODEL)
    assert code == 0
    assert err == (
        "keras-convnets: note: 'small.safetensors' does not say how its images are prepared; they "
        "are taken as usual for torchvision: shorter side to 36 (bilinear), 32 x 32 from the "
        "centre, pixels divided by 255, minus (0.5, 0.4, 0.3), divided by (0.2, 0.2, 0.2)\n"
    )
    assert preprocessing_of(load_model("small.keras")) == Preprocessing.from_config(IMAGES)


def test_a_file_of_another_network_is_called_by_its_name(monkeypatch, capfd):
    small_weights.write()
    monkeypatch.setattr(told, "network_of_file", lambda arrays: [("resnet_v1_18", "torchvision")])
    err = refused(capfd, "predict", "--model", "lenet_5", "--weights", "small.safetensors", "a.png")
    assert "has the weights of resnet_v1_18, for lenet_5" in err
    assert err.endswith("Build resnet_v1_18.\n")


CLASSES = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu")
IMAGES = {"channels": 3, "rows": 32, "cols": 32, "resize": "crop", "shorter_side": 36}
IMAGES |= {"interpolation": "bilinear"}
IMAGES |= {"scale": 255.0, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2]}


@pytest.fixture
def model():
    """Return a model that knows its images and classes, and write it in three formats."""
    made = SmallBuilder.build_small_resnet((3, 32, 32), 7)
    remember(made, Known(preprocessing=IMAGES, class_names=CLASSES))
    made.save("model.keras")
    save_weights(made, "weights.safetensors")
    return made


GIVEN = (["model.keras"], [*MODEL, "--weights", "weights.safetensors"])


@pytest.mark.parametrize("given", GIVEN, ids=["model", "weights"])
def test_predict_prepares_images_as_those_of_the_weights(given, model, capfd):
    write_images(Path("pets"), CLASSES[:2], 1)
    files = ["pets/ant/0.png", "pets/bee/0.png"]
    code, out, err = outcome(capfd, "predict", *given, files[0], "--top", 3, files[1])
    assert (code, err) == (0, "")
    assert out.count("\n") == 2 + 6
    code, out, _ = outcome(capfd, "predict", *given, *files, "--format", "json")
    images = [Preprocessing.from_config(IMAGES).read_file(file) for file in files]
    expected = keras.ops.convert_to_numpy(model(np.stack(images), training=False))
    for found, probabilities in zip(json.loads(out)["images"], expected, strict=True):
        top = found["top"]
        assert [one["class"] for one in top] == [CLASSES[n] for n in np.argsort(-probabilities)[:5]]
        assert top[0]["probability"] == pytest.approx(probabilities.max(), abs=1e-5)


@pytest.mark.parametrize("given", GIVEN, ids=["model", "weights"])
def test_evaluate_gives_folders_the_labels_of_their_classes(given, model, capfd):
    names = ("gnu", "bee", "dog")  # not all, and sorted otherwise than by label
    write_images(Path("pets"), names, 2)
    data = ["--data", "folder:pets", "--format", "json"]
    code, out, err = outcome(capfd, "evaluate", *given, *data)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["data"], found["split"], found["images"]) == ("pets", "all", 6)
    images = {row["class"]: row["images"] for row in found["classes"]}
    assert images == dict.fromkeys(CLASSES, 0) | dict.fromkeys(names, 2)


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (("ant", "tiger"), "of which 'tiger' is no class of the model"),
        (("n01440764", "n01443537"), "expected all 1,000 of ImageNet"),
        (("0", "1"), "of which '0' is no class of the model"),
    ],
)
def test_which_class_is_which_is_never_guessed(folders, words, model, capfd):
    write_images(Path("pets"), folders, 1)
    assert words in refused(capfd, "evaluate", "model.keras", "--data", "folder:pets")


def test_labels_and_synsets_are_classes():
    synsets = [f"n{number:08}" for number in range(1000)]
    assert labels_of(synsets, ["x"] * 1000) == tuple(range(1000))
    numbers = sorted(map(str, range(12)))
    assert labels_of(numbers, ["x"] * 12) == tuple(map(int, numbers))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("predict a.png", "images: received none"),
        ("predict", "predict: received no model; expected the folder of a finished run, a .keras"),
        ("predict --model small_resnet a.png", "which would be a network that was not trained"),
        ("predict --weights small.safetensors a.png", "are those of no network here"),
        ("predict --model small_resnet --weights small.safetensors a.png", "does not say how its"),
        ("predict --weights small.safetensors", "images: received none"),
        ("evaluate", "evaluate: received no model"),
        ("evaluate model.keras", "data: received none; expected the name of some"),
        ("evaluate model.keras --weights small.safetensors", "expected one of the two"),
        ("evaluate --model small_resnet", "which would be a network that was not trained"),
        ("evaluate model.keras --data digits --split validation", "no images set apart for it"),
        ("convert none.pth x.keras", "none.pth"),
        ("convert small.safetensors x.pth", "out: received 'x.pth'; expected a name that ends in"),
        ("convert small.safetensors x.keras --to timm", "to: received 'timm' for 'x.keras'"),
        ("convert small.safetensors x.keras", "Name it with --model"),
        ("convert small.safetensors x.keras --model lenet_5", "weights: "),
        ("convert model.keras x.safetensors --to timm", "layout: received 'timm' for small_resnet"),
        ("convert model.keras none/x.safetensors", "none"),
    ],
)
def test_faults_are_a_line(command, words, model, capfd):
    small_weights.write()
    before = sorted(os.listdir())
    assert words in refused(capfd, *command.split())
    assert sorted(os.listdir()) == before


def test_what_a_file_lacks_is_not_converted(capfd):
    arrays = {name: array for name, array in small_weights.state_dict().items() if "fc" not in name}
    save_file(arrays, "headless.safetensors")
    words = refused(capfd, "convert", "headless.safetensors", "x.keras", *MODEL)
    assert "which lacks head_dense of small_resnet" in words
    assert not Path("x.keras").exists()


def test_weights_lists_what_is_published(capfd, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_CONVNETS_WEIGHTS", str(tmp_path))
    code, out, err = outcome(capfd, "weights")
    assert (code, err) == (0, "")
    assert out.count("resnet50-0676ba61.pth") == 1
    code, out, _ = outcome(capfd, "weights", "resnet50-0676ba61.pth")
    facts = dict(line.split("  ", 1) for line in out.splitlines())
    assert facts["network"].strip() == "resnet_v1_5_50"
    assert "shorter side to 256 (bilinear), 224 x 224" in facts["images"]
    assert f"no; looked for in {tmp_path} and " in facts["here"]
    (tmp_path / "resnet50-0676ba61.pth").touch()
    _, out, _ = outcome(capfd, "weights", "resnet_v1_5_50", "--format", "json")
    files = {row["file"]: row for row in json.loads(out)["rows"]}
    assert files["resnet50-0676ba61.pth"]["here"] == str(tmp_path / "resnet50-0676ba61.pth")
    assert files["resnet50-11ad3fa6.pth"]["hash"] == "sha256:11ad3fa6"
    assert "did you mean" in refused(capfd, "weights", "resnet_v1_5_51").lower()
    (tmp_path / "resnet50-0676ba61.pth").write_bytes(b"")
    code, out, _ = outcome(capfd, "weights", str(tmp_path / "resnet50-0676ba61.pth"))
    assert (code, out.splitlines()[1].split()[-1]) == (0, "resnet_v1_5_50")
    (tmp_path / "mine.pth").write_bytes(b"")
    assert "of no published file" in refused(capfd, "weights", str(tmp_path / "mine.pth"))
