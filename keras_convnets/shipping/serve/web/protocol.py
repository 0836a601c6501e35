"""Connections that end in time; Uvicorn's own wait for ever for the head of a request."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from keras_convnets.shipping.serve.limits import Limits
from keras_convnets.shipping.serve.refusals import Refusal

_EVERY = 0.5  # seconds
_NO_HTTP = Refusal(
    *(400, "request", "what is no HTTP/1.1, or a head that is too long", "a request"),
    "Check the client.",
)


def protocol(limits: Limits) -> type[asyncio.Protocol]:
    """Return the class of a server's connections."""
    return type("LimitedConnection", (Connection,), {"limits": limits})


class Connection(H11Protocol):
    """A connection that is closed if its client is too slow, or if there are too many."""

    limits: Limits
    _watch: asyncio.TimerHandle | None = None  # none of a connection that was one too many
    _since = 0.0
    _state: tuple[Any, bool] = (None, False)  # the last request, and whether it is under way

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= self.limits.connections:
            transport.abort()
            return
        super().connection_made(transport)
        self._since = time.monotonic()
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._watch is not None:
            super().data_received(data)

    def _look_later(self) -> None:
        self._watch = self.loop.call_later(_EVERY, self._look)

    def _look(self) -> None:
        """Close the connection if its head or its answer takes too long."""
        busy = self.cycle is not None and not self.cycle.response_complete
        if (self.cycle, busy) != self._state:  # another request, though the last look was the same
            self._state, self._since = (self.cycle, busy), time.monotonic()
        most = self.limits.answer_seconds if busy else self.limits.header_seconds
        if time.monotonic() - self._since > most:
            self.transport.abort()
        else:
            self._look_later()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as JSON, too."""
        if self.transport.is_closing():
            return
        body = json.dumps(_NO_HTTP.to_dict()).encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
