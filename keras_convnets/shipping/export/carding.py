"""The model card beside an export."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from keras_convnets.files import NotWritten
from keras_convnets.shipping.card.beside import known_in, write_beside
from keras_convnets.shipping.card.describing import card_of
from keras_convnets.shipping.card.place import CARD
from keras_convnets.shipping.export.report import ExportReport


def with_card(report: ExportReport, model: Any, given: Any) -> ExportReport:
    """Write the card of an export, and return the report with its path, or why there is none.

    The export is whole without it.

    Args:
        report: the report of the export.
        model: the model.
        given: what was given as the model: a run, whose card knows how it was trained, or itself.
    """
    card = card_of(model, report.about.fingerprint)
    folder = getattr(given, "folder", None)
    if isinstance(folder, Path):
        card = known_in(folder, card)
    try:
        path = write_beside(report.path, card, report.runtime)
    except NotWritten as error:
        return _without(report, str(error))
    if path is None:
        return _without(report, f"another {CARD} has its place, with the name of the file, too")
    return dataclasses.replace(report, card=path)


def _without(report: ExportReport, why: str) -> ExportReport:
    note = f"no model card was written: {why}"
    return dataclasses.replace(report, notes=(*report.notes, note))
