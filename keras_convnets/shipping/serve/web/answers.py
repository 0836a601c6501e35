"""Answers as JSON, those to refused requests among them."""

from __future__ import annotations

import http
import json
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from keras_convnets import memory
from keras_convnets.received import shown
from keras_convnets.shipping.serve.refusals import Refusal
from keras_convnets.shipping.serve.web.schemas import Problem

_LEFT = 499  # as nginx notes a client that has left; nobody receives it


class Json(JSONResponse):
    """JSON in ASCII: names of classes and of files may be no text that UTF-8 has."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def refused(refusal: Refusal) -> Json:
    """Return the answer to a request that is refused."""
    return Json(refusal.to_dict(), refusal.status, refusal.headers)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the refusals of an operation, for its description."""
    found: dict[int | str, dict[str, Any]] = {200: {"description": "The answer."}}
    for status in statuses:
        why = _WHY.get(status, http.HTTPStatus(status).phrase)
        found[status] = {"model": Problem, "description": why}
    return found


_EXPECTED = {
    "top": "an integer of 1 or more, the classes to name",
    "label": "an integer, the number of a class",
}
_WHY = {
    400: "The body is no JSON, or a form that is damaged.",
    403: "The request comes from another web site.",
    404: "There is no such model or version.",
    408: "The body came too slowly.",
    413: "Too many bytes, pixels or images.",
    415: "The body or an image is of a kind that is not read.",
    422: "An image is damaged, or something is missing.",
    421: "The Host is not this machine.",
    503: "The queue or the memory is full: try again after Retry-After seconds.",
}


def add_handlers(app: FastAPI) -> None:
    """Let an application answer every fault of a request with a `Problem`."""

    async def on_refusal(request: Request, error: Exception) -> Response:
        return refused(error) if isinstance(error, Refusal) else Response(status_code=500)

    async def on_left(request: Request, error: Exception) -> Response:
        return Response(status_code=_LEFT)

    async def on_value(request: Request, error: Exception) -> Response:
        [first, *_] = error.errors() if isinstance(error, RequestValidationError) else [{}]
        where = ".".join(map(str, first.get("loc", ("request",))[1:])) or "request"
        expected = _EXPECTED.get(where, str(first.get("msg")).lower())
        return refused(Refusal(422, where, shown(first.get("input")), expected, "See GET /docs."))

    async def on_http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            return Response(status_code=500)
        return refused(_of_http(request, error))

    async def on_fault(request: Request, error: Exception) -> Response:
        return refused(_fault(error))

    app.add_exception_handler(Exception, on_fault)  # it goes on to the guard, which prints it
    app.add_exception_handler(Refusal, on_refusal)
    app.add_exception_handler(ClientDisconnect, on_left)
    app.add_exception_handler(RequestValidationError, on_value)
    app.add_exception_handler(HTTPException, on_http)


def _of_http(request: Request, error: HTTPException) -> Refusal:
    path, headers = request.url.path, dict(error.headers or {})
    if error.status_code == 404:
        return Refusal(
            *(
                404,
                "address",
                shown(path),
                "/, /predict, /explain, /model, /health, /docs or /v1/models/...",
            ),
            "See GET /docs.",
        )
    if error.status_code == 405:
        allowed = headers.get("Allow", headers.get("allow", "another method"))
        return Refusal(
            *(405, "method", f"{shown(request.method)} for {path}", allowed, "See GET /docs."),
            headers,
        )
    return Refusal(
        error.status_code, "request", shown(error.detail), "another", "See GET /docs.", headers
    )


def _fault(error: Exception) -> Refusal:
    """Return the answer to a request that failed by no fault of its own."""
    if memory.is_exhausted(error):
        return Refusal(
            *(503, "memory", memory.words(error), "enough", "Send it again later, or less."),
            {"Retry-After": "5"},
        )
    return Refusal(
        *(500, "server", f"{type(error).__name__}: {shown(str(error))}", "none"),
        "This is a fault of keras_convnets: please report it, with what the server has printed.",
    )
