"""How a model is called: the programs of the docs, with its own files and shapes."""

from __future__ import annotations

from importlib import resources

from keras_convnets.analysis.tables import sizes
from keras_convnets.shipping.card.facts import Card, Export
from keras_convnets.shipping.card.lines import literal

_ARGUMENTS = " = sys.argv[1:]"  # what the docs' programs take from the command line
_RUNTIMES = {
    "onnx": "onnxruntime",
    "litert": "ai-edge-litert",
    "openvino": "openvino",
    "saved_model": "tensorflow",
}
_PHOTO = "photo.jpg"


def calling(card: Card) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is said of the calls, and the programs; each runtime has one.

    A card without exports, that of a run, calls the model by this package.
    """
    if not card.exports:
        return (), (_WITH_THE_PACKAGE,)
    alike: dict[str, list[Export]] = {}
    for one in card.exports:
        alike.setdefault(_takes(card, one), []).append(one)
    takes = tuple(f"{_named(files)}: {what}" for what, files in alike.items())
    if not card.class_names or card.preprocessing is None:
        return (*takes, "Its images or its classes are not known, so there is no program."), ()
    kinds: dict[str, list[str]] = {}
    for one in card.exports:
        kinds.setdefault(one.kind, []).append(one.file)
    needs = " ".join(_RUNTIMES[kind] for kind in kinds)
    text = (
        f"Without this package: pip install numpy pillow {needs}, and run the first part with the "
        "part of a file."
    )
    programs = (_of_files(kind, files) for kind, files in kinds.items())
    return (*takes, text), (_program("prepared"), *programs)


_WITH_THE_PACKAGE = f"""from keras_convnets import classify, load_model

print(classify(load_model("model.keras"), "{_PHOTO}"))"""


def _takes(card: Card, one: Export) -> str:
    """Return the shapes of an export's input and output, in words."""
    channels, rows, cols = card.input_shape
    size = [rows or "any", cols or "any"]
    if one.has_preprocessing:
        is_photo = channels in (1, 3)  # files of either take colours
        shape = ["any", "any", "any", 3 if is_photo else channels]
        what = "images of any size" + (", red first" if is_photo else "")
    else:
        what = "prepared images"
        shape = ["any", *size, channels] if one.channels_last else ["any", channels, *size]
    outputs = 1 if card.is_binary else card.classes
    return (
        f"{one.input_dtype} of {sizes(shape)}, {what}; returns float32 of {sizes(['any', outputs])}"
    )


def _named(exports: list[Export]) -> str:
    return ", ".join("the SavedModel" if one.file == "." else one.file for one in exports)


def _of_files(kind: str, files: list[str]) -> str:
    """Return the program of a runtime, for its own files."""
    program, (file, *others) = _program(kind), map(literal, files)
    first = next(line for line in program.splitlines() if line.endswith(_ARGUMENTS))
    names = first.removesuffix(_ARGUMENTS)
    more = f"  # or {', '.join(others)}" if others else ""
    return program.replace(first, f"{names} = {file}, {literal(_PHOTO)}{more}")


def _program(name: str) -> str:
    folder = resources.files(__package__).joinpath("page")
    return folder.joinpath(f"{name}.txt").read_text(encoding="utf-8").strip()
