"""The public functions and classes with arguments that are right, as small as they can be."""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

_BLOCK = {"filters": 4, "init_strides": (1, 1)}
_CONV = {"filters": 4, "kernel_size": 3}


def _model() -> Any:
    from keras_convnets import ResnetBuilder

    return ResnetBuilder.build((1, 8, 8), 2, "basic_block", (1,))


def _pairs() -> Any:
    import tensorflow as tf

    images = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 1), "uint8")
    return tf.data.Dataset.from_tensor_slices((images, np.arange(10) % 2))


@functools.cache
def _data() -> Any:
    from keras_convnets.training import Data

    drawn = np.random.default_rng(0)
    images, labels = drawn.integers(0, 256, (20, 8, 8, 1), "uint8"), np.arange(20) % 2
    return Data.from_arrays(images, labels, name="few")


def _recipe() -> Any:
    from keras_convnets.training import RECIPES

    return RECIPES["quick"].replace(epochs=1, batch_size=4)


def _densenet() -> Any:
    from keras_convnets import DensenetBuilder

    return DensenetBuilder.build_cifar_densenet_40_12((1, 8, 8), 2)


def _optimizer() -> Any:
    import keras

    return keras.optimizers.SGD(0.1, momentum=0.9)


def _quiet() -> Any:
    from rich.console import Console

    return Console(quiet=True)


def _settings() -> Any:
    from keras_convnets.training import Settings

    return Settings()


def _prepared() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((4, 8, 8, 1), np.float32)


def _input(channels: int = 4) -> Any:
    import keras

    return keras.Input((8, 8, channels))


def _evaluation() -> Any:
    from keras_convnets.training import Evaluation

    return Evaluation(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]], np.float32))


def _request(**changes: Any) -> Any:
    from keras_convnets.training import DataRequest, RunRequest

    return RunRequest("tiny", data=DataRequest(image_size=8), recipe=_recipe(), **changes)


def _build(name: str, shape: Any, classes: int) -> Any:
    from keras_convnets import ResnetBuilder

    return ResnetBuilder.build(shape, classes, "basic_block", (1,))


def _saved() -> Any:
    from keras_convnets.training import SavedRun

    data = _data()
    return SavedRun(Path("run"), _model(), data.preprocessing, data.class_names, {})


def _schedule() -> Any:
    import keras

    return keras.optimizers.schedules.CosineDecay(0.1, 10)


_VALUES: dict[str, Callable[[], Any]] = {
    "input_shape": lambda: (3, 32, 32),
    "num_outputs": lambda: 2,
    "model": _model,
    "optimizer": _optimizer,
    "data": _data,
    "recipe": _recipe,
    "settings": _settings,
    "console": _quiet,
    "images": lambda: _data().test,
    "preprocessing": lambda: _data().preprocessing,
    "evaluation": _evaluation,
    "schedule": _schedule,
    "x": _input,
    "build": lambda: _build,
    "style": lambda: __import__("keras_convnets").Style(),
    "devices": lambda: __import__("keras_convnets").training.Devices("one"),
}

