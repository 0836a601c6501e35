"""A training process for the tests of several devices and machines; also the one it is held to."""

import contextlib
import json
import sys
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_convnets import ResnetBuilder
from keras_convnets.training.multi_worker import check_alike, mended_fit, wait_for_all
from keras_convnets.training.strategies import choose, is_chief

BATCH, STEPS, VALIDATION = 8, 6, 21  # 21: the last batch is shared unevenly


def images(count, seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    pixels = random.standard_normal((count, 16, 16, 1)) + labels[:, None, None, None]
    return pixels.astype("float32"), labels.astype("int32")


def build():
    keras.utils.set_random_seed(0)
    model = ResnetBuilder.build((1, 16, 16), 3, "basic_block", (1,), weight_decay=0.005)
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


def training_batches(context=None):
    replicas = context.num_replicas_in_sync if context else 1
    pipelines = context.num_input_pipelines if context else 1
    pipeline = context.input_pipeline_id if context else 0

    def shared(array):
        parts = array.reshape(STEPS, pipelines, replicas // pipelines, BATCH // replicas, *array.shape[1:])
        return parts[:, pipeline].reshape(-1, BATCH // replicas, *array.shape[1:])

    return tf.data.Dataset.from_tensor_slices(tuple(map(shared, images(STEPS * BATCH, 1)))).repeat()


def validation_batches():
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return tf.data.Dataset.from_tensor_slices(images(VALIDATION, 2)).batch(BATCH).with_options(options)


def trained(strategy, epochs=2, nap=0.0):
    """Return the history of a run and the trainable weights it ends with."""
    with contextlib.nullcontext() if strategy is None else strategy.scope():
        model = build()
    batches = training_batches() if strategy is None else strategy.distribute_datasets_from_function(training_batches)
    def step(batch, logs):
        print("step", batch, flush=True)
        time.sleep(nap)
    with mended_fit(strategy):
        history = model.fit(
            batches,
            steps_per_epoch=STEPS,
            epochs=epochs,
            validation_data=validation_batches(),
            verbose=0,
            shuffle=False,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=step)] if nap else [],
        ).history
    return history, [np.asarray(weight.value) for weight in model.weights]


def main(out, devices, options):
    if devices > 1:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * devices,
        )
    epochs, nap = options.pop("epochs", 2), options.pop("nap", 0.0)
    strategy = choose(**options, tell=print)
    print("chosen", strategy.num_replicas_in_sync, is_chief(strategy), flush=True)
    history, weights = trained(strategy, epochs, nap)
    np.savez(out, history=json.dumps(history), **{f"{i:03d}": w for i, w in enumerate(weights)})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
