"""The report of an export."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from keras_convnets.analysis.tables import sizes
from keras_convnets.inference.shares import Share
from keras_convnets.printable import printable
from keras_convnets.shipping.engines.about import About
from keras_convnets.shipping.export.proof import Proof


@dataclasses.dataclass(frozen=True)
class ExportReport:
    """What an export wrote, and what was proved of it; printed, a few lines.

    Attributes:
        path: the file, or the folder of a SavedModel.
        kind: ``"saved_model"``, ``"onnx"``, ``"litert"`` or ``"openvino"``.
        runtime: what the file was opened by, with its version.
        bytes_before: the bytes of the model's weights in float32.
        bytes_after: the bytes of the file, with those that belong to it.
        about: what the file says of itself.
        proof: how much its outputs differ from the model's.
        output_count: how many numbers it returns for an image.
        notes: what has to be said beside, in lines.
        card: the model's card beside it; ``None`` if none could be written.
    """

    path: Path
    kind: str
    runtime: str
    bytes_before: int
    bytes_after: int
    about: About
    proof: Proof
    output_count: int
    notes: tuple[str, ...] = ()
    card: Path | None = None

    @property
    def precision(self) -> str:
        """The precision of the file."""
        return self.about.precision

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data that JSON can represent."""
        about = dataclasses.asdict(self.about)
        del about["proof"]
        return {
            "path": str(self.path),
            "kind": self.kind,
            "runtime": self.runtime,
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
            **about,
            "input_shape": list(self.about.input_shape),
            "class_names": list(self.about.class_names),
            "output_count": self.output_count,
            "proof": self.proof.to_dict(),
            "notes": list(self.notes),
            "card": None if self.card is None else str(self.card),
        }

    def __str__(self) -> str:
        rows = [
            ("exported", f"{self.about.network} to {self.path}, opened by {self.runtime}"),
            ("size", self._size()),
            ("folded", self._folded()),
            ("takes", self._takes()),
            ("returns", self._returns()),
            ("checked on", self._checked()),
            *self._difference(),
            ("first class", self._agreement()),
            *self._accuracy(),
            *([("card", str(self.card))] if self.card is not None else []),
            *(("note", note) for note in self.notes),
        ]
        width = max(len(title) for title, _ in rows)
        return "\n".join(f"{title:<{width}}   {printable(words)}" for title, words in rows)

    def _size(self) -> str:
        before, after = self.bytes_before, self.bytes_after
        return (
            f"{_bytes(after)} in {self.precision}, for {_bytes(before)} of weights in float32 "
            f"({after / max(before, 1):.0%})"
        )

    def _folded(self) -> str:
        about = self.about
        if not about.normalisations:
            return "nothing: there are no batch normalisations"
        return f"{about.folded} of {about.normalisations} batch normalisations"

    def _takes(self) -> str:
        channels, rows, cols = self.about.input_shape
        size = ["any" if side is None else side for side in (rows, cols)]
        shape = ("any", *size, channels) if self.about.channels_last else ("any", channels, *size)
        if self.about.has_preprocessing:
            return f"images of any size, {self.about.input_dtype}: they are prepared inside"
        return f"{self.about.input_dtype} of {sizes(shape)}: prepared images"

    def _returns(self) -> str:
        about, count = self.about, self.output_count
        what = "logit" if about.outputs == "linear" else "probability"
        named = "named " if about.class_names else ""
        if count == 1:
            return f"the {what} of the second of two {named}classes"
        many = "logits" if what == "logit" else "probabilities"
        return f"{many} of {count:,} {named}classes"

    def _checked(self) -> str:
        proof = self.proof
        batches = ", ".join(map(str, proof.batches))
        return f"{proof.of}, in batches of {batches}"

    def _difference(self) -> list[tuple[str, str]]:
        proof = self.proof
        if not proof.difference:
            return [("difference", "none: all probabilities are the same to the bit")]
        words = (
            f"at most {proof.difference:.2g} of a probability; relative to the largest of its "
            f"image {proof.relative:.2g}, where {proof.tolerance:g} is accepted"
        )
        return [("difference", words), ("largest for", proof.where)]

    def _agreement(self) -> str:
        proof = self.proof
        return (
            f"the same for {proof.agreeing:,} of {proof.images:,} images ({Share(proof.agreement)})"
        )

    def _accuracy(self) -> list[tuple[str, str]]:
        before, after = self.proof.accuracy_before, self.proof.accuracy_after
        if before is None or after is None:
            return []
        return [("accuracy", f"{Share(before)} before, {Share(after)} after")]


def _bytes(number: int) -> str:
    """Format a number of bytes.

    Examples:
        >>> _bytes(12_345), _bytes(1_234_567), _bytes(102_400_000)
        ('12 kB', '1.23 MB', '102 MB')
    """
    if number < 1e6:
        return f"{number / 1e3:.0f} kB"
    return f"{number / 1e6:.2f} MB" if number < 1e7 else f"{number / 1e6:,.0f} MB"
