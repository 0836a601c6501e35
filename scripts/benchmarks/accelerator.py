"""The accelerator that Keras' backend computes on: its name, its memory, and work kept on it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import keras

from benchmarks.tables import cpu

BACKEND = keras.backend.backend()


def device() -> str:
    """Return the accelerator's name, and the versions of Keras and its backend."""
    backend = __import__(BACKEND)
    return f"{_name()}, Keras {keras.version()} on {BACKEND} {backend.__version__}"


def _name() -> str:
    """Return the name of the backend's first accelerator, or the processor's."""
    if BACKEND == "jax":
        import jax

        device = jax.local_devices()[0]
        return cpu() if device.platform == "cpu" else device.device_kind
    if BACKEND == "tensorflow":
        import tensorflow as tf

        details = [tf.config.experimental.get_device_details(gpu) for gpu in _tensorflow_gpus()]
        return str(details[0].get("device_name", "GPU")) if details else cpu()
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else cpu()


def most_memory() -> int | None:
    """Return the most bytes of the accelerator used at a time; ``None`` on a processor.

    JAX cannot forget an earlier maximum, so that its processes must measure in ascending order.
    """
    if BACKEND == "jax":
        import jax

        return (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    if BACKEND == "tensorflow":
        import tensorflow as tf

        if not _tensorflow_gpus():
            return None
        most = tf.config.experimental.get_memory_info("GPU:0")["peak"]
        tf.config.experimental.reset_memory_stats("GPU:0")
        return int(most)
    import torch

    if not torch.cuda.is_available():
        return None
    most = torch.cuda.max_memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    return most


def feed(images: Any, labels: Any) -> Any:
    """Return a batch again and again for ``model.fit``, on the device where the backend can."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.data.Dataset.from_tensors((images, labels)).repeat()
    return ((images, labels) for _ in itertools.count())


def inference(model: keras.Model) -> tuple[Callable[[Any], Any], Callable[[Any], None]]:
    """Return a network as a compiled function, and what waits for its outputs."""
    if BACKEND == "jax":
        import jax

        state = (
            [weight.value for weight in model.trainable_variables],
            [weight.value for weight in model.non_trainable_variables],
        )
        compiled = jax.jit(lambda state, images: model.stateless_call(*state, images)[0])
        return lambda images: compiled(state, images), jax.block_until_ready
    if BACKEND == "tensorflow":
        import tensorflow as tf

        compiled = tf.function(
            lambda images: model(images, training=False), jit_compile=bool(_tensorflow_gpus())
        )
        return compiled, lambda outputs: outputs.numpy()
    import torch

    def call(images: Any) -> Any:
        with torch.inference_mode():
            return model(images, training=False)

    return call, lambda outputs: outputs.float().cpu()


def _tensorflow_gpus() -> list[Any]:
    import tensorflow as tf

    return tf.config.list_physical_devices("GPU")