# Arguments without a default, by function; a value that is callable makes the argument.
_RIGHT: dict[str, dict[str, Any]] = {
    "AdaptiveAveragePooling2D": {"output_size": 2},
    "AlexnetRow": {"filters": 4, "kernel_size": 3},
    "CaffeAveragePooling2D": {"pool_size": 2, "strides": 2},
    "PadChannels": {"channels": 6},
    "TakeChannels": {"indices": [0, 2]},
    "activation": {"function": "relu"},
    "activation_statistics": {"images": lambda: _prepared()},
    "memory_efficient": {"model": _densenet},
    "adaptive_avg_pool": {"size": 2},
    "avg_pool": {"pool_size": 2, "strides": 2},
    "basic_block": _BLOCK,
    "basic_block_v1": _BLOCK,
    "basic_block_v2": _BLOCK,
    "bn_relu_conv": _CONV,
    "bottleneck": _BLOCK,
    "bottleneck_v1": _BLOCK,
    "bottleneck_v1_5": _BLOCK,
    "bottleneck_v2": _BLOCK,
    "bottleneck_v2_authors": _BLOCK,
    "bottleneck_v2_keras": _BLOCK,
    "by_class": {"class_names": ("a", "b"), "heading": "classes"},
    "caffe_avg_pool": {"pool_size": 2, "strides": 2},
    "caffe_max_pool": {"pool_size": 2, "strides": 2},
    "choose_strategy": {"name": "one"},
    "classify": {
        "images": lambda: np.zeros((9, 7, 3), "uint8"),
        "preprocessing": lambda: _data().preprocessing,
    },
    "compare": {"models": ["lenet_5"]},
    "conv": _CONV,
    "conv_bn": _CONV,
    "conv_bn_relu": _CONV,
    "conv_relu": _CONV,
    "create_model": {"name": "lenet_5"},
    "dense_layer": {"growth_rate": 2},
    "dropout": {"rate": 0.5},
    "effective_depth": {"images": lambda: _prepared(), "labels": [0, 1, 0, 1]},
    "evaluation_batches": {"batch_size": 2},
    "explain": {"images": lambda: np.zeros((1, 8, 8, 1), "float32")},
    "export": {"path": lambda: f"net{next(_NUMBERS)}", "model": lambda: _built()},
    "feature_maps": {"images": lambda: _prepared()},
    "fold": {"model": lambda: _built()},
    "fold_report_of": {"model": lambda: _folded()},
    "freeze_until": {"stage": "conv2"},
    "global_pool": {"pooling": "avg"},
    "gradient_flow": {"models": _model, "images": lambda: _prepared(), "labels": [0, 1, 0, 1]},
    "inception": {"one": 2, "three": (2, 2), "five": (2, 2), "pool": 2},
    "inception_a": {"pool_features": 2},
    "inception_c": {"channels_7x7": 2},
    "launch": {"request": lambda: _request(out=Path(f"run{next(_NUMBERS)}"))},
    "layer_name": {"kind": "conv"},
    "load_data": {"name": "digits"},
    "load_model": {"name": lambda: _saved_model()},
    "load_weights": {"file": lambda: _weights()},
    "local_response_norm": {"size": 5, "alpha": 1e-4, "beta": 0.75, "bias": 2.0},
    "max_pool": {"pool_size": 2, "strides": 2},
    "mlpconv": {"filters": (2, 2), "kernel_size": 3},
    "model_info": {"name": "lenet_5"},
    "new_head": {"num_outputs": 3},
    "open_pretrained": {"path": lambda: _finished()},
    "open_run": {"folder": lambda: _finished()},
    "pad_channels": {"channels": 6},
    "parse": {"name": "conv1_conv"},
    "partial_conv": {"table": [[0, 1], [2, 3]], "kernel_size": 3},
    "patched_fit": {"strategy": None},
    "path_lengths": {"images": lambda: _prepared(), "labels": [0, 1, 0, 1]},
    "is_chief": {"strategy": None},
    "plain_block": _BLOCK,
    "plan_run": {"request": _request},
    "plot_block": {"block": lambda: _a_block(), "input_shape": (4, 8, 8), "to_file": "a.svg"},
    "plot_accuracies": {"to_file": "accuracies.svg", "pattern": "vgg_1*"},
    "plot_augmented": {"to_file": "augmented.png"},
    "plot_curves": {"history": {"loss": [2.0, 1.0]}, "to_file": "curves.png"},
    "plot_runs": {"found": lambda: _finished(), "to_file": "runs.svg"},
    "plot_model": {"to_file": "model.svg"},
    "plot_models": {"models": lambda: [_built(), _built()], "to_file": "models.svg"},
    "plot_reliability": {"to_file": "reliability.png"},
    "plot_roc": {"class_names": ("a", "b"), "to_file": "roc.png"},
    "predict": {"run": _saved, "files": ["none.png"]},
    "published": {"source": "a paper"},
    "published_accuracies": {"pattern": "vgg_1*"},
    "reduction_a": {"k": 2, "l": 2, "m": 2, "n": 2},
    "resnext_block": {"filters": 64, "cardinality": 2},
    "resume": {"out": lambda: _begun()},
    "runs": {"folders": lambda: _finished()},
    "save_weights": {"path": "weights.safetensors"},
    "scale": {"factor": 0.5},
    "scope": {"name": "conv1"},
    "se_bottleneck": _BLOCK | {"reduction": 2},
    "se_bottleneck_v1_5": _BLOCK | {"reduction": 2},
    "se_resnext_block": {"filters": 64, "cardinality": 2},
    "set_weight_decay": {"decay": 1e-4},
    "shortcut": {"branch": _input},
    "shortcut_a": {"residual": _input, "strides": (1, 1)},
    "shortcut_b": {"residual": _input, "strides": (1, 1)},
    "shortcut_c": {"residual": _input, "strides": (1, 1)},
    "squeeze_and_excitation": {"reduction": 2},
    "stage_factors": {"decay": 0.5},
    "stage_rates": {"decay": 0.5},
    "steps_per_epoch": {"batch_size": 4},
    "style_conv": _CONV,
    "take_channels": {"indices": [0, 2]},
    "train": {"out": lambda: f"run{next(_NUMBERS)}", "recipe": _recipe},
    "training_batches": {"batch_size": 4, "seed": 0, "epoch": 0},
    "training_epochs": {"batch_size": 4, "seed": 0},
    "vgg_stage": {"convolutions": 1, "filters": 4},
    "wide_bottleneck": _BLOCK,
    "write_report": {
        "folder": ".",
        "evaluation": lambda: _evaluated(),
        "history": {"loss": [1.0], "val_loss": [1.0]},
    },
    "DiscriminativeSGD": {"rates": [1.0, 0.5]},
    "LinearWarmUp": {"start": 0.0, "steps": 4},
    "Evaluation": {
        "labels": lambda: np.array([0, 1]),
        "probabilities": lambda: np.full((2, 2), 0.5, np.float32),
    },
    "Preprocessing": {"channels": 1, "rows": 8, "cols": 8},
    "Recipe": {"source": "own", "batch_size": 4, "learning_rate": 0.1, "epochs": 2},
    "ResumeRequest": {"out": "run"},
    "Data.from_arrays": {
        "train_images": lambda: np.random.default_rng(0).integers(0, 256, (10, 8, 8, 1), "uint8"),
        "train_labels": lambda: np.arange(10) % 2,
    },
    "Data.from_dataset": {"train": lambda: _pairs()},
    "evaluate": {"images": lambda: _data().test, "preprocessing": lambda: _data().preprocessing},
    "AlexnetBuilder.build": {"rows": lambda: [_row()], "input_shape": (3, 32, 32)},
    "CifarResnetBuilder.build": {"block_fn": "basic_block_v1", "repetitions": (1,)},
    "DensenetBuilder.build": {"repetitions": (1, 1), "growth_rate": 2},
    "LenetBuilder.build": {"input_shape": (1, 32, 32)},
    "NinBuilder.build": {"stages": lambda: [_stage()], "hidden": (4,)},
    "PlainBuilder.build": {"repetitions": (1,)},
    "ResnetBuilder.build": {"block_fn": "basic_block", "repetitions": (1,)},
    "ResnetV1Builder.build": {"block_fn": "basic_block_v1", "repetitions": (1,)},
    "ResnetV2Builder.build": {"block_fn": "bottleneck_v2", "repetitions": (1,)},
    "ResnextBuilder.build": {"repetitions": (1,)},
    "SeResnetBuilder.build": {"repetitions": (1,)},
    "VggBuilder.build": {"configuration": [(1, 4)], "input_shape": (3, 32, 32)},
    "WideResnetBuilder.build": {"repetitions": (1,), "width_factor": 1},
}
_OPTIONS = {
    "data_format": "channels_last",
    "include_top": True,
    "pooling": None,
    "classifier_activation": "softmax",
    "l2_penalty": None,
    "name": None,
    "weights": None,
}
# These are called with what they do for a whole run or process, or take no values of users.
_LEFT_OUT = {
    "Cluster",
    "Frozen",
    "InputShape",
    "Options",
    "Outcome",
    "Outputs",
    "PeerLost",
    "Plan",
    "RunStopped",
    "VggOptions",
    "add",
    "branches",
    "chain",
    "concat",
    "ends_in_activation",
    "ends_in_addition",
    "features",
    "multiply",
    "register_builder",
}
_LEFT_OUT |= {"scaled_tanh"}  # an activation, called by Keras
_LEFT_OUT |= {"Data", "Images", "Predictions", "SavedRun", "Pretrained"}
_LEFT_OUT |= {"Explanation", "ExportReport", "FoldReport", "Runs", "WeightsReport"}
_NO_UNIT = {"published"}
_NUMBERS = itertools.count()


