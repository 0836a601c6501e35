"""An OpenVINO file has runtime information, of which ``model_info`` is for the model's users."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from keras_convnets.files import replacing
from keras_convnets.readers import model_notes
from keras_convnets.readers.damage import opened
from keras_convnets.shipping.engines.writing.entries import ABOUT, KEY, LABELS


def embed(path: Path, entries: dict[str, str]) -> None:
    """Write our description, and labels as OpenVINO's Model API reads them, into the XML.

    There labels are separated by spaces, and have underscores for their own.
    """
    with opened(path) as stream:
        model_notes.of_openvino(stream)  # refuses what is no plain XML
    tree = ElementTree.parse(path)
    place = _child(_child(tree.getroot(), "rt_info"), "model_info")
    texts = {KEY["openvino"]: entries[ABOUT]}
    if LABELS in entries:
        lines = entries[LABELS].splitlines()
        texts["labels"] = " ".join("_".join(line.split()) or "_" for line in lines)
    for name in (KEY["openvino"], "labels"):
        for element in place.findall(name):
            place.remove(element)
    for name, text in texts.items():
        ElementTree.SubElement(place, name, value=text)
    with replacing(path) as new:
        tree.write(new, encoding="utf-8", xml_declaration=True)


def _child(parent: ElementTree.Element, name: str) -> ElementTree.Element:
    found = parent.find(name)
    return ElementTree.SubElement(parent, name) if found is None else found
