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
    """Return what is said of the calls, and the programs; each export has one.

    A card without exports, that of a run, calls the model by this package.
    """
    if not card.exports:
        return (), (_WITH_THE_PACKAGE,)
    takes = tuple(dict.fromkeys(_takes(card, one) for one in card.exports))
    if not card.class_names or card.preprocessing is None:
        return (*takes, "Its images or its classes are not known, so there is no program."), ()
    needs = " ".join(dict.fromkeys(_RUNTIMES[one.kind] for one in card.exports))
    text = f"Without this package: pip install numpy pillow {needs}"
    return (*takes, text), (_program("prepared"), *map(_of_export, card.exports))


_WITH_THE_PACKAGE = f"""from keras_convnets import classify, load_model

print(classify(load_model("model.keras"), "{_PHOTO}"))"""


def _takes(card: Card, one: Export) -> str:
    """Return the shapes of an export's input and output in a sentence."""
    channels, rows, cols = card.input_shape
    size = [rows or "any", cols or "any"]
    if one.has_preprocessing:
        shape, what = ["any", "any", "any", 3], "images of any size, red first"
    else:
        what = "prepared images"
        shape = ["any", *size, channels] if one.channels_last else ["any", channels, *size]
    outputs = 1 if card.is_binary else card.classes
    return (
        f"{one.file if one.file != '.' else 'The SavedModel'} takes {one.input_dtype} of "
        f"{sizes(shape)}, {what}, and returns float32 of {sizes(['any', outputs])}."
    )


def _of_export(one: Export) -> str:
    """Return the program of an export, for its own file."""
    program = _program(one.kind)
    first = next(line for line in program.splitlines() if line.endswith(_ARGUMENTS))
    names = first.removesuffix(_ARGUMENTS)
    return program.replace(first, f"{names} = {literal(one.file)}, {literal(_PHOTO)}")


def _program(name: str) -> str:
    folder = resources.files(__package__).joinpath("page")
    return folder.joinpath(f"{name}.txt").read_text(encoding="utf-8").strip()