def _row() -> Any:
    from keras_convnets import AlexnetRow

    return AlexnetRow(4, 3)


def _stage() -> Any:
    from keras_convnets import mlpconv

    return mlpconv((4, 4), 3)


def _a_block() -> Any:
    from keras_convnets import basic_block

    return basic_block(4)


@functools.cache
def _finished() -> str:
    """Return the folder of a finished run."""
    from keras_convnets.training import train

    return str(train(_model(), _data(), "finished", _recipe(), console=_quiet()).folder)


@functools.cache
def _built() -> Any:
    return _model()


@functools.cache
def _folded() -> Any:
    from keras_convnets import fold

    return fold(_built())


@functools.cache
def _saved_model() -> str:
    """Return the file of a model."""
    path = Path("saved.keras").absolute()
    _model().save(path)
    return str(path)


@functools.cache
def _weights() -> str:
    """Return a file of weights."""
    from keras_convnets import save_weights

    path = Path("saved.npz").absolute()
    save_weights(_model(), path)
    return str(path)


def _begun() -> str:
    """Return the folder of a run that was interrupted before its last epoch."""
    return shutil.copytree(_stopped(), f"begun{next(_NUMBERS)}")


@functools.cache
def _stopped() -> str:
    from keras_convnets.training import train
    from keras_convnets.training.run.loop import Loop

    with mock.patch.object(Loop, "go_on", return_value=True):
        return str(train(_model(), _data(), "stopped", _recipe(), console=_quiet()).folder)


