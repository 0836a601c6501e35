import keras
import pytest

from keras_convnets import ResnetBuilder, compare, cost
from keras_convnets.side_by_side import open_model


@pytest.fixture
def small():
    return keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.Flatten()], name="small"
    )


def test_models_names_and_files_side_by_side(small):
    small.save("small.keras")
    found = compare([small, "resnet_18", "small.keras"])
    assert [one.model for one in found.costs] == ["small", "resnet_18", "small"]
    assert found.costs[1].macs == 1_814_073_344
    assert found.costs[0].rows[1:] == found.costs[2].rows[1:]
    lines = found.to_text().splitlines()
    assert lines[0].split()[:4] == ["model", "input", "layers", "parameters"]
    assert lines[2].split()[0] == "small"
    assert "1,814,073,344" in lines[3]
    assert "Multiply-adds count" in found.to_text()
    assert found.to_markdown().splitlines()[3].startswith("| resnet_18 | 3 × 224 × 224 | 66 |")
    assert "resnet_18,3x224x224,66," in found.to_csv()
    data = found.to_dict()
    assert [model["total"]["macs"] for model in data["models"]][1] == 1_814_073_344
    assert data["models"][0]["input_shapes"] == [[3, 8, 8]]


def test_one_shape_for_all():
    found = compare(["resnet_18", "resnet_34"], (1, 64, 64))
    with keras.StatelessScope(initialize_variables=False):
        alone = cost(ResnetBuilder.build_resnet_34((1, 64, 64), 1000))
    assert found.costs[1].macs == alone.macs
    assert [one.input_shapes for one in found.costs] == [((1, 64, 64),), ((1, 64, 64),)]


def test_what_is_not_counted_is_said():
    inputs = keras.Input((4, 6))
    model = keras.Model(inputs, keras.layers.LSTM(3, name="memory")(inputs), name="recurrent")
    assert "NOT COUNTED" in compare([model]).to_text()
    assert "recurrent: memory" in compare([model]).to_text()
    assert "≥ 0" in compare([model]).to_text()


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ([], "models: received none"),
        ("resnet_18", "models: received 'resnet_18'; expected a list"),
        (["resnet18"], "Did you mean 'resnet_18'"),
        (["none.keras"], "received 'none.keras'; there is no such file"),
        ([3], "model: received 3; expected a functional"),
    ],
)
def test_bad_input(models, words):
    with pytest.raises(ValueError, match="received") as caught:
        compare(models)
    assert words in str(caught.value)


def test_a_network_s_weights_are_not_made():
    model = open_model("resnet_18", (3, 64, 64), 10)
    assert model.output_shape == (None, 10)


def test_a_file_that_holds_no_model(small):
    with open("broken.keras", "w", encoding="utf-8") as file:
        file.write("no model")
    with pytest.raises(ValueError, match=r"cannot read 'broken\.keras' \(.*\)\. Expected a model"):
        open_model("broken.keras")
    small.save("small.keras")
    with pytest.raises(ValueError, match="with an input shape or a number of outputs"):
        open_model("small.keras", (3, 8, 8))
