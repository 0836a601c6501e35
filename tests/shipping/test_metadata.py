"""What a file says of itself is read back exactly, and no stranger's file is believed."""

import dataclasses
import io
import json
import struct
import sys
import zipfile

import keras
import numpy as np
import pytest

import tiny_exports
from keras_convnets.readers import model_notes
from keras_convnets.readers.damage import DamagedFile
from keras_convnets.shipping.engines.about import About
from keras_convnets.shipping.engines.kinds import KINDS, LITERT, ONNX, OPENVINO, SAVED_MODEL
from keras_convnets.shipping.engines.metadata import about_of, embed, read_about
from keras_convnets.shipping.engines.opening import open_engine

for module in ("onnx", "onnxruntime", "ai_edge_litert", "openvino"):
    pytest.importorskip(module, reason="runtimes: pip install '.[onnx,litert,openvino]'")
if keras.backend.backend() != "tensorflow":
    pytest.skip("exports are made by TensorFlow", allow_module_level=True)

NAMES = ("golden retriever", "犬\n\udce9 , \"'<&>|", "", "\x00\x1b[31m\u202e\U0001f600 ")
ABOUT = About(
    *("tiny", "keras_convnets 1.0", (3, 8, 8), True, "float32", False),
    {"scale": 255.0, "mean": [0.1, 1e-7, 3], "resize": "crop", "shorter_side": None},
    *(NAMES, "softmax", "float32", "torchvision/ΩTINY", "af" * 32, 3, 4),
    {"largest_difference": 1e-7, "agreement": {"first": 1.0, "images": 64}},
    {"note": [True, None, -0.0, "\ud800"]},
)
WRITERS = {
    SAVED_MODEL: tiny_exports.saved_model,
    ONNX: tiny_exports.onnx_file,
    LITERT: tiny_exports.litert_file,
    OPENVINO: tiny_exports.openvino_file,
}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedded")
    paths = {kind: write(folder / f"tiny{kind.suffix}") for kind, write in WRITERS.items()}
    for kind, path in paths.items():
        assert read_about(path) is None
        embed(kind, path, dataclasses.replace(ABOUT, network="before", class_names=("x",) * 4))
        embed(kind, path, ABOUT)
    return paths


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_it_is_read_back_exactly_and_the_file_still_runs(embedded, kind):
    assert read_about(embedded[kind]) == ABOUT
    engine = open_engine(embedded[kind])
    assert engine.about == ABOUT
    batch = tiny_exports.images()
    np.testing.assert_allclose(engine.run(batch), tiny_exports.expected(batch), atol=2e-6)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_replaced_is_gone(embedded, tmp_path, kind):
    path = embedded[kind]
    size = path.stat().st_size
    embed(kind, path, dataclasses.replace(ABOUT, class_names=()))
    assert read_about(path).class_names == ()
    embed(kind, path, ABOUT)
    assert path.stat().st_size == size
    assert {file.name for file in path.parent.iterdir() if file.name.startswith(".")} == set()


LINES = ["golden retriever", "犬\\n\\xe9 , \"'<&>|", "", "\\x00\\x1b[31m\\u202e😀 "]


def test_onnx_runtime_shows_names_and_preprocessing(embedded):
    import onnxruntime

    session = onnxruntime.InferenceSession(embedded[ONNX], providers=["CPUExecutionProvider"])
    found = session.get_modelmeta().custom_metadata_map
    assert tuple(json.loads(found["class_names"])) == NAMES
    assert json.loads(found["preprocessing"]) == ABOUT.preprocessing
    assert found["labels"].split("\n") == [*LINES, ""]


def test_labels_are_a_file_in_litert_and_beside_a_saved_model(embedded):
    with zipfile.ZipFile(embedded[LITERT]) as archive:
        lines = archive.read("labels.txt").decode()
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}
    assert lines == (embedded[SAVED_MODEL] / "assets.extra/labels.txt").read_text("utf-8")
    assert lines.split("\n") == [*LINES, ""]


