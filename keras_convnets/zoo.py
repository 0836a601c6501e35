"""Networks by name: read off the ``build_*`` methods of the builder classes, never listed twice."""

from __future__ import annotations

import fnmatch
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Sequence
from typing import Any, TypeVar

import keras

from keras_convnets import architectures, checks, registry
from keras_convnets.registry import Network

T = TypeVar("T")


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


def register_builder(builder: type[T]) -> type[T]:
    """Give the networks of a builder class of your own names, as the package's own have.

    Each static method ``build_<name>(input_shape, num_outputs, **options)`` is then the network
    ``<name>`` in [`list_models`][keras_convnets.list_models],
    [`create_model`][keras_convnets.create_model], [`model_info`][keras_convnets.model_info] and
    [`compare`][keras_convnets.compare], and on the command line with ``--load FILE``. A package
    that names its module as an entry point of the group ``keras_convnets.builders`` needs no
    ``--load``.

    A network is built for 3 x 224 x 224 images and 1,000 outputs unless
    [`published`][keras_convnets.published] says otherwise.

    Raises:
        ValueError: a class without such methods, or a name that another class's network has.

    Examples:
        >>> from keras_convnets import ResnetBuilder, create_model, register_builder
        >>> @register_builder
        ... class TinyBuilder:
        ...     @staticmethod
        ...     def build_tiny_resnet(input_shape, num_outputs, **options):
        ...         return ResnetBuilder.build(
        ...             input_shape, num_outputs, "basic_block", (1, 1), **options
        ...         )
        >>> create_model("tiny_resnet", (1, 16, 16), 10).name
        'tiny_resnet'
    """
    networks()  # the package's own come first
    registry.register(builder)
    return builder


def networks() -> dict[str, Network]:
    """Return every registered network by its name, the package's own first, family by family."""
    _register_own()
    return registry.networks


@functools.cache
def _register_own() -> None:
    for found in pkgutil.walk_packages(architectures.__path__, f"{architectures.__name__}."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if name.endswith("Builder") and value.__module__ == module.__name__:
                registry.register(value)
