import re
import sys

import keras
import pytest

from helpers import outline
from keras_convnets import (
    ResnetBuilder,
    compare,
    cost,
    create_model,
    golden,
    list_models,
    model_info,
    published,
    register_builder,
    registry,
    zoo,
)
from keras_convnets.analysis.cost.rules import CONVENTION
from keras_convnets.keras_private import without_values


def test_names_are_read_off_the_build_methods():
    methods = [name for name in vars(ResnetBuilder) if name.startswith("build_")]
    classic = [name for name in list_models() if zoo.find(name).builder is ResnetBuilder]
    assert [f"build_{name}" for name in classic] == methods
    for name, network in zoo.own_networks().items():
        assert network.build is getattr(network.builder, f"build_{name}")
        assert network.published.source


def test_the_golden_table_has_every_network():
    """What it says of each is compared with the built network in test_every_model.py."""
    remedy = "run python scripts/golden_table.py"
    assert list(golden.networks()) == list(zoo.own_networks()), remedy
    assert golden.convention() == CONVENTION, remedy


def test_a_network_that_is_not_in_the_table_yet_is_built_and_counted(monkeypatch):
    known = {name: row for name, row in golden.networks().items() if name != "lenet_5"}
    row = golden.networks()["lenet_5"]
    monkeypatch.setattr(golden, "networks", lambda: known)
    assert create_model("lenet_5").name == "lenet_5"
    assert model_info("lenet_5") == row
    assert "lenet_5" in list_models()


@pytest.mark.parametrize("damage", [None, lambda text: "", lambda text: text[:3000]])
def test_a_golden_table_that_cannot_be_read_is_said_in_a_line(damage, monkeypatch, tmp_path):
    file = tmp_path / "networks.csv"
    if damage is not None:
        file.write_text(damage(golden.FILE.read_text(encoding="utf-8")), encoding="utf-8")
    monkeypatch.setattr(golden, "FILE", file)
    monkeypatch.setattr(golden, "_read", golden._read.__wrapped__)
    with pytest.raises(ValueError, match=r"networks: cannot read '.*Install the package again\.$"):
        list_models()


def test_patterns():
    assert list_models("resnet_1*") == ["resnet_18", "resnet_101", "resnet_152"]
    assert list_models("no_such*") == []


def test_create_model_passes_everything_on():
    model = create_model("resnet_18", (1, 32, 32), 7, classifier_activation=None, name="mine")
    assert (model.name, model.output_shape) == ("mine", (None, 7))


def test_create_model_builds_as_published_by_default():
    model = create_model("resnet_18", data_format="channels_first")
    assert (model.input_shape, model.output_shape) == ((None, 3, 224, 224), (None, 1000))


@pytest.mark.parametrize("name", ["resnet18", "Resnet_18", "resnet_19"])
def test_an_unknown_name_is_answered_with_the_closest(name):
    with pytest.raises(ValueError, match=f"'{name}', which is not .* Did you mean .*resnet_18"):
        create_model(name)


def test_a_name_that_others_have_is_answered_with_theirs():
    with pytest.raises(ValueError) as refused:
        create_model("ResNet50")
    theirs = "That of torchvision and timm is 'resnet_v1_5_50'. That of keras is 'resnet_v1_50_ke"
    assert theirs in str(refused.value)


def test_a_name_unlike_any_is_told_where_the_names_are():
    with pytest.raises(ValueError, match=re.escape("All names: list_models()")):
        create_model("yolo")


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("vgg_11", {"batch_norm": True}),
        ("cifar_resnet_20", {"pre_activation": True}),
        ("densenet_121", {"stem": "cifar"}),
        ("resnet_v1_50", {"style": None}),
        ("lenet_5", {"filters": (20, 50)}),
    ],
)
def test_a_published_network_is_what_its_name_says(name, option):
    unknown = next(iter(option))
    with pytest.raises(TypeError, match=f"unknown option '{unknown}'; the options of build_{name}"):
        create_model(name, **option)


def test_options_of_single_networks():
    with without_values():
        names = [layer.name for layer in create_model("wide_resnet_40_4", dropout=0).layers]
        assert not any("dropout" in name for name in names)
        assert (
            create_model("vgg_11", (3, None, None), 10, fully_convolutional=True).name == "vgg_11"
        )


def test_model_info_is_read():
    info = model_info("cifar_resnet_20")
    assert info[:-1] == (
        "cifar_resnet_20", "CifarResnetBuilder", (3, 32, 32), 10, 269_722, 40_551_040,
        "He et al. 2015 (arXiv:1512.03385)",
    )  # fmt: skip
    assert info.layers == len(outline("cifar_resnet_20").layers)
    with pytest.raises(ValueError, match="Did you mean .*'resnet_50'"):
        model_info("resnet_500")


def test_listing():
    table = zoo.listing(list_models("cifar_resnet_[23]*"), with_costs=False)
    assert [row[0] for row in table.rows] == ["cifar_resnet_20", "cifar_resnet_32"]
    assert [column.key for column in table.columns] == [
        *("name", "builder", "input_shape", "num_outputs", "source")
    ]
    counted = zoo.listing(["cifar_resnet_20"], with_costs=True)
    assert counted.rows[0][4:6] == (269_722, 40_551_040)
    assert counted.to_dict()["rows"][0]["source"] == table.rows[0][-1]


