"""The addresses and bodies of TensorFlow Serving's REST interface.

As its documentation has them (https://www.tensorflow.org/tfx/serving/api_rest), for a model of one
input and one output: a client that is written for it can be tried here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import APIRouter
from starlette.requests import Request

from keras_convnets.received import shown
from keras_convnets.shipping.export.names import INPUT, OUTPUT
from keras_convnets.shipping.serve.refusals import Refusal
from keras_convnets.shipping.serve.served import Served
from keras_convnets.shipping.serve.service import Given, Service
from keras_convnets.shipping.serve.web import schemas
from keras_convnets.shipping.serve.web.answers import Json, problems
from keras_convnets.shipping.serve.web.body import body_of, unless_gone
from keras_convnets.shipping.serve.web.uploads import decoded, json_in

VERSION = "1"
_SIGNATURE = "serving_default"
_TAG = "TensorFlow Serving"
_DTYPES = {"float32": "DT_FLOAT", "uint8": "DT_UINT8"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Instances"}}},
    }
}


def router(service: Service) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=[_TAG])

    async def predict(name: str, request: Request, version: str = VERSION) -> Json:
        """Return the outputs of the model as they are, for prepared arrays or image files."""
        _check(service.served, name, version)
        async with body_of(request, service) as body:
            found = await json_in(body, service)
            key, batch = _batch(found)
            given = await service.in_thread(_given, batch, service.served)
            rows = await unless_gone(request, service.outputs(given))
        return Json({"predictions" if key == "instances" else "outputs": rows.tolist()})

    async def status(name: str, version: str = VERSION) -> Json:
        """Return whether the model can be used."""
        _check(service.served, name, version)
        state = {"version": VERSION, "state": "AVAILABLE"}
        fine = {"error_code": "OK", "error_message": ""}
        return Json({"model_version_status": [{**state, "status": fine}]})

    async def metadata(name: str, version: str = VERSION) -> Json:
        """Return the signature of the model."""
        _check(service.served, name, version)
        return Json(_metadata(service.served))

    for base, id_ in (("/v1/models/{name}", ""), ("/v1/models/{name}/versions/{version}", "_of")):
        routes.post(
            *(f"{base}:predict",),
            response_model=schemas.Rows | schemas.Columns,
            responses=problems(400, 404, 408, 413, 415, 421, 422, 503),
            openapi_extra=_BODY,
            operation_id=f"tf_serving_predict{id_}",
        )(predict)
        routes.get(
            *(base,),
            response_model=schemas.ModelStatus,
            responses=problems(404, 421, 422),
            operation_id=f"tf_serving_status{id_}",
        )(status)
        routes.get(
            *(f"{base}/metadata",),
            response_model=schemas.Metadata,
            responses=problems(404, 421, 422),
            operation_id=f"tf_serving_metadata{id_}",
        )(metadata)
    return routes


def _check(served: Served, name: str, version: str) -> None:
    if name != served.address:
        raise Refusal(404, "model", shown(name), repr(served.address), "Correct the address.")
    if version != VERSION:
        raise Refusal(404, "version", shown(version), VERSION, "Leave it out.")


def _batch(found: dict[str, Any]) -> tuple[str, list[Any]]:
    """Return the key of the images in a request, and the images."""
    keys = set(found) - {"signature_name"}
    if len(keys) != 1 or not keys <= {"instances", "inputs"}:
        raise Refusal(
            *(400, "body", f"the keys {shown(sorted(found))}", "instances or inputs"),
            'Send {"instances": [...]}.',
        )
    signature = found.get("signature_name", _SIGNATURE)
    if signature not in (None, "", _SIGNATURE):
        raise Refusal(400, "signature_name", shown(signature), _SIGNATURE, "Leave it out.")
    [key] = keys
    batch = found[key]
    if key == "inputs" and isinstance(batch, dict) and "b64" not in batch:
        batch = _only_input(key, batch)
    if not isinstance(batch, list):
        raise Refusal(400, key, shown(batch), "a list of images", "Put the image into a list.")
    return key, batch


def _only_input(where: str, found: dict[str, Any]) -> Any:
    if set(found) != {INPUT}:
        raise Refusal(
            *(400, where, f"the keys {shown(sorted(found))}", f"{INPUT} alone"),
            f"Name the input {INPUT}, or leave the name out.",
        )
    return found[INPUT]


def _given(batch: list[Any], served: Served) -> list[Given]:
    return [_one(f"image {number}", one, served) for number, one in enumerate(batch)]


def _one(where: str, one: Any, served: Served) -> Given:
    if isinstance(one, dict) and set(one) != {"b64"}:
        one = _only_input(where, one)
    if isinstance(one, dict) and set(one) == {"b64"}:
        return where, decoded(where, one["b64"])
    return _array(where, one, served)


def _array(where: str, one: Any, served: Served) -> np.ndarray:
    """Return a prepared image; refuse one of another shape, and what the type does not have."""
    try:
        found = np.asarray(one)
    except ValueError:  # rows of several lengths
        found = np.empty(0, object)
    fits = found.ndim == len(served.shape) and all(
        has == takes or (takes is None and has)
        for has, takes in zip(found.shape, served.shape, strict=False)
    )
    if not fits or found.dtype.kind not in "iuf":
        has = f"an array of {_words(found.shape)}" if found.dtype.kind in "iuf" else shown(one)
        raise Refusal(
            *(400, where, has, f"numbers, {_words(served.shape)}"),
            'Prepare it as GET /model says, or send {"b64": ...} of an image file.',
        )
    if served.dtype == "uint8" and not _are_bytes(found):
        raise Refusal(
            *(400, where, f"numbers of {found.min()} to {found.max()}", "integers of 0 to 255"),
            "Send the pixels as they are.",
        )
    with np.errstate(over="ignore"):
        return found.astype(served.dtype)


def _are_bytes(found: np.ndarray) -> bool:
    return bool(found.min() >= 0 and found.max() <= 255 and (found == np.floor(found)).all())


def _words(shape: tuple[int | None, ...]) -> str:
    return " x ".join("any" if size is None else str(size) for size in shape)


def _metadata(served: Served) -> dict[str, Any]:
    def tensor(name: str, dtype: str, sizes: tuple[int | None, ...]) -> dict[str, Any]:
        dims = [{"size": "-1" if size is None else str(size), "name": ""} for size in sizes]
        shape = {"dim": dims, "unknown_rank": False}
        return {name: {"dtype": dtype, "tensor_shape": shape, "name": f"{_SIGNATURE}_{name}:0"}}

    signature = {
        "inputs": tensor(INPUT, _DTYPES[served.dtype], (None, *served.shape)),
        "outputs": tensor(OUTPUT, "DT_FLOAT", (None, served.outputs.count)),
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {"name": served.address, "signature_name": "", "version": VERSION},
        "metadata": {"signature_def": {"signature_def": {_SIGNATURE: signature}}},
    }
