"""Networks by name: read off the ``build_*`` methods of the builder classes, never listed twice."""

from __future__ import annotations

import fnmatch
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import keras

from keras_convnets import architectures, checks
from keras_convnets.published import Published


class Network(NamedTuple):
    """A published network: what is known of it, and the method that builds it."""

    published: Published
    builder: type
    build: Callable[..., keras.Model]


def list_models(pattern: str = "*") -> list[str]:
    """Return the names of the published networks that match a glob pattern.

    Examples:
        >>> from keras_convnets import list_models
        >>> list_models("resnet_1?")
        ['resnet_18']
    """
    return [name for name in networks() if fnmatch.fnmatchcase(name, pattern)]


def create_model(
    name: str,
    /,
    input_shape: Sequence[int | None] | None = None,
    num_outputs: int | None = None,
    **options: Any,
) -> keras.Model:
    """Return the network called ``name``.

    Args:
        name: one of [`list_models()`][keras_convnets.list_models].
        input_shape: ``(channels, rows, cols)``; by default the one that the network is published
            for.
        num_outputs: the number of outputs; by default as many as the network is published with.
        **options: see [`Options`][keras_convnets.Options], and the network's own build method.

    Raises:
        ValueError: for an unknown name, and for whatever the build method refuses.

    Examples:
        >>> from keras_convnets import create_model
        >>> create_model("resnet_18", (1, 32, 32), 10).name
        'resnet_18'
    """
    network = find(name)
    return network.build(
        network.published.input_shape if input_shape is None else input_shape,
        network.published.num_outputs if num_outputs is None else num_outputs,
        **options,
    )


def one_output(name: str) -> dict[str, Any]:
    """Return the options that leave a network's auxiliary classifiers out, if it has any."""
    parameters = inspect.signature(find(name).build).parameters
    return {"include_auxiliary": False} if "include_auxiliary" in parameters else {}


def find(name: str) -> Network:
    """Return the network called ``name``, or raise a ``ValueError`` with the closest names."""
    known = networks()
    if name not in known:
        raise ValueError(
            f"model: received {name!r}, which is not the name of a network."
            f"{checks.did_you_mean(name, known)} All names: list_models(), keras-convnets list."
        )
    return known[name]


@functools.cache
def networks() -> dict[str, Network]:
    """Return every published network by its name, family by family."""
    found = {}
    for builder in _builders():
        for attribute in vars(builder):
            if attribute.startswith("build_"):
                build = getattr(builder, attribute)
                if build.published.name in found:
                    raise ValueError(f"two builders have {attribute}; expected each name once.")
                found[build.published.name] = Network(build.published, builder, build)
    return found


def _builders() -> Iterator[type]:
    for module_info in pkgutil.walk_packages(architectures.__path__, f"{architectures.__name__}."):
        module = importlib.import_module(module_info.name)
        for name, value in vars(module).items():
            if name.endswith("Builder") and value.__module__ == module.__name__:
                yield value