def _evaluated() -> Any:
    from keras_convnets.training import evaluate

    return evaluate(_model(), _data().test, _data().preprocessing)


class Right:
    """A public function or class, with right arguments.

    Args:
        name: its name, or ``Class.method``.
    """

    def __init__(self, name: str) -> None:
        import keras_convnets
        from keras_convnets import training

        first, _, method = name.partition(".")
        module = keras_convnets if first in keras_convnets.__all__ else training
        found = getattr(module, first)
        self._function = getattr(found, method) if method else found
        self._given = _RIGHT.get(name, {})
        self._is_builder = "Builder." in name
        self._takes_options = name == "ResnetBuilder.build"  # all others take the same

    @staticmethod
    def names() -> list[str]:
        """Return the names of all public functions and classes that take arguments."""
        import keras_convnets
        from keras_convnets import training

        names = [*keras_convnets.__all__, *training.__all__]
        own = [name for name in names if not name.endswith("Builder") and name not in _LEFT_OUT]
        known = {name: getattr(keras_convnets, name, None) for name in own}
        known = {name: found or getattr(training, name) for name, found in known.items()}
        found = [name for name, value in known.items() if callable(value) and _parameters(value)]
        return [*found, *(name for name in _RIGHT if "." in name)]

    def parameters(self) -> list[str]:
        """Return the names of the parameters."""
        return [*_parameters(self._function), *(_OPTIONS if self._takes_options else ())]

    def arguments(self) -> dict[str, Any]:
        """Return right arguments for all parameters without a default."""
        found = {}
        for name, parameter in _parameters(self._function).items():
            if name in self._given:
                value = self._given[name]
                found[name] = value() if callable(value) else value
            elif parameter.default is parameter.empty or name in ("console", "devices"):
                found[name] = _VALUES[name]()
        return found

    def call(self, **arguments: Any) -> None:
        """Call it, and use what it returns: a unit, a context, or a dataset."""
        import keras
        import tensorflow as tf

        from keras_convnets.keras_private import without_values

        positional = [
            arguments.pop(name)
            for name, parameter in _parameters(self._function).items()
            if parameter.kind is parameter.POSITIONAL_ONLY and name in arguments
        ]
        with without_values() if self._is_builder else contextlib.nullcontext():
            found = self._function(*positional, **arguments)
        if isinstance(found, keras.layers.Layer) and not isinstance(found, keras.Model):
            found(_input())
        elif isinstance(found, tf.data.Dataset):
            next(iter(found))
        elif hasattr(found, "__enter__"):
            with found:
                pass
        elif inspect.isfunction(found) and self._function.__name__ not in _NO_UNIT:
            found(_input())


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return {one.name: one for one in found if one.kind not in variable}
