"""The training recipes of the papers, as data."""

from __future__ import annotations

from keras_convnets import checks
from keras_convnets.training.recipe.recipe import Recipe

_HE_2015 = "He et al. 2015 (arXiv:1512.03385), section 4.2"
_HUANG_2016 = "Huang et al. 2016 (arXiv:1608.06993), section 4.2"
_ZAGORUYKO_2016 = "Zagoruyko and Komodakis 2016 (arXiv:1605.07146), section 3"
_GOYAL_2017 = "Goyal et al. 2017 (arXiv:1706.02677); label smoothing: arXiv:1512.00567"
_NOTES = "the course notes, which train all their networks so"
_LOSHCHILOV_2017 = (
    "AdamW and the cosine of Loshchilov and Hutter 2017 (arXiv:1711.05101); values of this package"
)
_HOWARD_2018 = (
    "rates from stage to stage as in Howard and Ruder 2018 (arXiv:1801.06146), section 3.2; other "
    "values of this package"
)
_RSB_A2 = (
    "Wightman et al. 2021 (arXiv:2110.00476), procedure A2 of table 2, without repeated "
    "augmentation and stochastic depth"
)
_RSB_A3 = (
    "Wightman et al. 2021 (arXiv:2110.00476), procedure A3 of table 2, without repeated "
    "augmentation"
)

# fmt: off
RECIPES = {
    "quick": Recipe("small data on a CPU", 32, 0.03, epochs=12, schedule="cosine", nesterov=True),
    "resnet-cifar": Recipe(_HE_2015, 128, 0.1, steps=64_000, drops=(0.5, 0.75), weight_decay=1e-4, augmentation="crop-flip"),  # noqa: E501
    "resnet-cifar-110": Recipe(_HE_2015, 128, 0.1, steps=64_000, drops=(0.5, 0.75), warmup_steps=400, warmup_rate=0.01, weight_decay=1e-4, augmentation="crop-flip"),  # noqa: E501
    "densenet-cifar": Recipe(_HUANG_2016, 64, 0.1, epochs=300, drops=(0.5, 0.75), nesterov=True, weight_decay=1e-4, augmentation="crop-flip"),  # noqa: E501
    "wide-resnet-cifar": Recipe(_ZAGORUYKO_2016, 128, 0.1, epochs=200, drops=(0.3, 0.6, 0.8), drop_factor=0.2, nesterov=True, weight_decay=5e-4, augmentation="crop-flip"),  # noqa: E501
    "imagenet": Recipe(_GOYAL_2017, 256, 0.1, epochs=90, drops=(1 / 3, 2 / 3, 8 / 9), warmup_epochs=5, warmup_rate=0.1, nesterov=True, weight_decay=1e-4, label_smoothing=0.1, augmentation="resized-crop", images_per_rate=256),  # noqa: E501
    "notes": Recipe(_NOTES, 256, 1e-3, epochs=5, schedule="constant", weight_decay=0.0, augmentation="none", optimizer="adam"),  # noqa: E501
    "resnet-rsb-a2": Recipe(_RSB_A2, 2048, 5e-3, epochs=300, schedule="cosine", warmup_epochs=5, weight_decay=0.02, augmentation="resized-crop+randaugment:7+mixup:0.1+cutmix:1", optimizer="lamb", loss="binary_crossentropy"),  # noqa: E501
    "resnet-rsb-a3": Recipe(_RSB_A3, 2048, 8e-3, epochs=100, schedule="cosine", warmup_epochs=5, weight_decay=0.02, augmentation="resized-crop+randaugment:6+mixup:0.1+cutmix:1", optimizer="lamb", loss="binary_crossentropy"),  # noqa: E501
    "adamw-cosine": Recipe(_LOSHCHILOV_2017, 128, 1e-3, epochs=50, schedule="cosine", warmup_epochs=5, weight_decay=0.05, label_smoothing=0.1, optimizer="adamw"),  # noqa: E501
    "finetune": Recipe(_HOWARD_2018, 32, 2e-4, epochs=5, schedule="cosine", warmup_epochs=1, weight_decay=0.01, stage_decay=1 / 2.6, optimizer="adamw"),  # noqa: E501
}
# fmt: on
"""The recipes by name; ``RECIPES["quick"].replace(epochs=3)`` is one with another value."""


def find(name: str) -> Recipe:
    """Return the recipe called ``name``; raise a ``ValueError`` that lists the names if none is."""
    return RECIPES[checks.choice("recipe", name, RECIPES)]
