"""A server under load: good and bad requests at once, clients that leave, bombs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import load_server

from hostile_tries.forks import Fault
from hostile_tries.trying import Count, Try

_REQUESTS, _CLIENTS = 300, 8


def tries(place: Path) -> Iterator[Try]:
    def loaded() -> Count:
        found = load_server.load(place, _REQUESTS, _CLIENTS)
        if found.faults:
            raise Fault(found.words())
        good = sum(n for (kind, _), n in found.counts.items() if kind.startswith("good"))
        return {"worked": good, "refused": _REQUESTS - good, "notes": []}

    yield Try(f"{_REQUESTS} requests, good and bad", loaded, seconds=120)
