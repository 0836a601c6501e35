"""The server, from its start to its end."""

from __future__ import annotations

import logging
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

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
    server(app, limits).run(sockets=[address.socket])


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
