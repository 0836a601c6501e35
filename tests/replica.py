"""A process that trains, for the tests of several devices and machines; run by itself, or imported
for what one device makes of the same data.
"""

import contextlib
import json
import random
import socket
import sys
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_convnets import ResnetBuilder
from keras_convnets.errors import PeerLost
from keras_convnets.training.distribute.multi_worker import (
    asked_anywhere,
    check_alike,
    patched_fit,
    wait_for_all,
)
from keras_convnets.training.distribute.strategies import choose_strategy, is_chief
from keras_convnets.training.distribute.supervisor import leave

BATCH, STEPS = 8, 6
VALIDATION = 5  # images: two devices share them unevenly, in the first batch already


def addresses(count):
    """Return so many addresses with free ports on this machine.

    The system gives none of them to what connects without a port of its own, before they are taken.
    """
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = []
    for port in random.SystemRandom().sample(range(first // 3, first), 100):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            found.append(f"127.0.0.1:{port}")
    return ",".join(found[:count])


def trained(strategy, epochs=2, nap=0.0):
    """Return the history of a run, and the weights that it ends with."""
    with contextlib.nullcontext() if strategy is None else strategy.scope():
        model = _compiled()
    batches = _training_batches()
    if strategy is not None:
        batches = strategy.distribute_datasets_from_function(_training_batches)
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda step, logs: _step(step, nap)
    )
    with patched_fit(strategy):
        history = model.fit(
            batches,
            steps_per_epoch=STEPS,
            epochs=epochs,
            validation_data=_validation_batches(),
            callbacks=[callback],
            shuffle=False,
            verbose=0,
        ).history
    return history, model.get_weights()


def _compiled():
    keras.utils.set_random_seed(0)
    model = ResnetBuilder.build((1, 16, 16), 3, "basic_block", (1,), l2_penalty=0.005)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9, weight_decay=0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        auto_scale_loss=False,
    )
    return model


def _step(step, nap):
    if nap:
        print("step", step, flush=True)
        time.sleep(nap)


def _images(count, seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    pixels = random.standard_normal((count, 16, 16, 1)) + labels[:, None, None, None]
    return pixels.astype("float32"), labels.astype("int32")


def _training_batches(context=None):
    """Return the batches of one process: its devices' shares of each step, in turn."""
    replicas = context.num_replicas_in_sync if context else 1
    pipelines = context.num_input_pipelines if context else 1
    pipeline = context.input_pipeline_id if context else 0

    def own(array):
        shape = (STEPS, pipelines, replicas // pipelines, BATCH // replicas, *array.shape[1:])
        return array.reshape(shape)[:, pipeline].reshape(-1, *shape[3:])

    shares = tuple(map(own, _images(STEPS * BATCH, 1)))
    return tf.data.Dataset.from_tensor_slices(shares).repeat()


def _validation_batches():
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    images = tf.data.Dataset.from_tensor_slices(_images(VALIDATION, 2))
    return images.batch(BATCH).with_options(options)


def _main(out, devices=1, epochs=2, nap=0.0, **choice):
    if devices > 1:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * devices,
        )
    strategy = choose_strategy(**choice, tell=print)
    try:
        history, weights = trained(strategy, epochs, nap)
        check_alike(strategy, step=1, recipe="quick")
        refusal = ""
        try:
            check_alike(strategy, step=1, recipe=choice.get("index"))
        except ValueError as error:
            refusal = str(error)
        asked = [
            asked_anywhere(strategy, choice.get("index") == 1),
            asked_anywhere(strategy, False),
        ]
        wait_for_all(strategy)
    except PeerLost as loss:
        print("lost:", loss)
        leave(loss.exit_code)
    report = {
        "replicas": strategy.num_replicas_in_sync,
        "is_chief": is_chief(strategy),
        "history": history,
        "refusal": refusal,
        "asked": asked,
    }
    np.savez(out, report=json.dumps(report), **{f"{n:03d}": w for n, w in enumerate(weights)})


if __name__ == "__main__":
    _main(**json.loads(sys.argv[1]))
