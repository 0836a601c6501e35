"""The binary accuracy of images that are mixed, whose labels are shares."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("keras_convnets")
class MixedBinaryAccuracy(keras.metrics.BinaryAccuracy):
    """Binary accuracy in which an image is of a class if more than half of it is.

    Keras' own counts no share between 0 and 1 as right.
    """

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Add the predictions of a batch."""
        whole = keras.ops.cast(keras.ops.convert_to_tensor(y_true) > 0.5, "float32")
        return super().update_state(whole, y_pred, sample_weight)
