"""The images in a request: files of a form, the bytes of one, or JSON with base64."""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from keras_convnets.readers import json_text
from keras_convnets.received import shown
from keras_convnets.shipping.serve.refusals import Refusal
from keras_convnets.shipping.serve.service import Service, Upload

FORM, JSON, BYTES = "multipart/form-data", "application/json", "application/octet-stream"
_MOST_LISTS = 2_000_000  # in JSON; an empty list takes 56 bytes of memory
_KINDS = f"{FORM}, {JSON}, {BYTES} or the type of an image, such as image/jpeg"


async def uploads(request: Request, body: bytes, service: Service) -> list[Upload]:
    """Return the name and the bytes of each image in a request.

    Raises:
        Refusal: it has none, or is not as its ``Content-Type`` says.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_image = kind.startswith("image/") or kind == BYTES
    if kind == FORM:
        return await _of_form(request, service, body)
    if kind == JSON:
        return _of_json(await json_in(body, service))
    if is_image:
        return [("image 0", body)]
    raise Refusal(
        *(415, "Content-Type", repr(kind) if kind else "none", _KINDS),
        "Say what the body is, such as curl -H 'Content-Type: image/jpeg' --data-binary @cat.jpg.",
    )


async def json_in(body: bytes, service: Service) -> Any:
    """Return the JSON object in a body.

    Raises:
        Refusal: it is none.
    """
    found = await service.in_thread(_parsed, body)
    if not isinstance(found, dict):
        raise Refusal(422, "body", shown(found), "a JSON object", "Send one, in braces.")
    return found


def _parsed(body: bytes) -> Any:
    lists = body.count(b"[") + body.count(b"{")
    if lists > _MOST_LISTS:
        raise Refusal(
            *(413, "body", f"{lists:,} lists in JSON", f"at most {_MOST_LISTS:,}"),
            "Send fewer images, or images as base64.",
        )
    try:
        return json_text.parse(body, parse_constant=_no_number, object_pairs_hook=_once_each)
    except ValueError as error:
        raise Refusal(
            *(400, "body", f"what is no JSON ({error})", "JSON"),
            "Check it with python -m json.tool.",
        ) from error


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice in an object")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def decoded(where: str, text: Any) -> bytes:
    """Return the bytes of a base64 text, or of a ``data:`` address.

    Raises:
        Refusal: it is none.
    """
    if not isinstance(text, str):
        raise Refusal(422, where, shown(text), "a text in base64", "Encode the file.")
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(
            *(422, where, f"{shown(text)} ({error})", "a text in base64"),
            "Encode the file, such as base64 -w0 cat.jpg.",
        ) from error


def _of_json(found: dict[str, Any]) -> list[Upload]:
    if set(found) != {"images"}:
        raise Refusal(
            *(422, "body", f"the keys {shown(sorted(found))}", "images alone"),
            'Send {"images": ["<base64>"]}.',
        )
    images = found["images"]
    if not isinstance(images, list):
        raise Refusal(422, "images", shown(images), "a list", "Put the image into a list.")
    return [
        (f"image {number}", decoded(f"images[{number}]", _text(one)))
        for number, one in enumerate(images)
    ]


def _text(one: Any) -> Any:
    return one["b64"] if isinstance(one, dict) and set(one) == {"b64"} else one


class _InMemory(MultiPartParser):
    """Keeps files in memory, where the body is: a disk may be full, and keeps no photograph."""

    spool_max_size = 2**31


async def _of_form(request: Request, service: Service, body: bytes) -> list[Upload]:
    async def replayed() -> AsyncGenerator[bytes, None]:
        yield body
        yield b""  # the end

    most = service.limits.images
    found: list[Upload] = []
    try:
        parser = _InMemory(request.headers, replayed(), max_files=most, max_fields=most)
        form = await parser.parse()
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(form.close)
            for field, part in form.multi_items():
                if isinstance(part, str):
                    raise Refusal(
                        *(422, field, "a field of text", "files alone"),
                        "Send the image as a file, such as curl -F image=@cat.jpg.",
                    )
                found.append((part.filename or f"image {len(found)}", await part.read()))
    except (MultiPartException, ValueError) as error:  # as the version of Starlette
        detail = str(getattr(error, "message", error) or "it ends too early")
        is_many = detail.startswith("Too many")
        raise Refusal(
            *(413 if is_many else 400, "body", f"a form that cannot be read ({detail})"),
            f"a whole form of 1 to {most} files",
            "Send fewer files at once." if is_many else "Let your client write the form.",
        ) from error
    return found
