"""What a ``build_*`` method says of its network: where it is published and at which shape."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, NamedTuple, ParamSpec

import keras

from keras_convnets import checks

P = ParamSpec("P")


class Published(NamedTuple):
    """The source of a network, and the shape and outputs that its figures are given for."""

    name: str
    source: str
    input_shape: tuple[int, int, int]
    num_outputs: int


def published(
    source: str, input_shape: tuple[int, int, int] = (3, 224, 224), num_outputs: int = 1000
) -> Callable[[Callable[P, keras.Model]], Callable[P, keras.Model]]:
    """Mark ``build_x`` as the network ``x``: its models are called so unless told otherwise."""

    def mark(build: Callable[P, keras.Model]) -> Callable[P, keras.Model]:
        name = build.__name__.removeprefix("build_")

        @functools.wraps(build)
        def named(*args: P.args, **kwargs: P.kwargs) -> keras.Model:
            _refuse_unknown(kwargs, build)
            kwargs["name"] = name if kwargs.get("name") is None else kwargs["name"]
            return build(*args, **kwargs)

        named.published = Published(name, source, input_shape, num_outputs)  # type: ignore[attr-defined]
        return named

    return mark


def _refuse_unknown(given: dict[str, Any], build: Callable[..., Any]) -> None:
    """Refuse options of a general ``build``: a published network is what its name says."""
    known = _options(build)
    for name in given:
        if name not in known:
            raise TypeError(
                f"unknown option {name!r}; the options of {build.__name__} are {', '.join(known)}."
                f"{checks.did_you_mean(name, known)} Variants are made by the builder's build()."
            )


@functools.cache
def _options(build: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a method's arguments, those of its ``**options`` among them."""
    arguments = inspect.signature(build).parameters.values()
    named = [argument.name for argument in arguments if argument.kind != argument.VAR_KEYWORD]
    unpacked = typing.get_args(typing.get_type_hints(build)["options"])
    return (*named, *(name for one in unpacked for name in one.__annotations__))
