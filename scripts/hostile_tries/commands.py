"""Commands given what they cannot use: one line, and exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hostile_tries.trying import Try, refused_command


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    yield Try("an unknown network", lambda: refused_command("cost", "resnet_19", says="resnet_18"))
    yield Try(
        "a plot in a folder that does not exist",
        lambda: refused_command("plot", "lenet_5", "no/such/folder.png", says="cannot write"),
    )
