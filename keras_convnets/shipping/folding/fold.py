"""Folding the batch normalisations of a model into the layers before and after them."""

from __future__ import annotations

import keras

from keras_convnets import known
from keras_convnets.fast.layers import fast_layers
from keras_convnets.keras_private import is_outline
from keras_convnets.received import shown
from keras_convnets.recursion import room_for
from keras_convnets.shipping.folding import report
from keras_convnets.shipping.folding.graphs import graphs_of, is_open
from keras_convnets.shipping.folding.plan import Plan
from keras_convnets.shipping.folding.rebuilding import rebuilt
from keras_convnets.shipping.folding.report import FoldReport, FoldRow
from keras_convnets.typed import typed


@typed
def fold(model: keras.Model) -> keras.Model:
    """Return a model for inference that computes the same with fewer layers.

    At inference, a batch normalisation is a factor and a constant for each channel. They go into
    the kernel and the bias of the convolution or dense layer next to it, and the layer of the
    normalisation is gone. Its outputs are the same to rounding. What cannot be folded exactly
    stays as it is: `fold_report_of` says what, and why.

    All other layers stay, with their names, and so do the model's name, preprocessing and class
    names. The given model is not changed, and shares no weights with the result. That is not
    compiled, and is not meant for training: folded layers have neither penalties nor constraints,
    for theirs were for other weights.

    Args:
        model: a functional or sequential model, with models inside; of Keras or of this package.

    Raises:
        ValueError: the model is not functional, its weights have no values, or one of its layers
            cannot be copied.

    Examples:
        >>> from keras_convnets import ResnetV1Builder, fold
        >>> model = ResnetV1Builder.build((3, 32, 32), 10, "basic_block_v1", (1,))
        >>> folded = fold(model)
        >>> len(model.layers) - len(folded.layers)
        3
    """
    if not model.built:
        raise ValueError(
            f"model: received {shown(model.name)}, a {type(model).__name__} that is not built; "
            "expected one that knows its input. Call it on a batch of images, or begin it with "
            "keras.Input((rows, cols, channels))."
        )
    graphs = graphs_of(model)
    if not is_open(model):
        raise ValueError(
            f"model: received {shown(model.name)}, a {type(model).__name__} with a call of "
            "its own; expected a model that computes what its graph says. Pass "
            "keras.Model(model.input, model.output) if its call does the same."
        )
    if is_outline(model):
        raise ValueError(
            f"model: received {shown(model.name)}, whose weights have no values; expected a model "
            "that was built outside keras.StatelessScope. Build it again."
        )
    with room_for(sum(len(graph.nodes) for graph in graphs.values())):
        plan = Plan(model)
        result = rebuilt(model, plan)
    known.pass_on(model, result)
    report.remember(result, _report(model, plan))
    return fast_layers(result)


def _report(model: keras.Model, plan: Plan) -> FoldReport:
    done = {one.norm: one for one in plan.folds}
    rows = [
        FoldRow(name, done[norm].layer.name, "before" if done[norm].is_after else "after")
        if norm in done
        else FoldRow(name, reason=plan.kept[norm])
        for norm, name in plan.names.items()
    ]
    return FoldReport(model.name, tuple(rows))
