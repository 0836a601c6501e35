"""Dense blocks in less memory against the same network that keeps everything."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import skip_where_it_cannot_run
from keras_convnets import DensenetBuilder, create_model, memory_efficient
from keras_convnets.fast import kernels

GRADIENTS = ("Conv2DBackpropFilter", "FusedBatchNormGradV3", "ReluGrad")


def network(efficient, blocks=(2, 1), **options):
    keras.utils.set_random_seed(0)
    options |= {"memory_efficient": efficient}
    return DensenetBuilder.build((3, 8, 8), 5, blocks, 4, stem="cifar", **options)


def batch(model, images=6):
    random = np.random.default_rng(0)
    shape = model.input_shape[1:]
    return random.normal(1, 2, (images, *shape)).astype("float32"), random.integers(0, 5, images)


def trained(model, steps=3, **options):
    """Return the weights of a model, moving statistics included, after some steps of ``fit``."""
    images, labels = batch(model, 2 * steps)
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", **options)
    model.fit(images, labels, batch_size=2, shuffle=False, verbose=0)
    return [keras.ops.convert_to_numpy(one) for one in model.weights]


def assert_equal(weights, others, atol=1e-5):
    for one, other in zip(weights, others, strict=True):
        np.testing.assert_allclose(
            one.astype("float32"), other.astype("float32"), rtol=0, atol=atol
        )


def kept(model):
    """Return how many concatenations, and what was made of them, the gradients read."""
    images, labels = batch(model)

    @tf.function
    def step(images):
        with tf.GradientTape() as tape:
            outputs = model(images, training=True)
            loss = keras.losses.sparse_categorical_crossentropy(labels, outputs)
        return tape.gradient(loss, [one.value for one in model.trainable_variables])

    operations = step.get_concrete_function(images).graph.get_operations()
    read = [tensor for one in operations if one.type in GRADIENTS for tensor in one.inputs]
    return len({id(one.op) for one in read if one.value_index == 0 and is_early(one.op)})


def is_early(operation):
    """Return whether an operation is a concatenation or an activation that waits for nothing."""
    is_made = operation.type in ("Relu", "ConcatV2")
    while operation.type in ("Relu", "FusedBatchNormV3", "IdentityN"):
        operation = operation.inputs[0].op
    return is_made and not operation.control_inputs


@pytest.mark.parametrize(
    ("data_format", "policy", "frozen"),
    [
        ("channels_last", "float32", 0),
        ("channels_first", "float32", 0),
        ("channels_first", "mixed_bfloat16", 8),
    ],
)
def test_weights_and_statistics_after_three_steps_are_equal(data_format, policy, frozen):
    skip_where_it_cannot_run(data_format, policy)
    after = []
    for efficient in (False, True):
        keras.config.set_dtype_policy(policy)
        try:
            model = network(efficient, data_format=data_format)
        finally:
            keras.config.set_dtype_policy("float32")
        for layer in model.layers[:frozen]:
            layer.trainable = False
        after.append(trained(model))
    assert_equal(*after)


@pytest.mark.slow
def test_what_else_reads_the_tensors_has_its_gradients():
    after = []
    for efficient in (False, True):
        model = network(efficient)
        inner = [model.get_layer(f"dense1_block2_{name}").output for name in ("relu1", "concat")]
        pooled = [keras.layers.GlobalAveragePooling2D()(tensor) for tensor in inner]
        outputs = keras.layers.Dense(5, "softmax")(keras.layers.Concatenate()(pooled))
        both = keras.layers.Average()([outputs, model.output])
        after.append(trained(keras.Model(model.input, both)))
    assert_equal(*after)


def test_gradients_do_not_read_what_grows_with_the_square_of_the_depth(monkeypatch):
    """Nor if the model has been trained before, or is asked for it twice."""
    monkeypatch.setattr(kernels, "_SMALLEST", 0)  # fused normalisation of small maps too
    model = network(False)
    trained(model)
    assert memory_efficient(memory_efficient(model)) is model
    assert model.train_function is None
    assert (kept(network(False)), kept(model)) == (11, 2)  # the last, before the head


def test_gradients_of_gradients_are_equal(monkeypatch):
    """The statistics of a normalisation that is computed again still depend on its inputs."""
    monkeypatch.setattr(kernels, "_SMALLEST", 0)
    found = []
    for efficient in (False, True):
        model = network(efficient, (2,))
        images, labels = batch(model)
        weights = [one.value for one in model.trainable_variables]

        @tf.function(autograph=False)
        def penalty_by_weights(model=model, images=images, labels=labels, weights=weights):
            with tf.GradientTape() as outer:
                with tf.GradientTape() as tape:
                    outputs = model(images, training=True)
                    loss = keras.losses.sparse_categorical_crossentropy(labels, outputs)
                gradients = tape.gradient(loss, weights)
                penalty = tf.add_n([tf.reduce_sum(one**2) for one in gradients])
            return outer.gradient(penalty, weights)

        found.append(penalty_by_weights())
    for one, other in zip(*found, strict=True):
        scale = np.abs(one).max()
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-4 * scale)


def test_the_file_is_that_of_the_plain_network():
    plain, efficient = network(False), network(True)
    assert efficient.get_config() == plain.get_config()
    efficient.save("model.keras")
    loaded = keras.models.load_model("model.keras")
    assert not any("call" in vars(layer) for layer in loaded.layers)
    assert_equal(loaded.get_weights(), plain.get_weights(), atol=0)


def test_an_activation_that_may_draw_random_numbers_is_not_computed_again():
    model = network(False)
    own = model.get_layer("dense1_block2_relu1")
    own.activation = lambda inputs: keras.random.dropout(inputs, 0.5)
    memory_efficient(model)
    names = ("bn1", "relu1", "conv1", "bn2", "relu2", "conv2")
    layers = {name: model.get_layer(f"dense1_block2_{name}") for name in names}
    replaced = {name for name in names if hasattr(layers[name].call, "func")}
    assert replaced == {"bn2", "relu2", "conv2"}


def test_networks_without_dense_blocks_are_refused():
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)], name="plain")
    words = "^memory_efficient: received {}, which has no dense blocks; expected .*. Leave it out.$"
    with pytest.raises(ValueError, match=words.format("plain")):
        memory_efficient(plain)
    with pytest.raises(ValueError, match=words.format("googlenet")):
        create_model("googlenet", (3, 32, 32), 5, memory_efficient=True, include_top=False)
