"""The registry of builder classes and of the networks that their ``build_*`` methods define."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, cast

from keras_convnets import checks
from keras_convnets.own_networks import build_of
from keras_convnets.typed import explaining

if TYPE_CHECKING:  # listing the names of networks must not import Keras
    import keras

P = ParamSpec("P")

_IMAGENET = (3, 224, 224), 1000


class Published(NamedTuple):
    """The source of a network, and the input shape and number of outputs of its figures."""

    name: str
    source: str
    input_shape: tuple[int, int, int]
    num_outputs: int


class Network(NamedTuple):
    """A published network: its metadata and the method that builds it."""

    published: Published
    builder: type  # or the function of `of_function`
    build: Callable[..., keras.Model]


networks: dict[str, Network] = {}
"""The registered networks by name, in the order in which they were registered."""


@explaining
def published(
    source: str,
    input_shape: tuple[int, int, int] = _IMAGENET[0],
    num_outputs: int = _IMAGENET[1],
) -> Callable[[Callable[P, keras.Model]], Callable[P, keras.Model]]:
    """Declare the source, input shape and number of outputs of a network: a method decorator.

    Place it below ``@staticmethod`` on a ``build_*`` method. A model returned by ``build_x`` is
    named ``x`` unless the caller passes a name.

    Args:
        source: the paper or implementation that the network follows.
        input_shape: the default input shape, ``(channels, rows, cols)``.
        num_outputs: the default number of outputs.

    Examples:
        >>> from keras_convnets import ResnetBuilder, published
        >>> @published("my thesis, table 2", (1, 32, 32), 10)
        ... def build_tiny_resnet(input_shape, num_outputs, **options):
        ...     return ResnetBuilder.build(
        ...         input_shape, num_outputs, "basic_block", (1, 1), **options
        ...     )
        >>> build_tiny_resnet((1, 16, 16), 10).name
        'tiny_resnet'
    """

    def mark(build: Callable[P, keras.Model]) -> Callable[P, keras.Model]:
        name = build.__name__.removeprefix("build_")
        return _marked(build, Published(name, source, input_shape, num_outputs))

    return mark


def _marked(build: Callable[P, keras.Model], as_published: Published) -> Callable[P, keras.Model]:
    @functools.wraps(build)
    def named(*args: P.args, **kwargs: P.kwargs) -> keras.Model:
        _refuse_unknown(kwargs, build)
        kwargs["name"] = as_published.name if kwargs.get("name") is None else kwargs["name"]
        return build(*args, **kwargs)

    named.published = as_published  # type: ignore[attr-defined]
    return named


def register(builder: type) -> None:
    """Register the networks that a class defines with its ``build_*`` methods.

    A class replaces an earlier version of itself, such as one redefined in a notebook or reloaded.

    Raises:
        ValueError: if ``builder`` is not a class or has no such methods, if a method does not have
            the expected signature, or if another class already has a network of that name.
    """
    found = {network.published.name: network for network in _networks_of(builder)}
    for name, network in found.items():
        _check_free(name, network)
    for name in [name for name, known in networks.items() if _is_same(known.builder, builder)]:
        del networks[name]
    networks.update(found)


def _networks_of(builder: Any) -> list[Network]:
    attributes = vars(builder) if isinstance(builder, type) else ()
    methods = [name for name in attributes if name.startswith("build_")]
    if not methods:
        raise ValueError(
            f"builder: received {builder!r}; expected a class with static methods "
            "build_<name>(input_shape, num_outputs, **options), one for each network."
        )
    found = []
    for method in methods:
        checks.model_name(method.removeprefix("build_"))
        build = getattr(builder, method)
        _check_signature(builder, method, build)
        if not hasattr(build, "published"):
            name = method.removeprefix("build_")
            build = _marked(build, Published(name, builder.__module__, *_IMAGENET))
            setattr(builder, method, staticmethod(build))
        found.append(Network(build.published, builder, build))
    return found


def _check_signature(builder: type, method: str, build: Any) -> None:
    try:
        inspect.signature(build).bind((3, 224, 224), 1000, name="x")
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"builder: {builder.__name__}.{method} cannot be called ({error}); expected a static "
            f"method {method}(input_shape, num_outputs, **options) that passes its options on."
        ) from error


def of_function(name: str) -> Network:
    """Return the network that is built by a function, ``"module:function"``; see `build_of`."""
    build = build_of(name)
    return Network(Published(name, build.__module__, *_IMAGENET), cast(type, build), build)


def _check_free(name: str, network: Network) -> None:
    known = networks.get(name)
    if known is not None and not _is_same(known.builder, network.builder):
        raise ValueError(
            f"builder: received {_where(network.builder)} with build_{name}, but {name!r} is "
            f"already a network of {_where(known.builder)}. Rename the method."
        )


def _is_same(one: type, other: type) -> bool:
    return (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__)


def _where(builder: type) -> str:
    return f"{builder.__module__}.{builder.__qualname__}"


def _refuse_unknown(given: dict[str, Any], build: Callable[..., Any]) -> None:
    """Reject options that only the general ``build`` takes: a published network is fixed."""
    known = _options(build)
    for name in given:
        if known is not None and name not in known:
            raise TypeError(
                f"unknown option {name!r}; the options of {build.__name__} are {', '.join(known)}."
                f"{checks.instead_of_option(name, known)} "
                "Variants are made by the builder's build()."
            )


@functools.cache
def _options(build: Callable[..., Any]) -> tuple[str, ...] | None:
    """Return the names of a method's arguments, or ``None`` if its ``**options`` are untyped."""
    arguments = inspect.signature(build).parameters.values()
    named = [argument.name for argument in arguments if argument.kind != argument.VAR_KEYWORD]
    rest = [argument.name for argument in arguments if argument.kind == argument.VAR_KEYWORD]
    if not rest:
        return tuple(named)
    try:
        unpacked = typing.get_args(typing.get_type_hints(build).get(rest[0]))
    except NameError:  # hints that only a type checker can resolve
        return None
    return (*named, *(key for one in unpacked for key in one.__annotations__)) if unpacked else None
