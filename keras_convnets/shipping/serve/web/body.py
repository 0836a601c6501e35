"""The body of a request: not too long, not too slow, and not with too many others in memory."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from keras_convnets.shipping.serve.refusals import Refusal
from keras_convnets.shipping.serve.service import Service

T = TypeVar("T")
CLOSE = {"Connection": "close"}
_LINGER = 2.0  # seconds


@contextlib.asynccontextmanager
async def body_of(request: Request, service: Service) -> AsyncIterator[bytes]:
    """Yield the body of a request, which counts as held in memory as long as the context lasts.

    Raises:
        Refusal: it is too long, comes too slowly, is compressed, or there is no memory for it.
        ClientDisconnect: the client has left.
    """
    coding = request.headers.get("content-encoding", "identity")
    if coding.lower() != "identity":
        await _let_pass(request)
        raise Refusal(
            *(415, "Content-Encoding", repr(coding), "none", "Send the body as it is."), CLOSE
        )
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > service.limits.max_bytes:
        if request.headers.get("expect", "").lower() != "100-continue":
            await _let_pass(request)
        raise _too_long(f"{int(declared):,} bytes", service)
    body = bytearray()
    try:
        await _collect(request, service, body)
        yield bytes(body)
    finally:
        service.held -= len(body)


async def _collect(request: Request, service: Service, body: bytearray) -> None:
    limits, began = service.limits, time.monotonic()
    more = True
    while more:
        left = limits.body_seconds - (time.monotonic() - began)
        try:
            message = await asyncio.wait_for(request.receive(), min(left, limits.read_seconds))
        except TimeoutError:
            raise Refusal(
                *(408, "body", f"{len(body):,} bytes and then nothing in time"),
                f"all of it within {limits.body_seconds:g} s, without a pause of more than "
                f"{limits.read_seconds:g} s",
                "Send it again.",
                CLOSE,
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        more = message.get("more_body", False)
        body += part
        service.held += len(part)
        if len(body) > limits.max_bytes:
            if more:
                await _let_pass(request)
            raise _too_long(f"more than {limits.max_bytes:,} bytes", service)
        if service.held > limits.held:
            raise Refusal(
                *(503, "memory", f"{service.held:,} bytes of requests at once"),
                f"at most {limits.held:,}",
                "Send it again in 5 s.",
                {"Retry-After": "5", **CLOSE},
            )


def _too_long(received: str, service: Service) -> Refusal:
    expected = f"at most {service.limits.max_bytes:,}"
    return Refusal(413, "body", received, expected, "Make the image smaller.", CLOSE)


async def _let_pass(request: Request) -> None:
    """Read on for a moment and forget it: a client that is still sending may miss the answer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER):
            while (message := await request.receive()).get("more_body"):
                del message


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """Return what is awaited, or stop it if the client has left.

    Raises:
        ClientDisconnect: the client has left.
    """
    task: asyncio.Future[T] = asyncio.ensure_future(work)
    gone: asyncio.Future[Any] = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        for future in (task, gone):
            future.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
