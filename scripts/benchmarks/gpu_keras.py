"""This package's networks on the accelerator of Keras' backend."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np

from benchmarks.accelerator import device, feed, inference, most_memory
from benchmarks.gpu_work import Window, Work, repeated
from keras_convnets import cost, create_model, model_info


class Side:
    """A network, compiled for training; ``fit`` chooses how the backend runs it."""

    most_memory = staticmethod(most_memory)

    def __init__(self, work: Work) -> None:
        self.device = device()
        keras.config.set_dtype_policy(work.precision)
        info = model_info(work.network)
        shape = (info.input_shape[0], work.size, work.size) if work.size else info.input_shape
        self._classes = info.num_outputs
        self._model = create_model(work.network, shape, self._classes)
        self._shape = self._model.input_shape[1:]
        self.macs = cost(self._model).macs
        optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
        self._model.compile(optimizer, "sparse_categorical_crossentropy")

    def training(self, batch: int) -> Window:
        """Return epochs of ``fit``: an epoch ends when its loss has come from the device."""
        batches = feed(*self._batch(batch))

        def window(steps: int) -> float:
            timer = _Timer()
            self._model.fit(
                batches, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[timer]
            )
            return timer.seconds

        return window

    def inference(self, batch: int) -> Window:
        """Return calls of the compiled network."""
        images, _ = self._batch(batch)
        call, wait = inference(self._model)
        return repeated(lambda: call(images), wait)

    def _batch(self, batch: int) -> tuple[Any, Any]:
        random = np.random.default_rng(0)
        images = random.random((batch, *self._shape), np.float32)
        labels = random.integers(0, self._classes, batch)
        return keras.ops.convert_to_tensor(images), keras.ops.convert_to_tensor(labels)


class _Timer(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        float(logs["loss"])
        self.seconds = time.perf_counter() - self._start
