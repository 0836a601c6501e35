import pytest

from keras_convnets.training.data.augmentation import AUGMENTATIONS, Augmentation
from keras_convnets.training.data.augmentation_names import (
    STRENGTHS,
    augmentation_named,
    full_name,
)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_a_crop_alone_is_what_it_was(name):
    assert augmentation_named(name) is not None
    assert augmentation_named(name) == AUGMENTATIONS[name]
    assert full_name(name) == name


def test_names_join_in_any_order_and_have_their_strengths():
    given = "cutmix+erasing:0.5+crop-flip+color-jitter:0.3+mixup:1e-1+randaugment+rotation:20"
    assert augmentation_named(given) == Augmentation(
        4, True, False, rotation=20, color_jitter=0.3, randaugment=9, erasing=0.5, mixup=0.1,
        cutmix=1,
    )  # fmt: skip
    name = full_name(given)
    assert name == (
        "crop-flip+rotation:20+color-jitter:0.3+randaugment:9+erasing:0.5+mixup:0.1+cutmix:1"
    )
    assert full_name(name) == name
    assert full_name("mixup:0.12345678901") == "mixup:0.12345678901"


@pytest.mark.parametrize("name", STRENGTHS)
def test_a_strength_is_above_0_and_at_most_its_most(name):
    most = STRENGTHS[name].most
    assert getattr(augmentation_named(f"{name}:{most}"), name.replace("-", "_")) == most
    for wrong in ("0", "-1", "nan", "inf", "1e400", "", "x", f"{most * 1.01}"):
        expected = (
            f"^augmentation: received '{name}:{wrong}', with the strength '{wrong}'; expected "
            f"{name}:X with X above 0 and at most {most:g} .* Pass {name}:"
        )
        with pytest.raises(ValueError, match=expected):
            full_name(f"{name}:{wrong}")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("flip", "received 'flip'; expected one of 'none', 'shift', 'crop', .* rotation:X"),
        ("crop+flip", "received 'crop.flip', of which 'flip' is unknown; expected one of"),
        ("mixup:0.2+mixup", "received 'mixup:0.2.mixup', which has 'mixup' twice; expected"),
        ("crop+crop", "received 'crop.crop', which has 'crop' twice"),
        ("crop+shift", "received 'crop.shift', but 'crop' and 'shift' exclude each other"),
        ("none+mixup", "received 'none.mixup', but 'none' excludes all others"),
        ("crop:4", "received 'crop:4', but 'crop' takes no strength"),
        ("crop+mixupp", ".* Did you mean 'mixup'"),
        ("", "received ''; expected"),
        ("crop+", "received 'crop.', of which '' is unknown"),
        (3, "received 3; expected one of"),
        (None, "received None; expected one of"),
        ("crop\n+mixup", r"received 'crop\\n.mixup', of which 'crop\\n' is unknown"),
    ],
)
def test_what_has_no_meaning_is_refused_with_what_is_known(value, words):
    with pytest.raises(ValueError, match=f"^augmentation: {words}") as refused:
        augmentation_named(value)
    assert "\n" not in str(refused.value)
