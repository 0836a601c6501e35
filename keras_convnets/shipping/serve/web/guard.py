"""What stands before the application: who may ask, what every answer says, and its log."""

from __future__ import annotations

import asyncio
import errno
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keras_convnets import memory
from keras_convnets.printable import printable
from keras_convnets.received import shown
from keras_convnets.shipping.serve.refusals import Refusal
from keras_convnets.shipping.serve.web.answers import refused
from keras_convnets.shipping.serve.web.body import CLOSE

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)


class Guard:
    """Refuses requests that another web site makes, and lets no fault out without an answer.

    A web site may give its own name the address of this machine (DNS rebinding); its requests
    then have its name as their ``Host``. It may also send a form here; the browser then says so in
    ``Origin``.

    Args:
        app: the application.
        hosts: the names that a request may call this machine by; ``None`` for any.
        log: called with a line for each request.
    """

    def __init__(
        self, app: ASGIApp, hosts: frozenset[str] | None, log: Callable[[str], None] | None
    ) -> None:
        self._app, self._hosts, self._log = app, hosts, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            refusal = self._refusal(scope)
            if refusal is not None:
                await refused(refusal)(scope, receive, send_on)
            elif scope["method"] == "HEAD":  # the server leaves out the body
                await self._app({**scope, "method": "GET"}, receive, send_on)
            else:
                await self._app(scope, receive, send_on)
        except Exception as error:  # which has been answered with 500
            if not memory.is_exhausted(error):
                traceback.print_exception(error, file=sys.stderr)
        if self._log is not None:
            seconds = time.monotonic() - began
            client = (scope.get("client") or ("-",))[0]
            asked = printable(f"{client} {scope['method']} {scope['path']}")
            self._log(f"{asked} {status} {seconds * 1000:.0f} ms")

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._hosts is not None and _name(host) not in self._hosts:
            return Refusal(
                *(421, "Host", shown(host), " or ".join(sorted(self._hosts))),
                "Use that address; start the server with --host to be called otherwise.",
                CLOSE,
            )
        if origin is not None and scope["method"] == "POST" and _place(origin) != host:
            return Refusal(
                *(403, "Origin", shown(origin), f"none, or that of {host}"),
                "Send requests from this server's own page, or from a program.",
                CLOSE,
            )
        return None


def on_loop_fault(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Let no traceback out for each connection that the system has no descriptor for.

    The server tries again by itself, and the clients wait until then.
    """
    error = context.get("exception")
    if not (isinstance(error, OSError) and error.errno in _NO_DESCRIPTORS):
        loop.default_exception_handler(context)


def _place(origin: str) -> str | None:
    """Return the host and port in an ``Origin``; ``None`` if it is no address."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _name(host: str) -> str:
    """Return the name in a ``Host``, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
