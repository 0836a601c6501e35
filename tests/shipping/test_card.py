"""A model card says what is known, as Markdown that reads as meant, whatever names are in it."""

import dataclasses
import json
import re
from pathlib import Path

import keras
import pytest

import tiny_exports
from keras_convnets import create_model
from keras_convnets.analysis.cost.cost import cost
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.keras_private import without_values
from keras_convnets.known import Known, remember
from keras_convnets.shipping.card import calling
from keras_convnets.shipping.card.beside import add_speeds, read_card, write_beside
from keras_convnets.shipping.card.card_json import in_text
from keras_convnets.shipping.card.describing import card_of
from keras_convnets.shipping.card.facts import Card, Export, Speed
from keras_convnets.shipping.card.rendering import render
from keras_convnets.shipping.engines.about import About
from keras_convnets.shipping.engines.kinds import ONNX, SAVED_MODEL
from keras_convnets.shipping.engines.metadata import embed

if keras.backend.backend() != "tensorflow":
    pytest.skip("exports are made by TensorFlow", allow_module_level=True)

HOSTILE = (
    "plain",
    "a|b",
    "<script>alert(1)</script>",
    "*bold* _it_ `code` ~~no~~ **x**",
    "[link](http://evil.example) www.evil.example",
    "![x](javascript:alert(1))",
    "back\\slash &amp; $x$ @someone #1 :smile:",
    "line\nbreak\r\n\n# head",
    "犬 \u202e\U0001f600 café",
    "\udce9\x00\x1b[31m",
    "```",
    "-->",
    "<!-- ",
    "  spaces  ",
    "",
)
METRICS = {
    "data": "digits|<b>",
    "split": "test",
    "images": 1000,
    "loss": 0.25,
    "accuracy": 0.9,
    "top5": 1.0,
    "ece": None,
    **{name: {"precision": 0.5, "recall": 0.6, "f1": 0.7} for name in ("macro", "weighted")},
    "classes": [
        {"class": name, "images": 3, "precision": 1.0, "recall": None, "f1": 0.5, "roc_auc": 0.5}
        for name in HOSTILE
    ],
}
HOW = {"channels": 3, "rows": 8, "cols": 8, "resize": "crop"}
CARD = Card(
    *("tiny|net", "af" * 32, (3, 8, 8), "softmax", len(HOSTILE), HOSTILE, HOW, 16, 96, 2),
    *("Someone et al. (2015)", "timm/x_y.z", "apache-2.0"),
    training=(("data", HOSTILE[2]), ("recipe | x", "sgd")),
    metrics=METRICS,
    versions=(("keras", "3.15"),),
    exports=(
        Export(
            *("a|b `c`.onnx", "onnx", "ONNX Runtime 1.32.0", 1_500_000, "int8", False, "float32"),
            *(True, 1, "keras_convnets 0.1"),
            {"difference": 0.01, "agreement": 0.99, "images": 24},
            (Speed(8, 0.016, 0.02, "2 threads <x>"),),
        ),
        Export(".", "saved_model", "TensorFlow", 9, "float32", True, "uint8", True, 0, "k"),
    ),
)


def html(text):
    """Return the HTML of Markdown with tables, as GitHub and documentation pages read it."""
    markdown_it = pytest.importorskip("markdown_it", reason="pip install '.[test]'")
    return markdown_it.MarkdownIt("gfm-like", {"linkify": False}).render(text)


def tables(page):
    """Return the tables of a page, each with its rows, each with the text of its cells."""
    found = []
    for table in re.findall(r"<table>(.*?)</table>", page, re.DOTALL):
        rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
        found.append([re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows])
    return found


def test_every_table_is_whole_and_every_name_reads_as_it_is():
    import html as entities

    from keras_convnets.printable import printable

    page = html(render(CARD))
    found = tables(page)
    assert len(found) == 7
    for table in found:
        assert {len(row) for row in table} == {len(table[0])}
        assert len(table) > 1
    by_class = [entities.unescape(row[0]) for row in found[3][1:]]
    assert by_class == [printable(name).strip() for name in HOSTILE]
    assert not re.search(r"<(script|img|a|em|strong|del|s|b)\b", page)


def test_the_facts_are_in_the_file_exactly():
    text = render(CARD)
    assert in_text(text.encode()) == CARD
    assert text.isascii() or text.encode("utf-8")
    assert text.count("-->") == 1
    assert text.rstrip().endswith("-->")


def test_what_is_not_known_is_said_to_be_so_and_nothing_is_made_up():
    text = render(Card("net", "0" * 64, (3, None, None), "linear", 2))
    said = text.split("<!--")[0]
    assert "| source | not known |" in text
    assert "| preprocessing | not known |" in text
    assert "| classes, by label | not known |" in text
    assert "| multiply-adds of an image | not known |" in text
    for absent in ("## Training", "## Metrics", "## Exports", "## Speed", "licence", "weights |"):
        assert absent not in said.replace("digest of the weights |", "")
    assert "None" not in said