def test_openvino_has_labels_as_its_model_api_reads_them(embedded):
    import openvino

    model = openvino.Core().read_model(embedded[OPENVINO])
    labels = model.get_rt_info(["model_info", "labels"]).astype(str)
    assert labels == "golden_retriever 犬\\n\\xe9_,_\"'<&>| _ \\x00\\x1b[31m\\u202e😀"
    assert len(labels.split(" ")) == 4


def test_others_notes_are_kept(tmp_path):
    import onnx

    path = tiny_exports.onnx_file(tmp_path / "noted.onnx")
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"author": "someone"})
    onnx.save(model, path)
    embed(ONNX, path, ABOUT)
    found = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert found["author"] == "someone"
    path = tiny_exports.litert_file(tmp_path / "noted.tflite")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("vocabulary.txt", "a\nb")
    embed(LITERT, path, ABOUT)
    with zipfile.ZipFile(path) as archive:
        assert archive.read("vocabulary.txt") == b"a\nb"
    assert read_about(path) == ABOUT


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"proof": {"difference": float("nan")}}, "which JSON cannot represent"),
        ({"extra": {1: 2}}, "dictionaries whose keys are texts"),
        ({"extra": {"a": (1, 2)}}, "expected only lists"),
        ({"extra": {"a": np.float32(1)}}, "which JSON cannot represent"),
    ],
    ids=str,
)
def test_what_would_not_come_back_is_not_written(embedded, change, line):
    before = embedded[ONNX].read_bytes()
    with pytest.raises(ValueError, match=line):
        embed(ONNX, embedded[ONNX], dataclasses.replace(ABOUT, **change))
    assert embedded[ONNX].read_bytes() == before


def test_a_description_has_kinds():
    for change in ({"network": 3}, {"class_names": ("a", 1)}, {"folded": "x"}):
        with pytest.raises(ValueError, match=f"{next(iter(change))}: received"):
            dataclasses.replace(ABOUT, **change)


def with_about(path, text):
    """Write a SavedModel's description as a stranger would."""
    file = path / "assets.extra/keras_convnets.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else json.dumps(text).encode())
    return path