class TestABuilderOfTheUsers:
    def test_has_names_everywhere(self):
        @register_builder
        class MineBuilder:
            @staticmethod
            def build_mine(input_shape, num_outputs, **options):
                return ResnetBuilder.build(input_shape, num_outputs, "basic_block", (1,), **options)

            @staticmethod
            @published("my thesis", (1, 16, 16), 7)
            def build_mine_small(input_shape, num_outputs, **options):
                return ResnetBuilder.build(input_shape, num_outputs, "basic_block", (1,), **options)

        assert list_models()[-2:] == ["mine", "mine_small"]
        small = create_model("mine_small")
        assert (small.name, small.input_shape) == ("mine_small", (None, 16, 16, 1))
        assert small.output_shape == (None, 7)
        assert MineBuilder.build_mine((1, 16, 16), 7).name == "mine"
        assert MineBuilder.build_mine((1, 16, 16), 7, name="other").name == "other"
        found = cost(small)
        expected = ("mine_small", "MineBuilder", (1, 16, 16), 7, found.params)
        assert model_info("mine_small") == (*expected, found.macs, "my thesis", len(small.layers))
        assert model_info("mine_small") is model_info("mine_small")
        assert compare(["mine_small", "resnet_18"], (1, 32, 32)).costs[0].model == "mine_small"
        rows = zoo.listing(["mine", "mine_small"], with_costs=False).rows
        assert [row[2:] for row in rows] == [
            ((3, 224, 224), 1000, __name__),
            ((1, 16, 16), 7, "my thesis"),
        ]
        with pytest.raises(ValueError, match="Did you mean 'mine_small'"):
            create_model("mine_smal")

    def test_takes_the_place_of_its_earlier_version(self):
        def cell(name):
            class CellBuilder:
                pass

            setattr(CellBuilder, name, staticmethod(lambda shape, outputs, **options: None))
            return register_builder(CellBuilder)

        cell("build_first")
        last = cell("build_second")
        assert list_models("first") == []
        assert zoo.find("second").builder is last

    @pytest.mark.parametrize(
        ("methods", "words"),
        [
            ({}, "expected a class with static methods build_<name>(input_shape"),
            (
                {"build_resnet_18": lambda shape, outputs, **options: None},
                "'resnet_18' is already a network of keras_convnets.architectures.resnet.Res",
            ),
            ({"build_": lambda shape, outputs, **options: None}, "name: received ''"),
            (
                {"build_x": lambda self, shape, outputs, **options: None},
                "BadBuilder.build_x cannot be called (missing a required argument: 'outputs')",
            ),
            (
                {"build_x": lambda shape, outputs: None},
                "(got an unexpected keyword argument 'name'); expected a static method",
            ),
        ],
    )
    def test_is_refused(self, methods, words):
        before = dict(registry.networks)
        with pytest.raises(ValueError, match=re.escape(words)):
            register_builder(type("BadBuilder", (), methods))
        assert registry.networks == before

    def test_is_a_class(self):
        with pytest.raises(ValueError, match="builder: received 3; expected a class"):
            register_builder(3)

    def test_without_typed_options_takes_what_its_method_takes(self):
        @register_builder
        class OpenBuilder:
            @staticmethod
            def build_open(input_shape, num_outputs, width=1, **options):
                return ResnetBuilder.build(
                    input_shape, num_outputs, "basic_block", (width,), **options
                )

        assert len(create_model("open", (1, 16, 16), 2, width=2, l2_penalty=0).layers) > 20
        with pytest.raises(TypeError, match="unknown option 'depth'"):
            create_model("open", (1, 16, 16), 2, depth=2)


class TestAnEntryPoint:
    @pytest.fixture
    def installed(self, tmp_path, monkeypatch):
        """Install a package, as pip would, whose module is the text given."""

        def install(text):
            info = tmp_path / "their_package-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\n")
            (info / "entry_points.txt").write_text(f"[{zoo.ENTRY_POINTS}]\nx = their_blocks\n")
            (tmp_path / "their_blocks.py").write_text(text)
            monkeypatch.syspath_prepend(tmp_path)
            zoo._load_entry_points.cache_clear()

        yield install
        zoo._load_entry_points.cache_clear()
        sys.modules.pop("their_blocks", None)

    def test_is_loaded_when_its_names_are_asked_for(self, installed):
        installed(
            "import keras_convnets\n"
            "@keras_convnets.register_builder\n"
            "class TheirBuilder:\n"
            "    @staticmethod\n"
            "    def build_theirs(input_shape, num_outputs, **options):\n"
            "        pass\n"
        )
        assert zoo.find("theirs").published.source == "their_blocks"
        assert list_models()[-1] == "theirs"

    @pytest.mark.parametrize("text", ["import nothing_like_it", "raise SystemExit('nothing_like')"])
    def test_that_fails_leaves_all_other_networks(self, installed, text):
        installed(text)
        with pytest.warns(UserWarning, match="'their_blocks' cannot be loaded.*nothing_like"):
            assert list_models("resnet_18") == ["resnet_18"]
        assert create_model("lenet_5").name == "lenet_5"


@pytest.fixture
def small():
    return keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.Flatten()], name="small"
    )


def test_compare_models_names_and_files(small):
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


def test_compare_at_one_shape():
    found = compare(["resnet_18", "resnet_34"], (1, 64, 64))
    with without_values():
        alone = cost(ResnetBuilder.build_resnet_34((1, 64, 64), 1000))
    assert found.costs[1].macs == alone.macs
    assert [one.input_shapes for one in found.costs] == [((1, 64, 64),), ((1, 64, 64),)]


def test_compare_says_what_is_not_counted():
    inputs = keras.Input((4, 6))
    model = keras.Model(inputs, keras.layers.Lambda(abs, name="size")(inputs), name="unknown")
    assert "NOT COUNTED" in compare([model]).to_text()
    assert "unknown: size" in compare([model]).to_text()
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
def test_compare_refuses(models, words):
    with pytest.raises(ValueError, match="received") as caught:
        compare(models)
    assert words in str(caught.value)
