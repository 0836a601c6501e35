"""What is known of a served model, for programs and for people."""

from __future__ import annotations

from typing import Any

from keras_convnets.shipping.serve.service import Service

_AROUND = 2000  # bytes of a form around a file with a long name
_KINDS = {
    "softmax": "one class of all (softmax)",
    "sigmoid": "each class by itself (sigmoids): they need not sum to 100 %",
    "linear": "one class of all (softmax of its logits)",
}


def facts(service: Service) -> dict[str, Any]:
    """Return the body of ``GET /model``."""
    served, limits = service.served, service.limits
    preprocessing = served.preprocessing
    return {
        "model": served.name,
        "runtime": served.runtime,
        "input_shape": list(served.shape),
        "input_type": served.dtype,
        "outputs": served.outputs.kind,
        "preprocessing": None if preprocessing is None else str(preprocessing),
        "preprocessing_config": None if preprocessing is None else preprocessing.to_config(),
        "classes": len(served.class_names),
        "class_names": list(served.class_names),
        "limits": {
            "images": limits.images,
            "queue": limits.queue,
            "max_bytes": limits.max_bytes,
            "max_pixels": limits.max_pixels,
        },
    }


def words(service: Service) -> dict[str, Any]:
    """Return what the templates of pages say of a model."""
    served, limits = service.served, service.limits
    kind = "sigmoid of two classes" if served.outputs.is_binary else None
    return {
        "title": served.name,
        "runtime": served.runtime,
        "preparation": served.preprocessing or "in the model itself",
        "kind": kind or _KINDS[served.outputs.kind],
        "class_names": served.class_names,
        "explains": served.look is not None,
        "most_bytes": limits.max_bytes - _AROUND,
        "address": served.address,
    }


def operations(openapi: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the operations in an OpenAPI description, for the page that shows them."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "what": one.get("description", ""),
            "parameters": [_parameter(each) for each in one.get("parameters", [])],
            "takes": list(one.get("requestBody", {}).get("content", {})),
            "answers": {
                status: (answer.get("description", ""), _schema(answer))
                for status, answer in sorted(one["responses"].items())
            },
        }
        for path, methods in openapi["paths"].items()
        for method, one in methods.items()
    ]


def _parameter(found: dict[str, Any]) -> dict[str, str]:
    """Return the words for a parameter of an operation."""
    schema = found["schema"]
    usual = f" (default: {schema['default']})" if "default" in schema else ""
    what = found.get("description", f"the {found['name']} of the model")
    return {"name": found["name"], "in": found["in"], "what": f"{what}{usual}"}


def _schema(answer: dict[str, Any]) -> str:
    """Return the names of the schemas of an answer."""
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    several = schema.get("anyOf", [schema])
    return " or ".join(one["$ref"].rpartition("/")[2] for one in several if "$ref" in one)
