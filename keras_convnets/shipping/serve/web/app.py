"""The application: the page, the JSON endpoints and their description."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from keras_convnets._version import __version__
from keras_convnets.analysis import pages
from keras_convnets.shipping.serve.limits import Limits
from keras_convnets.shipping.serve.refusals import Refusal
from keras_convnets.shipping.serve.served import Served
from keras_convnets.shipping.serve.service import Service
from keras_convnets.shipping.serve.web import facts, schemas, tf_serving
from keras_convnets.shipping.serve.web.answers import Json, add_handlers, problems
from keras_convnets.shipping.serve.web.body import body_of, unless_gone
from keras_convnets.shipping.serve.web.guard import Guard, on_loop_fault
from keras_convnets.shipping.serve.web.uploads import BYTES, FORM, JSON, uploads

_PACKAGE = "keras_convnets.shipping.serve"
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_PROBLEMS = problems(400, 403, 408, 413, 415, 421, 422, 503)  # of images
_FILE = {"type": "string", "format": "binary"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "properties": {"image": {"type": "array", "items": _FILE}},
                }
            },
            "image/*": {"schema": _FILE},
            BYTES: {"schema": _FILE},
            JSON: {"schema": {"$ref": "#/components/schemas/ImagesAsJson"}},
        },
    }
}


def application(
    served: Served,
    limits: Limits,
    hosts: frozenset[str] | None = None,
    log: Callable[[str], None] | None = None,
    started: Callable[[], None] = lambda: None,
) -> ASGIApp:
    """Return the ASGI application that serves a model.

    Args:
        served: what is served.
        limits: what is accepted at most.
        hosts: the names that a request may call this machine by; ``None`` for any.
        log: called with a line for each request.
        started: called when it is ready.
    """
    service = Service(served, limits)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_exception_handler(on_loop_fault)
        service.start()
        started()
        try:
            yield
        finally:
            service.stop()

    app = FastAPI(
        title=f"{served.name}, served by keras_convnets",
        description="Classifies images. Refused requests get a `Problem` that says why.",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    add_handlers(app)
    _add_endpoints(app, service)
    app.include_router(tf_serving.router(service))
    _add_schemas(app)
    _add_pages(app, service)
    return Guard(app, hosts, log)


def _add_endpoints(app: FastAPI, service: Service) -> None:
    @app.post(
        "/predict",
        response_model=schemas.Classified,
        responses=_PROBLEMS,
        openapi_extra=_BODY,
        operation_id="predict",
    )
    async def predict(
        request: Request,
        top: Annotated[int, Query(ge=1, description="Classes to name for each image.")] = 5,
    ) -> Json:
        """Return the most probable classes of one image or several."""
        async with body_of(request, service) as body:
            images = await uploads(request, body, service)
            found = await unless_gone(request, service.classify(images))
        answer = found.to_dict(min(top, len(found.class_names)))
        kept = {key: answer[key] for key in ("images", "doubtful")}
        return Json({"model": service.served.name, **kept})

    @app.post(
        "/explain",
        response_model=schemas.LookedAt,
        responses=_PROBLEMS,
        openapi_extra=_BODY,
        operation_id="explain",
    )
    async def explain(
        request: Request,
        label: Annotated[
            int | None, Query(description="The class; without it, the predicted one.")
        ] = None,
    ) -> Json:
        """Return what the model looked at in one image, by Grad-CAM."""
        async with body_of(request, service) as body:
            images = await uploads(request, body, service)
            if len(images) != 1:
                raise Refusal(413, "images", f"{len(images)} images", "1", "Send one at a time.")
            found = await unless_gone(request, service.look(images[0], label))
        about = {"model": service.served.name, "image": images[0][0]}
        name = service.served.class_names[found.label]
        return Json({**about, "class": name, **dataclasses.asdict(found)})

    @app.get(
        "/health",
        response_model=schemas.Health,
        responses={503: {"model": schemas.Health, "description": "Failed."}, **problems(421)},
        operation_id="health",
    )
    async def health() -> Json:
        """Return whether the server works, and what it has done."""
        worker = service.worker
        return Json(
            {
                "status": "ok" if worker.is_alive else "failed",
                "model": service.served.name,
                "waiting": worker.waiting,
                "images": worker.images,
                "batches": worker.batches,
            },
            200 if worker.is_alive else 503,
        )

    @app.get(
        "/model",
        response_model=schemas.Facts,
        responses=problems(421),
        operation_id="model",
    )
    async def model() -> Json:
        """Return the facts of the model and the limits of the server."""
        return Json(facts.facts(service))


def _add_schemas(app: FastAPI) -> None:
    """Describe the bodies of requests, which are read by hand and not by FastAPI."""
    whole = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = whole()
            for one in (schemas.ImagesAsJson, schemas.Instances):
                schema = one.model_json_schema(ref_template="#/components/schemas/{model}")
                inner = schema.pop("$defs", {})
                found["components"]["schemas"] |= inner | {one.__name__: schema}
            for unused in ("HTTPValidationError", "ValidationError"):
                found["components"]["schemas"].pop(unused, None)
        return app.openapi_schema or found

    app.openapi = openapi  # type: ignore[method-assign]


def _add_pages(app: FastAPI, service: Service) -> None:
    def page(template: str, **values: Any) -> Response:
        text = pages.render(_PACKAGE, template, **values)
        kind = _TYPES.get(template.rpartition(".")[2], "text/html")
        return Response(text, media_type=kind)

    front = page("page.html", **facts.words(service))

    async def index() -> Response:
        return front

    async def docs(request: Request) -> Response:
        operations = facts.operations(app.openapi())
        base = f"{request.url.scheme}://{request.url.netloc}"
        return page("docs.html", operations=operations, base=base, **facts.words(service))

    app.add_api_route("/", index, include_in_schema=False)
    app.add_api_route("/docs", docs, include_in_schema=False)
    for name in ("page.css", "page.js", "icon.svg"):
        app.add_route(f"/{name}", _always(page(name)), include_in_schema=False)


def _always(answer: Response) -> Callable[[Request], Awaitable[Response]]:
    async def same(_: Request) -> Response:
        return answer

    return same
