"""Data sets that a package of the system has installed."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from keras_convnets.files import shown


@dataclasses.dataclass(frozen=True)
class Package:
    """A package of Debian and its relatives that has the files of a data set.

    Attributes:
        name: the name of the package.
        folder: where it puts the files.
        sha256: the SHA-256 of all their images and labels, however they are compressed.
    """

    name: str
    folder: Path
    sha256: str

    def has(self, names: Sequence[str]) -> bool:
        """Return whether the package has been installed, with all of these files."""
        return all((self.folder / name).is_file() for name in names)

    def check(self, arrays: Iterable[np.ndarray]) -> None:
        """Refuse arrays that are not those of the data set.

        Raises:
            ValueError: the files were changed.
        """
        digest = hashlib.sha256()
        for array in arrays:
            digest.update(np.ascontiguousarray(array).data)
        if digest.hexdigest() != self.sha256:
            raise ValueError(
                f"data: the files in {shown(self.folder)} are not those of {self.name} (SHA-256 "
                f"{digest.hexdigest()}; expected {self.sha256}). Install the package again, or "
                "name a folder with other files by --data-dir (data_dir)."
            )


FASHION_MNIST = Package(
    "dataset-fashion-mnist",
    Path("/usr/share/datasets/fashion-mnist"),
    "ca3ab2a37f845e1b8ae23cab1b51749a3011ba3bf1d9016176d75cbaabac376f",
)