PLAIN = {"format": 1} | dataclasses.asdict(ABOUT)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"", "Expecting value"),
        (b"\xff", "utf-8"),
        (b"[" * 100_000, "nested too deeply"),
        ([], "no JSON object"),
        (PLAIN | {"format": 2}, "of another version"),
        (PLAIN | {"format": [1] * 9999}, "of another version"),
        ({"format": 1}, "lacks 'channels_last'"),
        (PLAIN | {"class_names": "abc"}, "class_names: received 'abc'"),
        (PLAIN | {"class_names": [1, 2]}, "class_names: received"),
        (PLAIN | {"input_shape": [3, 8]}, "input_shape: received"),
        (PLAIN | {"proof": []}, "proof: received"),
        (PLAIN | {"folded": 10**30}, "folded: received"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_descriptions_of_strangers_are_checked(tmp_path, text, line):
    path = with_about(tmp_path / "saved", text)
    with pytest.raises(DamagedFile):
        read_about(path)
    with pytest.raises(ValueError) as caught:
        about_of(path)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_keys_of_later_versions_are_ignored(tmp_path):
    assert read_about(with_about(tmp_path / "saved", PLAIN | {"colour": "blue"})) == ABOUT


def test_a_long_description_is_not_read(tmp_path):
    path = with_about(tmp_path / "saved", b"{}")
    with (path / "assets.extra/keras_convnets.json").open("r+b") as file:
        file.truncate(10 << 30)  # of which the disk has none
    with pytest.raises(DamagedFile, match="expected at most"):
        read_about(path)


def entry(key, value):
    return b"\x0a" + bytes([len(key)]) + key + b"\x12" + bytes([len(value)]) + value


def onnx_bytes(*entries):
    return b"\x08\x08" + b"".join(b"\x72" + bytes([len(one)]) + one for one in entries)


@pytest.mark.parametrize(
    ("contents", "line"),
    [
        (b"\x7a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "ends within a field"),
        (b"\xff" * 20, "a number of more than 10 bytes"),
        (b"\x08", "ends after 0 of 1"),
        (b"\x0b\x00", "wire type 3"),
        (b"\x08\x00" * 100_001, "more than 100,000 fields"),
        (onnx_bytes(b"\x0a\x09abc"), "ends within a field"),
        (onnx_bytes(entry(b"\xff", b"")), "utf-8"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_onnx_files_of_strangers(tmp_path, contents, line):
    path = tmp_path / "a.onnx"
    path.write_bytes(contents)
    with pytest.raises(DamagedFile, match=line):
        read_about(path)


def test_onnx_files_without_ours(tmp_path):
    path = tmp_path / "a.onnx"
    path.write_bytes(onnx_bytes(entry(b"a", b"b"), entry(b"c", b"")) + b"\x09" + bytes(8))
    assert read_about(path) is None


def test_a_large_onnx_file_is_not_read(tmp_path):
    path = tmp_path / "a.onnx"
    size = 5 << 30
    length = bytes((size >> 7 * n & 127) | 128 for n in range(4)) + bytes([size >> 28])
    with path.open("wb") as file:  # a graph of zeros, of which the disk has none
        file.write(b"\x3a" + length)
        file.truncate(1 + len(length) + size)
        file.seek(0, io.SEEK_END)
        file.write(onnx_bytes(entry(b"a", b"b")))
    assert read_about(path) is None


@pytest.mark.parametrize(
    ("contents", "line"),
    [
        (b"<net><a></net>", "mismatched tag"),
        (b"<net>" * 100, "nested more than 64 times"),
        (b"", "no element found"),
        (b'<!DOCTYPE net [<!ENTITY a "aaaa">]><net>&a;</net>', "document type"),
        (b'<!DOCTYPE net SYSTEM "file:///etc/passwd"><net/>', "document type"),
        (b"<net>\xff</net>", "not well-formed"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_xml_of_strangers(tmp_path, contents, line):
    path = tmp_path / "a.xml"
    path.write_bytes(contents)
    with pytest.raises(DamagedFile, match=line):
        read_about(path)


def test_a_huge_xml_is_not_read(tmp_path):
    path = tmp_path / "a.xml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(DamagedFile, match="expected at most"):
        read_about(path)


def archived(path, **texts):
    path.write_bytes(b"TFL3" * 9)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return path


def test_archives_of_strangers(tmp_path):
    bomb = archived(tmp_path / "bomb.tflite", a=bytes(model_notes.MOST + 1))
    with pytest.raises(DamagedFile, match="more than"):
        read_about(bomb)
    assert read_about(archived(tmp_path / "other.tflite", a="b")) is None
    broken = archived(tmp_path / "broken.tflite", **{"keras_convnets.json": "{}" * 99})
    whole = broken.read_bytes()
    place = whole.index(b"keras_convnets.json") + 25
    broken.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
    with pytest.raises(DamagedFile):
        read_about(broken)


def test_reading_loads_no_runtime(embedded):
    import subprocess

    program = """
import sys
from keras_convnets.shipping.engines.metadata import read_about
for path in sys.argv[1:]:
    assert len(read_about(path).class_names) == 4
print(sorted({"tensorflow", "keras", "onnx", "openvino", "ai_edge_litert"} & set(sys.modules)))
"""
    paths = [str(path) for path in embedded.values()]
    done = subprocess.run([sys.executable, "-c", program, *paths], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_fields_of_an_onnx_file_are_those_of_its_schema():
    import onnx

    fields = onnx.ModelProto.DESCRIPTOR.fields_by_name
    assert fields["metadata_props"].number == 14
    text = onnx.StringStringEntryProto(key="a", value="b").SerializeToString()
    assert text == entry(b"a", b"b")
    assert struct.calcsize("<I") == 4
