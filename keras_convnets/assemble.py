"""Build a ``keras.Model`` from a list of parts. Every network is assembled here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Unpack

import keras

from keras_convnets import axes, checks, naming, units
from keras_convnets.constant_softmax import warn_of_softmax_over_one
from keras_convnets.fast.layers import fast_layers
from keras_convnets.fast.recomputation import memory_efficient
from keras_convnets.keras_private import is_outline, named_by_keras, node_of, was_called, watched
from keras_convnets.options import Options, resolve
from keras_convnets.padding import TooSmallError
from keras_convnets.recursion import room_for
from keras_convnets.units import Part, Tensor, Unit, heads
from keras_convnets.units.heads import Head
from keras_convnets.weights.transfer.transfer import load_weights

_SOFTMAX = ("softmax", keras.activations.softmax, keras.ops.softmax)


def assemble(
    input_shape: Any,
    num_outputs: Any,
    parts: Iterable[Part],
    default_name: str,
    head: Head = heads.classifier,
    auxiliary: Mapping[str, Head] | None = None,
    source_penalty: float = 0.0,
    **options: Unpack[Options],
) -> keras.Model:
    """Return the functional model that applies ``parts`` in sequence.

    Args:
        input_shape: ``(channels, rows, cols)``, whatever the data format.
        num_outputs: the number of outputs of the head.
        parts: pairs of a group name and a function from tensor to tensor. Layers that the function
            creates without a name are named after the group.
        default_name: the model's name if the options do not set one.
        head: ``head(num_outputs, activation)`` returns the unit for the group ``head``.
        auxiliary: auxiliary heads, keyed by the group whose output they take. Their groups are
            named ``aux1``, ``aux2`` and so on. They are omitted when the top is omitted.
        source_penalty: the L2 penalty of the network's source, for ``l2_penalty=None``.
        **options: see [`Options`][keras_convnets.Options].

    Raises:
        ValueError: if the arguments do not describe a network that can be built.

    Examples:
        >>> from keras_convnets import units
        >>> from keras_convnets.assemble import assemble
        >>> parts = [("conv1", units.conv_bn_relu(16, 3)), ("conv2", units.conv_bn_relu(32, 3, 2))]
        >>> model = assemble((3, 32, 32), 10, parts, "tiny")
        >>> [layer.name for layer in model.layers if layer.weights]
        ['conv1_conv', 'conv1_bn', 'conv2_conv', 'conv2_bn', 'head_dense']
    """
    shape = checks.input_shape(input_shape)
    chosen = resolve(options)
    tail = _tail(num_outputs, head, chosen)
    side_heads = dict(auxiliary or {}) if chosen["include_top"] else {}
    penalty = source_penalty if chosen["l2_penalty"] is None else chosen["l2_penalty"]
    building = axes.building(chosen["data_format"])
    with naming.network() as prefix, building, units.penalized(penalty):
        inputs = x = keras.Input(axes.keras_shape(shape), name=naming.input_name(prefix))
        graph = _Graph(inputs, prefix)
        side_outputs: list[Tensor] = []
        whole = [*parts, *tail]
        _check_groups([group for group, _ in whole])
        for group, part in whole:
            x = _apply(group, part, x, shape, graph)
            if group in side_heads:
                side = side_heads.pop(group)(num_outputs, chosen["classifier_activation"])
                name = f"aux{len(side_outputs) + 1}"
                side_outputs.append(_apply(name, side, x, shape, graph))
        if side_heads:
            raise ValueError(f"auxiliary: received {list(side_heads)}; no part is called so.")
        with room_for(len(graph.calls)):
            outputs = [x, *side_outputs] if side_outputs else x
            model = keras.Model(inputs, outputs, name=prefix + (chosen["name"] or default_name))
    if chosen["weights"] is not None and not is_outline(model):
        load_weights(model, chosen["weights"])
    return memory_efficient(model) if chosen["memory_efficient"] else fast_layers(model)


def _check_groups(groups: list[Any]) -> None:
    """Reject duplicate group names, which would lead to duplicate layer names."""
    twice = [group for group, count in Counter(groups).items() if count > 1]
    if twice:
        raise ValueError(
            f"parts: received the group name {twice[0]!r} more than once; expected each once. "
            "Number the blocks of a stage: 'conv3_block1', 'conv3_block2'."
        )


def _tail(num_outputs: Any, head: Head, chosen: Options) -> list[Part]:
    """Return what follows the parts: the head, a pooling layer instead of it, or nothing."""
    if chosen["include_top"] or num_outputs is not None:
        num_outputs = checks.num_outputs(num_outputs)
    if chosen["include_top"]:
        activation = chosen["classifier_activation"]
        if activation in _SOFTMAX or isinstance(activation, keras.layers.Softmax):
            warn_of_softmax_over_one(num_outputs)
        return [("head", head(num_outputs, activation))]
    if chosen["pooling"]:
        return [("head", units.global_pool(chosen["pooling"]))]
    return []


def _apply(group: str, part: Unit, x: Tensor, shape: checks.ImageShape, graph: _Graph) -> Tensor:
    """Return ``part(x)`` with its layers named after ``group``."""
    if not naming.is_group(group):
        raise ValueError(
            f"parts: received the group name {group!r}; expected a stage such as 'conv1', or a "
            "stage and a block such as 'conv3_block1'."
        )
    if not callable(part):
        raise ValueError(
            f"{group}: received {part!r}; expected a function of a tensor. A block function takes "
            "(filters, init_strides, is_first_block_of_first_layer) and returns one."
        )
    with naming.group(group, graph.prefix) as scope:
        layers = _LayersOfGroup(scope)
        with watched(layers.made, layers.used):
            y = _call(group, part, x, shape)
    graph.add(y, group)
    return y


class _LayersOfGroup:
    """Names the layers that a group's function creates, before their weights are built.

    Keras numbers unnamed layers with a process-wide counter, so their names would change from one
    build to the next and would not tell where the layer is.
    """

    def __init__(self, scope: naming.Scope) -> None:
        self._scope = scope
        self._made: dict[Any, bool] = {}  # layers the function created: did Keras name them?
        self._known: set[Any] = set()

    def made(self, operation: Any, by_keras: bool) -> None:
        """Name a new operation. Layers are named later, in the order in which they are used."""
        if isinstance(operation, keras.Layer):
            self._made[operation] = by_keras
        elif by_keras and operation not in self._known:
            self._known.add(operation)  # each enclosing network reports it again
            self._name(operation)

    def used(self, layer: Any) -> None:
        """Name a layer that is about to be built or called, unless its name was chosen."""
        if layer in self._known:
            return
        self._known.add(layer)
        if self._made[layer] if layer in self._made else _is_unclaimed(layer):
            self._name(layer)
        else:
            self._scope.issued.add(layer.name)

    def _name(self, operation: Any) -> None:
        operation.name = self._scope.issue(naming.kind_of(operation.name))


def _is_unclaimed(layer: Any) -> bool:
    """Return whether a layer created before the function ran is still unnamed and unused.

    A layer that has weights or is part of a graph may be shared with another model, so it keeps its
    name.
    """
    return named_by_keras(layer) and not was_called(layer) and not layer.weights


class _Graph:
    """The calls of the network so far, and the group that each layer name belongs to.

    ``prefix`` is the one of all its names; see `naming.network`.
    """

    def __init__(self, inputs: Tensor, prefix: str) -> None:
        self.prefix = prefix
        self.calls: set[Any] = set()
        self._layers: dict[str, tuple[Any, str]] = {}
        self.add(inputs, "the input")

    def add(self, y: Tensor, group: str) -> None:
        """Add the calls that ``y`` depends on.

        Raises:
            ValueError: if two layers have the same name.
        """
        stack = [node_of(y)]
        while stack:
            node = stack.pop()
            if node not in self.calls:
                self.calls.add(node)
                stack.extend(node.parent_nodes)
                self._check_name(node.operation, group)

    def _check_name(self, layer: Any, group: str) -> None:
        known, where = self._layers.setdefault(layer.name, (layer, group))
        if known is not layer:
            raise ValueError(
                f"{group}: received a layer named {layer.name!r}, a name that another layer has in "
                f"{where}; expected each name once in a network. Leave the name out, or ask for "
                "one within the group: name=layer_name('gate') of keras_convnets."
            )


def _call(group: str, part: Unit, x: Tensor, shape: checks.ImageShape) -> Tensor:
    try:
        y = part(x)
    except TooSmallError as error:
        raise ValueError(
            f"input_shape: received {shape!r}, too small for the network's strides: in {group}, "
            f"{error}. Pass more rows and columns (resize the images), or build a network with "
            "fewer stages."
        ) from error
    except ValueError as error:
        error.add_note(f"This happened in {group}, on a tensor of shape {x.shape}.")
        raise
    if not isinstance(y, keras.KerasTensor):
        raise ValueError(
            f"{group}: the block's function returned {y!r}; expected a tensor. Does it end in "
            "'return'?"
        )
    return y
