"""Small models with batch normalisations, and what folding has to leave as it is."""

import keras
import numpy as np

from keras_convnets import fold, fold_report_of

NORM = keras.layers.BatchNormalization
FIRST = "channels_first"
SIZE = (7, 6, 8, 5)


def lively(model, seed=0):
    """Give each variable of a model values that matter, and return the model."""
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        if "seed" in variable.path or not str(variable.dtype).startswith(("float", "bfloat")):
            continue
        noise = rng.standard_normal(variable.shape)
        is_variance = variable.name in ("moving_variance", "variance")
        variable.assign(np.abs(noise) + 0.5 if is_variance else noise * 0.7 + 0.3)
    return model


def network(shape, *layers, dtype=None):
    x = keras.Input(shape, dtype=dtype)
    y = x
    for layer in layers:
        y = layer(y)
    return lively(keras.Model(x, y))


def shape_of(rank, channels=4, data_format="channels_last", size=SIZE):
    spatial = size[:rank]
    return (channels, *spatial) if data_format == FIRST else (*spatial, channels)


def relative_difference(model, folded, seed=1):
    rng = np.random.default_rng(seed)
    given = [
        rng.standard_normal([size or 6 for size in (2, *one.shape[1:])]).astype("float32")
        for one in model.inputs
    ]
    worst = 0.0
    ones, others = (
        keras.tree.flatten(one(given[0] if len(given) == 1 else given)) for one in (model, folded)
    )
    for one, other in zip(ones, others, strict=True):
        one, other = (
            keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")) for x in (one, other)
        )
        assert np.isfinite(one).all()
        assert np.ptp(one) > 0
        worst = max(worst, np.abs(one - other).max() / np.abs(one).max())
    return worst


def check(model, folded_of, tolerance=1e-5, trains=False):
    """Check that a model folds as often as said, computes the same and is left as it was."""
    before = [np.array(weight) for weight in model.get_weights()]
    folded = fold(model)
    report = fold_report_of(folded)
    assert (report.folded, len(report.rows)) == folded_of, str(report)
    assert relative_difference(model, folded) < tolerance
    assert trains or all(map(np.array_equal, model.get_weights(), before))
    left = [layer for layer in folded.layers if isinstance(layer, NORM)]
    assert folded.name == model.name
    assert len(left) <= len(report.kept)
    assert folded.count_params() <= model.count_params()
    return folded
