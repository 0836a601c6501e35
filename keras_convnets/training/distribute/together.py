"""What does not work on several devices, refused without TensorFlow and before machines meet."""

from __future__ import annotations

from keras_convnets.training.recipe.recipe import Recipe


def check_together(
    count: int, jit: bool = False, steps_per_execution: int = 1, is_half: bool = False
) -> None:
    """Refuse options that would only fail later, because they do not work on several devices.

    Args:
        count: the number of devices, or of machines, which have at least one each.
        jit: whether XLA compiles the training step. XLA compiles for one device at a time.
        steps_per_execution: training steps per call of TensorFlow. Keras' loop over the steps loses
            the values returned by several devices.
        is_half: whether layers compute in float16. Keras checks for overflow on each device
            separately, so some devices would take a step that others skip, and wait for each other.

    Raises:
        ValueError: there are several devices and one of these options is set.
    """
    if count == 1:
        return
    for what, is_wrong, given, remedy in (
        ("jit", jit, True, "Leave it out"),
        ("steps_per_execution", steps_per_execution > 1, steps_per_execution, "Leave it out"),
        ("precision", is_half, "mixed_float16", "Use mixed_bfloat16"),
    ):
        if is_wrong:
            raise ValueError(
                f"{what}: received {given!r} with {count} devices; expected a run on one, for "
                f"Keras cannot do both. {remedy}, or train with strategy 'one'."
            )


def check_batch(count: int, batch_size: int) -> None:
    """Refuse a batch that cannot be shared equally by several devices."""
    if batch_size % count:
        raise ValueError(
            f"batch_size: received {batch_size}; expected a multiple of {count}, for the batch is "
            f"shared by so many devices. Pass {-(-batch_size // count) * count}."
        )


def check_updates(count: int, recipe: Recipe) -> None:
    """Refuse ways to update weights that Keras gets wrong on several devices.

    It clips what each device has of a gradient before it adds the parts up, and fails to add them
    up in only some of the steps.

    Raises:
        ValueError: there are several devices and the recipe clips or accumulates gradients.
    """
    steps = recipe.accumulation_steps
    values = {name: getattr(recipe, name) for name in ("clipnorm", "clipvalue", "global_clipnorm")}
    for name, value in (values | {"accumulation_steps": steps if steps > 1 else 0}).items():
        if value and count > 1:
            raise ValueError(
                f"{name}: received {value:g} with {count} devices; expected a run on one, for "
                "Keras does it on each device by itself. Leave it out, or train with strategy "
                "'one'."
            )
