"""What the outputs of a model are, in words."""

from __future__ import annotations

from keras_convnets.shipping.card.facts import Card

_OF_ALL = {
    "softmax": "probabilities, which sum to 1 (softmax), of {} classes",
    "sigmoid": "a probability for each by itself (sigmoid) of {} classes",
    "linear": "numbers that are no probabilities (logits), of {} classes",
}
_OF_THE_SECOND = {
    "sigmoid": "one probability (sigmoid), of the second of two classes",
    "linear": "one number that is no probability (logit), of the second of two classes",
}


def said_of(card: Card) -> str:
    """Return what the outputs of a card's model are."""
    words = (_OF_THE_SECOND if card.is_binary else _OF_ALL).get(card.outputs)
    return card.outputs if words is None else words.format(f"{card.classes:,}")