def test_the_programs_are_those_of_the_docs():
    page = (Path(__file__).parents[2] / "docs/run-anywhere.md").read_text()
    blocks = re.findall(r"```py\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 5
    folder = Path(calling.__file__).with_name("page")
    assert {path.read_text() for path in folder.glob("*.txt")} == set(blocks)


def test_the_programs_name_the_files():
    text = render(CARD)
    programs = re.findall(r"```python\n(.*?)```\n", text, re.DOTALL)
    assert 'file, photo = "a|b `c`.onnx", "photo.jpg"' in programs[1]
    assert 'folder, photo = ".", "photo.jpg"' in programs[2]
    for program in programs:
        compile(program, "card", "exec")
    said = "a&#124;b &#96;c&#96;.onnx: float32 of any × 8 × 8 × 3, prepared images; returns float32"
    assert f"\n{said} of any × 15\n" in text


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        (1, "3, images of any size, red first;"),
        (3, "3, images of any size, red first;"),
        (5, "5, images of any size;"),
    ],
)
def test_what_a_file_with_its_preprocessing_inside_takes(channels, said):
    card = dataclasses.replace(CARD, input_shape=(channels, 8, 8), exports=CARD.exports[1:])
    assert f"the SavedModel: uint8 of any × any × any × {said}" in render(card)


def test_files_of_one_kind_have_one_program():
    one, other = CARD.exports
    second = dataclasses.replace(one, file="c.onnx")
    text = render(dataclasses.replace(CARD, exports=(one, second, other)))
    programs = re.findall(r"```python\n(.*?)```\n", text, re.DOTALL)
    assert len(programs) == 3
    assert '"a|b `c`.onnx", "photo.jpg"  # or "c.onnx"\n' in programs[1]
    assert "\na&#124;b &#96;c&#96;.onnx, c.onnx: float32 of any × 8" in text


def test_the_images_of_each_comparison_are_said():
    one, other = CARD.exports
    text = render(dataclasses.replace(CARD, exports=(one, other)))
    assert "Compared on" not in text
    proofs = [{"of": "the 9 images given"}] * 2 + [{"of": "24 synthetic images"}]
    exports = [dataclasses.replace(one, proof=proof) for proof in proofs]
    exports[1] = dataclasses.replace(exports[1], file=".")
    text = render(dataclasses.replace(CARD, exports=tuple(exports)))
    assert "Compared on the 9 images given: a&#124;b &#96;c&#96;.onnx, this folder.\n" in text
    assert "Compared on 24 synthetic images: a&#124;b &#96;c&#96;.onnx.\n" in text


@pytest.mark.parametrize(("activation", "word"), [("sigmoid", "(sigmoid)"), (None, "(logit)")])
def test_one_output_is_for_the_second_of_two_classes(activation, word):
    with without_values():
        model = create_model("lenet_5", num_outputs=1, classifier_activation=activation)
    for names in ((), ("cat", "dog")):
        remember(model, Known(class_names=names or None, preprocessing=HOW))
        card = dataclasses.replace(card_of(model, "0" * 64), exports=CARD.exports[:1])
        text = render(card)
        assert in_text(text.encode()) == card
        assert "A classifier of images into 2 classes." in text
        assert f"{word}, of the second of two classes |" in text
        assert "returns float32 of any × 1\n" in text


def test_a_network_of_this_package():
    with without_values():
        model = create_model("resnet_v1_5_50")
        x = keras.Input((32, 32, 3))
        y = keras.layers.Activation("softmax")(keras.layers.GlobalAveragePooling2D()(x))
        other = keras.Model(x, y, name="resnet_v1_5_50")
    remember(model, Known("timm/resnet50.a1_in1k", class_names=("x",) * 1000))
    card = card_of(model, "0" * 64)
    found = cost(model)
    assert (
        (card.parameters, card.multiply_adds)
        == (found.params, found.macs)
        == (25557032, 4089184256)
    )
    assert card.normalisations == 53
    assert card.source == "torchvision (arXiv:1512.03385)"
    assert card.licence == "apache-2.0"
    assert card.classes == 1000
    assert "and 980 more" in render(card)
    assert card_of(other, "0" * 64).source is None


def about(fingerprint="af" * 32, names=("a", "b", "c", "d")):
    return About(
        *("tiny", "keras_convnets 1", (3, 8, 8), True, "float32", False, HOW, names, "softmax"),
        *("float32", None, fingerprint, 1, 2, {"difference": 0.0, "agreement": 1.0, "images": 9}),
    )


TINY = dataclasses.replace(
    CARD, classes=4, class_names=("a", "b", "c", "d"), metrics={}, exports=()
)


@pytest.fixture
def onnx(tmp_path):
    pytest.importorskip("onnx", reason="pip install '.[onnx]'")
    path = tiny_exports.onnx_file(tmp_path / "tiny.onnx")
    embed(ONNX, path, about())
    return path


