"""Settings of Keras with which a run would not be right."""

import keras
import pytest

from keras_convnets import backends


@pytest.mark.parametrize("name", ["max_epochs", "max_steps_per_epoch"])
def test_limits_for_debugging_are_refused(name, monkeypatch):
    monkeypatch.setattr(keras.config, name, lambda: 1)
    with pytest.raises(
        ValueError, match=f"KERAS_{name.upper()}: received 1; expected none, for it w"
    ):
        backends.check_training()
