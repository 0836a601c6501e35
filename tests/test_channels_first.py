import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest

from keras_convnets import ResnetBuilder, channels_first
from keras_convnets.inference.compiled import forward
from keras_convnets.training import RECIPES, Data
from keras_convnets.training.run.configuration import check_run

PROGRAM = """
    import warnings, numpy as np, keras
    from keras_convnets import ResnetBuilder
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = ResnetBuilder.build(
            (3, 32, 32), 4, "basic_block", (1,), data_format="channels_first"
        )
    print("WARNED", *[str(one.message) for one in caught])
    last = ResnetBuilder.build((3, 32, 32), 4, "basic_block", (1,), data_format="channels_last")
    last.set_weights(first.get_weights())
    images = np.random.default_rng(0).standard_normal((4, 3, 32, 32)).astype("float32")
    for model in (first, last):
        model.compile("sgd", "sparse_categorical_crossentropy", jit_compile={jit})
    labels = np.arange(4)
    first.fit(images, labels, epochs=1, batch_size=4, verbose=0)
    last.fit(np.moveaxis(images, 1, -1), labels, epochs=1, batch_size=4, verbose=0)
    one = first.predict(images, verbose=0)
    other = last.predict(np.moveaxis(images, 1, -1), verbose=0)
    print("DIFFERENCE", np.abs(one - other).max())
"""


def run(onednn, jit):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM).format(jit=jit)],
        env={"TF_ENABLE_ONEDNN_OPTS": onednn, "TF_CPP_MIN_LOG_LEVEL": "3", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_without_onednn_the_builder_warns_and_xla_is_a_remedy():
    result = run(onednn="0", jit=True)
    assert result.returncode == 0, result.stderr
    warned, difference = result.stdout.splitlines()
    assert "TF_ENABLE_ONEDNN_OPTS=1" in warned
    assert "jit_compile=True" in warned
    assert float(difference.split()[1]) < 1e-5


@pytest.mark.slow
def test_without_a_remedy_training_does_fail():
    result = run(onednn="0", jit=False)
    assert result.returncode != 0
    assert "NHWC" in result.stderr


@pytest.mark.slow
def test_with_onednn_there_is_no_warning_and_no_difference(capsys):
    exec(textwrap.dedent(PROGRAM).format(jit=False), {})  # the tests run with oneDNN
    warned, difference = capsys.readouterr().out.splitlines()
    assert warned == "WARNED"
    assert float(difference.split()[1]) < 1e-5


@pytest.fixture
def in_bfloat16(monkeypatch):
    """Return a model in channels_first and bfloat16, on a CPU that has no kernel for that."""
    monkeypatch.setattr(channels_first, "convolution_runs", lambda dtype: dtype == "float32")
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        with pytest.warns(UserWarning, match="channels_first convolutions in bfloat16 do not run"):
            return ResnetBuilder.build(
                (1, 8, 8), 10, "basic_block", (1,), data_format="channels_first"
            )
    finally:
        keras.config.set_dtype_policy("float32")


NO_KERNEL = "'conv1_conv' of .* convolves channels_first in bfloat16, for which TensorFlow has no"


def test_predictions_of_what_cannot_run_are_refused(in_bfloat16):
    with pytest.raises(ValueError, match=NO_KERNEL):
        forward(in_bfloat16)


def test_training_of_what_cannot_run_is_refused(in_bfloat16):
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), "uint8")
    data = Data.from_arrays(images, np.arange(20) % 10)
    with pytest.raises(ValueError, match=NO_KERNEL):
        check_run(in_bfloat16, data, RECIPES["quick"].replace(batch_size=10))