def test_one_card_covers_all_exports_of_a_model(onnx):
    card = onnx.with_name("MODEL.md")
    assert write_beside(onnx, TINY, "ONNX Runtime 1.32.0") == card
    second = onnx.with_name("second.onnx")
    second.write_bytes(onnx.read_bytes())
    bare = dataclasses.replace(TINY, training=(), source=None)
    assert write_beside(second, bare, "ONNX Runtime 1.33.0") == card
    found = read_card(card)
    assert [(one.file, one.runtime) for one in found.exports] == [
        ("second.onnx", "ONNX Runtime 1.33.0"),
        ("tiny.onnx", "ONNX Runtime 1.32.0"),
    ]
    assert {one.bytes for one in found.exports} == {onnx.stat().st_size}
    assert (found.training, found.source) == (TINY.training, TINY.source)
    onnx.unlink()
    write_beside(second, TINY, "ONNX Runtime 1.34.0")
    assert [one.runtime for one in read_card(card).exports] == ["ONNX Runtime 1.34.0"]


def test_a_saved_model_has_its_card_inside(tmp_path):
    folder = tiny_exports.saved_model(tmp_path / "1")
    embed(SAVED_MODEL, folder, about())
    before = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    for _ in range(2):
        assert write_beside(folder, TINY, "TensorFlow 2.21.0") == folder / "MODEL.md"
        [one] = read_card(folder / "MODEL.md").exports
        assert (one.file, one.bytes) == (".", before)


def test_others_cards_are_left_as_they_are(onnx):
    theirs, ours = onnx.with_name("MODEL.md"), onnx.with_name("tiny.MODEL.md")
    theirs.write_text("# Mine\n")
    assert write_beside(onnx, TINY, "x") == ours
    assert theirs.read_text() == "# Mine\n"
    assert write_beside(onnx, TINY, "y") == ours
    ours.write_text("# Mine, too\n")
    assert write_beside(onnx, TINY, "x") is None
    assert ours.read_text() == "# Mine, too\n"


def test_another_models_card_is_kept_until_its_exports_are_gone(onnx):
    first = write_beside(onnx, TINY, "x")
    other, card = onnx.with_name("other.onnx"), dataclasses.replace(TINY, fingerprint="b" * 64)
    other.write_bytes(onnx.read_bytes())
    embed(ONNX, other, about("b" * 64))
    assert write_beside(other, card, "x") == onnx.with_name("other.MODEL.md")
    assert read_card(first).fingerprint == TINY.fingerprint
    untrained = dataclasses.replace(TINY, training=())
    onnx.with_name("MODEL.md").unlink()
    write_beside(onnx, untrained, "x")
    embed(ONNX, onnx, about("c" * 64))  # another model was exported to the same file
    new = dataclasses.replace(TINY, fingerprint="c" * 64)
    assert write_beside(onnx, new, "x") == first
    assert read_card(first).fingerprint == "c" * 64


def test_a_card_of_another_model_than_the_export_is_refused(onnx):
    with pytest.raises(ValueError, match="is no export of tiny"):
        write_beside(onnx, dataclasses.replace(TINY, fingerprint="b" * 64), "x")


def test_speeds_are_added(onnx):
    speed = Speed(8, 0.016, 0.02, "2 threads of a processor")
    assert add_speeds(onnx, [speed]) is None
    card = write_beside(onnx, TINY, "x")
    assert add_speeds(onnx, [speed]) == card
    assert read_card(card).exports[0].speeds == (speed,)
    assert "| tiny.onnx | 8 | 16.00 ms | 20.00 ms | 500.0 | 2 threads of a processor |" in (
        card.read_text()
    )


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"# Mine",
        b"<!-- keras_convnets card -->",
        b"<!-- keras_convnets card {} -->",
        b"<!-- keras_convnets card []] -->",
        b"<!-- keras_convnets card " + b"[" * 100_000 + b" -->",
        b"<!-- keras_convnets card " + json.dumps({"format": 1, "exports": 3}).encode() + b" -->",
        b"\xff\xfe",
    ],
    ids=lambda text: str(text)[:40],
)
def test_strange_cards_are_none(text, tmp_path):
    (tmp_path / "MODEL.md").write_bytes(text)
    assert read_card(tmp_path / "MODEL.md") is None


def test_a_fact_of_another_kind_is_no_card(tmp_path):
    text = render(CARD)
    for before, after in (('"classes": 15', '"classes": "x"'), ('"batch": 8', '"batch": []')):
        assert before in text
        (tmp_path / "MODEL.md").write_text(text.replace(before, after))
        assert read_card(tmp_path / "MODEL.md") is None


def test_a_model_of_any_channels_has_the_card_of_those_that_it_was_trained_on():
    x = keras.Input((8, 8, None))
    mean = keras.layers.Reshape((1,))(keras.ops.mean(x, axis=(1, 2, 3)))
    model = keras.Model(x, keras.layers.Dense(2, activation="softmax")(mean))
    remember(model, Known(preprocessing=Preprocessing(3, 8, 8).to_config()))
    assert card_of(model, "0" * 64).input_shape == (3, 8, 8)
