"""Access to networks by name: the package's own and those of registered builders."""

from __future__ import annotations

import fnmatch
import functools
import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from keras_convnets import architectures, checks, golden, registry
from keras_convnets.analysis.tables import Table
from keras_convnets.golden import ModelInfo
from keras_convnets.own_networks import is_function
from keras_convnets.registry import Network, of_function
from keras_convnets.typed import explaining

if TYPE_CHECKING:  # names and figures are available without Keras, which takes seconds to import
    import keras

    from keras_convnets.analysis.cost.comparison import Comparison
    from keras_convnets.analysis.cost.cost import Cost

T = TypeVar("T")

ENTRY_POINTS = "keras_convnets.builders"


@explaining
def list_models(pattern: str = "*") -> list[str]:
    """Return the names of the networks that match a glob pattern, the package's own first.

    Examples:
        >>> from keras_convnets import list_models
        >>> list_models("resnet_1?")
        ['resnet_18']
    """
    _load_entry_points()
    names = dict.fromkeys([*golden.networks(), *registry.networks])
    return [name for name in names if fnmatch.fnmatchcase(name, pattern)]


@explaining
def create_model(
    name: str,
    /,
    input_shape: Sequence[int | None] | None = None,
    num_outputs: int | None = None,
    **options: Any,
) -> keras.Model:
    """Build the network called ``name``.

    Args:
        name: one of [`list_models()`][keras_convnets.list_models], or ``"module:function"``: a
            function of your own of ``(input_shape, num_outputs)`` that returns a Keras model.
        input_shape: ``(channels, rows, cols)``; by default the published input shape.
        num_outputs: the number of outputs; by default the published number.
        **options: see [`Options`][keras_convnets.Options] and the network's build method.

    Raises:
        ValueError: for an unknown name, and for arguments that the build method rejects.

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


@explaining
def model_info(name: str) -> ModelInfo:
    """Return the metadata of the network called ``name``.

    The package's own networks are not built for this. A network of a registered builder is built
    once.

    Raises:
        ValueError: for an unknown name.

    Examples:
        >>> from keras_convnets import model_info
        >>> model_info("cifar_resnet_20").parameters
        269722
    """
    return golden.networks().get(name) or _counted(find(name))


@explaining
def compare(models: Iterable[Any], input_shape: Any = None) -> Comparison:
    """Return the costs of several models as one table.

    Args:
        models: functional Keras models, names of networks as in
            [`list_models()`][keras_convnets.list_models], and names of ``.keras`` files.
        input_shape: ``(channels, rows, cols)`` for all models; by default each model's own.

    Raises:
        ValueError: for an empty list, an unknown name, or a model that
            [`cost`][keras_convnets.cost] rejects; the message then names the model.

    Examples:
        >>> from keras_convnets import compare
        >>> both = compare(["resnet_18", "resnet_34"], input_shape=(3, 64, 64))
        >>> [one.macs for one in both.costs]
        [148557824, 299552768]
    """
    import keras

    from keras_convnets.analysis.cost.comparison import Comparison

    if isinstance(models, str | Path | keras.Model) or not isinstance(models, Iterable):
        raise ValueError(
            f"models: received {models!r}; expected a list such as ['resnet_18', 'resnet_34']."
        )
    costs = [_cost(model, input_shape) for model in models]
    if not costs:
        raise ValueError(
            "models: received none; expected a list such as ['resnet_18', 'resnet_34']."
        )
    return Comparison(costs)


def _cost(model: Any, input_shape: Any) -> Cost:
    from keras_convnets.analysis.cost.cost import cost
    from keras_convnets.saved_models import is_file, load_model

    if isinstance(model, str | Path):
        model = load_model(model) if is_file(model) else create_model(str(model), input_shape)
    try:
        return cost(model, input_shape)
    except ValueError as error:
        raise ValueError(f"{getattr(model, 'name', model)}: {error}") from error


def register_builder(builder: type[T]) -> type[T]:
    """Register the networks of your own builder class by name: a class decorator.

    Each static method ``build_<name>(input_shape, num_outputs, **options)`` defines the network
    ``<name>`` for [`list_models`][keras_convnets.list_models],
    [`create_model`][keras_convnets.create_model], [`model_info`][keras_convnets.model_info] and
    [`compare`][keras_convnets.compare]. On the command line, load its file with ``--load FILE``. A
    package that declares its module as an entry point in the group ``keras_convnets.builders`` does
    not need ``--load``.

    A network is built for 3 x 224 x 224 images and 1,000 outputs unless
    [`published`][keras_convnets.published] says otherwise.

    Raises:
        ValueError: if the class has no such methods, or a name is taken by another class.

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
    _register_own()  # these come first, so that no other class can take their names
    registry.register(builder)
    return builder


