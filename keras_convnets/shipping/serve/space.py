"""Memory for images that keep their size: some wait until others are classified."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Space:
    """Lets coroutines of one event loop on while the pixels of all do not exceed a number.

    Args:
        most: the pixels of all; a single image may have more.
    """

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0
        self._waiting: list[asyncio.Future[None]] = []

    @contextlib.asynccontextmanager
    async def of(self, pixels: int) -> AsyncIterator[None]:
        """Wait until there is space for an image, and keep it as long as the context lasts."""
        while self._held and self._held + pixels > self._most:
            freed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(freed)
            await freed
        self._held += pixels
        try:
            yield
        finally:
            self._held -= pixels
            waiting, self._waiting = self._waiting, []
            for freed in waiting:
                if not freed.done():  # nobody awaits it if its client has left
                    freed.set_result(None)
