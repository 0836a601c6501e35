"""VGG in torchvision and timm, and AlexNet in torchvision: modules with a number in a sequence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keras_convnets.weights.rules.layout import Layout, Row

# The convolutions of each stage.
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}

# Our head is of dense layers or, if fully convolutional, of convolutions.
HEADS = {
    "torchvision": (
        Row("head_(?:dense|conv)", "classifier.0", form="linear"),
        Row("head_(?:dense|conv)2", "classifier.3", form="linear"),
        Row("head_(?:dense|conv)3", "classifier.6", form="linear"),
    ),
    "timm": (
        Row("head_(?:dense|conv)", "pre_logits.fc1", form="conv"),
        Row("head_(?:dense|conv)2", "pre_logits.fc2", form="conv"),
        Row("head_(?:dense|conv)3", "head.fc", form="linear"),
    ),
}
ALEXNET = (
    *(
        Row(f"conv{stage}_conv", f"features.{place}")
        for stage, place in enumerate((0, 3, 6, 8, 10), start=1)
    ),
    Row("head_dense", "classifier.1"),
    Row("head_dense2", "classifier.4"),
    Row("head_dense3", "classifier.6"),
)


def _stages(convolutions: Sequence[int], batch_norm: bool) -> Iterator[Row]:
    """Yield the rows of the stages: a place each for convolution, normalisation, ReLU, pooling."""
    place = 0
    for stage, count in enumerate(convolutions, start=1):
        for number in range(1, count + 1):
            n = number if number > 1 else ""
            yield Row(f"conv{stage}_conv{n}", f"features.{place}")
            if batch_norm:
                yield Row(f"conv{stage}_bn{n}", f"features.{place + 1}")
            place += 3 if batch_norm else 2
        place += 1


LAYOUTS = (
    *(
        Layout(source, (f"vgg_{depth}{ending}",), (*_stages(counts, bool(ending)), *head))
        for depth, counts in DEPTHS.items()
        for ending in ("", "_bn")
        for source, head in HEADS.items()
    ),
    Layout("torchvision", ("alexnet",), ALEXNET),
)
