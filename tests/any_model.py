"""What every functional model is asked: a result or a ValueError in a line, never anything else."""

import csv
import io
import json
import math
import re

from keras_convnets import compare, cost, features, plot_model, receptive_field
from keras_convnets.analysis.plot.graph.blocks import block_graph
from keras_convnets.analysis.plot.webpage import webpage
from keras_convnets.graph.walk import walk
from keras_convnets.training import freeze_until


def wrong_answers(model, r):
    """Return the questions to which the answer is no result and no line, with the exceptions."""
    questions = {
        "cost": lambda: costs(model),
        "compare": lambda: str(compare([model, model])),
        "field": lambda: fields(model),
        "plot": lambda: figures(model, r),
        "other sizes": lambda: other_sizes(model, r),
        "features": lambda: features(model),
        "freeze": lambda: freezing(model, r),
    }
    wrong = {}
    for name, question in questions.items():
        try:
            question()
        except Exception as error:
            is_line = (
                re.search(r"[a-z]: .*(expected|Pass a)", str(error)) and type(error) is ValueError
            )
            if not is_line:
                wrong[name] = error
    return wrong


def costs(model):
    found = cost(model)
    weights = {id(weight): weight for weight in model.trainable_weights}
    trainable = sum(math.prod(weight.shape) for weight in weights.values())
    assert found.trainable_params == trainable, (found.trainable_params, trainable)
    assert found.params == trainable + sum(row.params - row.trainable_params for row in found.rows)
    for row in found.rows:
        assert (row.macs is None) == bool(row.uncounted), row
        assert row.macs is None or row.macs >= 0, row
    assert found.macs == sum(row.macs or 0 for row in found.rows)
    for by in ("layer", "block", "stage"):
        rolled = found.rolled_up(by)
        assert sum(row.trainable_params for row in rolled) == trainable
        assert json.loads(json.dumps(found.to_dict(by)))
        assert found.to_text(by)
        assert found.to_csv(by)


def fields(model):
    found = receptive_field(model)
    json.dumps(found.to_dict())
    assert found.to_text()
    lines = [line for line in found.to_csv().splitlines() if not line.startswith("#")]
    for row in csv.DictReader(io.StringIO("\n".join(lines))):
        assert all(row[key] for key in ("layer", "size", "stride", "padding")), row


def figures(model, r):
    for detail in ("stage", "block", "layer"):
        rankdir, nested = r.choice((None, "LR")), r.choice((None, True, False))
        plot_model(model, "m.dot", detail=detail, rankdir=rankdir, expand_nested=nested)
    graph = block_graph(model, expand_nested=r.choice((None, True, False)))
    data = webpage(graph, r.choice(("stage", "block", "layer")), "<svg></svg>")
    assert graph.name in data
    if graph.price.macs is not None:
        found = cost(model)
        assert graph.price.params <= found.params
        assert graph.price.macs == found.macs or found.uncounted, (graph.price, found.macs)


def other_sizes(model, r):
    """Ask for the same sizes once more, then for others, where some were open."""
    shapes = [call.shape for call in walk(model) if call.is_input]
    if not any(None in shape for shape in shapes):
        assert cost(model, shapes).macs == cost(model).macs
    shapes = [[*one[:1], *(r.randint(3, 9) for _ in one[1:])] for one in shapes]
    cost(model, shapes).to_text()
    str(receptive_field(model, input_shape=shapes))


def freezing(model, r):
    names = [call.name for call in walk(model)]
    frozen = freeze_until(model, r.choice([*names, "head"]))
    weights = {id(weight): weight for weight in model.trainable_weights}
    left = sum(math.prod(weight.shape) for weight in weights.values())
    assert frozen.trained_parameters == left, (frozen, left)
