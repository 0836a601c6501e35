"""The server, from its start to its end."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import warnings
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from keras_convnets import quiet
from keras_convnets.shipping.serve.address import BACKLOG, Address
from keras_convnets.shipping.serve.limits import Limits
from keras_convnets.shipping.serve.served import Served
from keras_convnets.shipping.serve.web.app import application
from keras_convnets.shipping.serve.web.protocol import protocol

_IDLE = 5  # seconds that a connection is kept without a request


def serve(
    served: Served,
    address: Address,
    limits: Limits,
    started: Callable[[], None],
    log: Callable[[str], None] | None = None,
) -> None:
    """Serve until a signal comes; then answer what has come before, and raise the signal again.

    Args:
        served: what is served.
        address: where.
        limits: what is accepted at most.
        started: called when it is ready.
        log: called with a line for each request.
    """
    app = application(served, limits, address.names, log, started)
    with _silent_decoders():
        server(app, limits).run(sockets=[address.socket])


@contextlib.contextmanager
def _silent_decoders() -> Iterator[None]:
    """Keep from standard error what decoders say of damaged images: any client can send them."""
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    with quiet.python_alone(), warnings.catch_warnings(), _said_crashes():
        warnings.simplefilter("ignore")  # Pillow's
        yield


@contextlib.contextmanager
def _said_crashes() -> Iterator[None]:
    """Let Python say when native code crashes, whose own last words are held back."""
    is_ours = not faulthandler.is_enabled()
    if is_ours:
        with contextlib.suppress(OSError, RuntimeError, ValueError):  # no standard error
            faulthandler.enable()
    try:
        yield
    finally:
        if is_ours:
            faulthandler.disable()


def server(app: ASGIApp, limits: Limits) -> uvicorn.Server:
    """Return the server of an application, which ends when its ``should_exit`` is set."""
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # of clients' faults, too
    config = uvicorn.Config(
        app,
        http=protocol(limits),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        log_level="critical",  # faults have their own lines; all else is an answer
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=limits.stop_seconds,
        backlog=BACKLOG,
    )
    return uvicorn.Server(config)
