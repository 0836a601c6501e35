"""The size of activations and gradients in the blocks of one model."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import keras
import numpy as np

from keras_convnets.explaining.differentiation import gradients
from keras_convnets.explaining.forward import Hooks, Place, place_of
from keras_convnets.explaining.gradients.residual_blocks import main_calls
from keras_convnets.explaining.losses import losses
from keras_convnets.explaining.scores import ClassScores, to_numpy, to_tensor
from keras_convnets.graph.calls import Call
from keras_convnets.graph.layer_types import KERNELS, LayerType
from keras_convnets.graph.stages import Placed, trainable
from keras_convnets.graph.topology import ancestors, trunk


@dataclasses.dataclass(frozen=True)
class BlockFlow:
    """The size of activations and gradients in a block.

    Attributes:
        block: the name of the block.
        stage: the name of its stage.
        depth: the layers with kernels on the longest way from the input to its end.
        activation: the root mean square of its output.
        activation_gradient: the L2 norm of the gradient of the loss of an image at the block's
            output for it, in the mean of the images.
        weight_gradient: the L2 norm of the gradient of the mean loss at all its weights; ``None``
            if it has none that are trained.
    """

    block: str
    stage: str
    depth: int
    activation: float
    activation_gradient: float
    weight_gradient: float | None

    @property
    def sizes(self) -> tuple[float, float, float | None]:
        """The three sizes."""
        return self.activation, self.activation_gradient, self.weight_gradient


@dataclasses.dataclass(frozen=True)
class Flow:
    """The blocks of a model, in the order of computation, and its mean loss.

    Attributes:
        blocks: the blocks.
        loss: the mean cross-entropy of the images.
    """

    blocks: tuple[BlockFlow, ...]
    loss: float


@dataclasses.dataclass(frozen=True)
class _Block:
    name: str
    stage: str
    depth: int
    place: Place
    weights: list[Any]


def flow_of(of: ClassScores, images: np.ndarray, labels: np.ndarray, training: bool) -> Flow:
    """Return the flow of a classifier with one output.

    Raises:
        ValueError: no gradient reaches a block, or one is not finite.
    """
    blocks = _blocks(of.model)
    x = to_tensor(images)
    seen = _Outputs({block.place for block in blocks})
    with keras.StatelessScope():  # statistics that training would update are left as they are
        of(x, seen, training)
    weights = [weight for block in blocks for weight in block.weights]
    outputs = [seen.found[block.place] for block in blocks]
    zeros = [keras.ops.zeros_like(keras.ops.cast(one, "float32")) for one in outputs]
    values = [keras.ops.cast(weight.value, "float32") for weight in weights]

    def loss(*at: Any) -> tuple[Any, Any]:
        added = dict(zip((block.place for block in blocks), at[: len(blocks)], strict=True))
        mapped = list(zip(weights, at[len(blocks) :], strict=True))
        with keras.StatelessScope(state_mapping=mapped):
            scores = of(x, _Added(added), training)
            each = losses(of, scores, labels)
        return keras.ops.sum(each), each

    found, each = gradients(loss, [*zeros, *values])
    flow = _flow(blocks, outputs, found, len(images))
    mean = float(to_numpy(each).mean())
    _check(of.model, flow, mean)
    return Flow(tuple(flow), mean)


def _flow(
    blocks: list[_Block], outputs: list[Any], found: list[Any], images: int
) -> list[BlockFlow]:
    of_weights = iter(map(_norm, found[len(blocks) :]))
    flow = []
    for block, output, gradient in zip(blocks, outputs, found, strict=False):
        activations = to_numpy(output).astype(np.float64)
        own = list(itertools.islice(of_weights, len(block.weights)))
        by_image = _numbers(gradient, activations.shape).reshape(images, -1)
        flow.append(
            BlockFlow(
                block.name,
                block.stage,
                block.depth,
                float(np.sqrt(np.square(activations).mean())),
                float(np.sqrt(np.square(by_image).sum(axis=1)).mean()),
                float(np.sqrt(np.square(own).sum())) / images if own else None,
            )
        )
    return flow


def _norm(gradient: Any) -> float:
    return 0.0 if gradient is None else float(np.linalg.norm(to_numpy(gradient).astype(np.float64)))


def _numbers(gradient: Any, shape: tuple[int, ...]) -> np.ndarray:
    return np.zeros(shape) if gradient is None else to_numpy(gradient).astype(np.float64)


def _check(model: Any, flow: list[BlockFlow], loss: float) -> None:
    numbers = [loss, *(number for block in flow for number in block.sizes if number is not None)]
    if not np.isfinite(numbers).all():
        raise ValueError(
            f"models: the loss or gradients of {model.name} are NaN or infinite; expected numbers. "
            "Its weights are broken, or the images are not as it takes them."
        )
    if not any(block.activation_gradient for block in flow):
        raise ValueError(
            f"models: no gradient of {model.name} reaches its blocks; expected layers that have "
            "one. Leave out those that round or look up their inputs."
        )


@dataclasses.dataclass
class _Outputs(Hooks):
    """Keeps the outputs of some calls."""

    places: set[Place]
    found: dict[Place, Any] = dataclasses.field(default_factory=dict)

    def output(self, place: Place, layer: Any, output: Any) -> Any:
        if place in self.places:
            self.found[place] = output
        return output


@dataclasses.dataclass
class _Added(Hooks):
    """Adds zeros to the outputs of some calls: the gradient at them is that at the outputs."""

    zeros: dict[Place, Any]

    def output(self, place: Place, layer: Any, output: Any) -> Any:
        if place not in self.zeros:
            return output
        return output + keras.ops.cast(self.zeros[place], output.dtype)


def _blocks(model: Any) -> list[_Block]:
    """Return the blocks on the way to the output of a model, in the order of computation."""
    members: dict[str, list[Placed]] = {}
    for one in main_calls(model):
        members.setdefault(one.block, []).append(one)
    inside = [one.call for its in members.values() for one in its]
    inputs = [call for call in ancestors(inside) if call.is_input]
    on_trunk, depth = set(trunk([*inputs, *inside])), _depths(inside)
    found, counted = [], set[int]()
    for name, its in members.items():
        ends = [one.call for one in its if len(one.call.outputs) == 1]
        if not ends:
            continue
        last = next((call for call in reversed(ends) if call in on_trunk), ends[-1])
        weights = {id(weight): weight for one in its for weight in trainable(one.layer)}
        own = [weight for key, weight in weights.items() if key not in counted]
        counted.update(weights)  # those of a layer that is used again belong to its first block
        found.append(_Block(name, its[0].stage, depth[last], place_of(last), own))
    return found


def _depths(calls: list[Call]) -> dict[Call, int]:
    """Return the layers with kernels on the longest way from the input to each call."""
    found: dict[Call, int] = {}
    for call in calls:
        before = max((found.get(parent, 0) for parent in call.parents), default=0)
        found[call] = before + (call.type in KERNELS or call.type is LayerType.DENSE)
    return found
