"""What a ``build_*`` method says of its network: where it is published and at which shape."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple, ParamSpec

import keras

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
            kwargs["name"] = name if kwargs.get("name") is None else kwargs["name"]
            return build(*args, **kwargs)

        named.published = Published(name, source, input_shape, num_outputs)  # type: ignore[attr-defined]
        return named

    return mark