def listing(names: Iterable[str], with_costs: bool) -> Table:
    """Return the table of networks, with or without their costs."""
    kept = [column for column in golden.COLUMNS if with_costs or column.key not in golden.COSTS]
    columns = [column for column in kept if column.key != "layers"]
    known = [golden.networks().get(name) or _registered(name, with_costs) for name in names]
    rows = tuple(tuple(getattr(one, column.key) for column in columns) for one in known)
    return Table(tuple(columns), rows, (golden.convention(),) if with_costs else ())


def _registered(name: str, with_costs: bool) -> ModelInfo:
    return model_info(name) if with_costs else info(find(name))


def one_output(name: str) -> dict[str, Any]:
    """Return the options that omit a network's auxiliary classifiers, if it has any."""
    parameters = inspect.signature(find(name).build).parameters
    return {"include_auxiliary": False} if "include_auxiliary" in parameters else {}


def find(name: str) -> Network:
    """Return the network called ``name``, or raise a ``ValueError`` with the closest names."""
    if is_function(name):
        return of_function(name)
    _register_own()
    if name not in registry.networks:
        _load_entry_points()
    if name not in registry.networks:
        raise ValueError(
            f"model: received {name!r}, which is not the name of a network."
            f"{_meant(name)} All names: list_models(), "
            "keras-convnets list. Networks of your own: name a function by 'module:function', or "
            "import their file, or pass --load FILE."
        )
    return registry.networks[name]


def _meant(name: str) -> str:
    """Return the networks with the closest names, and those that others call so."""
    from keras_convnets.weights.published.published import networks_called

    theirs = [
        f" That of {' and '.join(by)} is {one!r}." for one, by in networks_called(name).items()
    ]
    return checks.did_you_mean(name, registry.networks) + "".join(theirs)


def own_networks() -> dict[str, Network]:
    """Return the package's own networks by name, grouped by family."""
    _register_own()
    inside = f"{architectures.__name__}."
    own = registry.networks.items()
    return {name: known for name, known in own if known.builder.__module__.startswith(inside)}


def info(network: Network, found: Cost | None = None) -> ModelInfo:
    """Return a network's metadata, with the figures of its cost if that is given."""
    name, source, shape, outputs = network.published
    counts = (found.params, found.macs, len(found.rows)) if found else (0, 0, 0)
    params, macs, layers = counts
    return ModelInfo(name, network.builder.__name__, shape, outputs, params, macs, source, layers)


@functools.cache
def _counted(network: Network) -> ModelInfo:
    from keras_convnets.analysis.cost.cost import cost

    return info(network, cost(create_model(network.published.name)))


@functools.cache
def _register_own() -> None:
    """Register every class whose name ends in Builder in the modules of architectures/."""
    for found in pkgutil.walk_packages(architectures.__path__, f"{architectures.__name__}."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if name.endswith("Builder") and value.__module__ == module.__name__:
                registry.register(value)


@functools.cache
def _load_entry_points() -> None:
    """Import the modules that installed packages declare, which register their builders."""
    for point in metadata.entry_points(group=ENTRY_POINTS):
        try:
            point.load()
        except (Exception, SystemExit) as error:
            warnings.warn(
                f"{ENTRY_POINTS}: {point.value!r} cannot be loaded, so that its networks are "
                f"missing ({type(error).__name__}: {error}).",
                stacklevel=3,
            )
