"""The measurements of engines that are ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from keras_convnets.shipping.benchmark import in_a_process
from keras_convnets.shipping.benchmark.comparing import agreement, difference
from keras_convnets.shipping.benchmark.contender import Contender
from keras_convnets.shipping.benchmark.preparing import Prepared, Wanted, why
from keras_convnets.shipping.benchmark.result import LeftOut, Measurement
from keras_convnets.shipping.benchmark.turns import in_turn


def memories(prepared: Prepared, wanted: Wanted) -> dict[Contender, dict[int, int]]:
    """Return the peaks of memory of each contender, by the number of images.

    What dies in a process of its own, and would take this one along, is left out.
    """
    if not in_a_process.is_known():
        prepared.notes.append("memory: this system does not tell the peak of a process.")
        return {}
    found = {}
    for contender in list(prepared.contenders):
        wanted.tell(f"{contender.model}: measuring the memory of {contender.way.title}")
        try:
            found[contender] = in_a_process.peaks(contender, wanted.batches, wanted.threads)
        except in_a_process.Died as error:
            prepared.leave_out(contender, str(error))
        except in_a_process.Failed as error:
            prepared.notes.append(
                f"memory: that of {contender.way.title} with {contender.model} is not known: "
                f"{error}"
            )
    return found


def measured(
    prepared: Prepared, wanted: Wanted, seconds: float, peaks: Mapping[Contender, Mapping[int, int]]
) -> list[Measurement]:
    """Return the measurements of all contenders, for each number of images in turn.

    What fails is left out of the contenders, with the reason.
    """
    rows: list[Measurement] = []
    for images in wanted.batches:
        outputs = _first_outputs(prepared, images, wanted.tell)
        ready = [one for one in prepared.contenders if one in outputs]
        wanted.tell(f"timing {len(ready)} engines in turn, {images:,} images at once")
        same_images = {taken: taken.batch(images) for taken in {one.taken for one in ready}}
        calls = [_call(one, same_images[one.taken]) for one in ready]
        firsts: dict[str, tuple[Contender, float]] = {}
        for one, took in zip(ready, in_turn(calls, seconds), strict=True):
            median, p95 = np.percentile(took, (50, 95)).tolist()
            first, reference = firsts.setdefault(one.group, (one, median))
            same = _comparable(one, first)
            own, its = outputs[one], outputs[first]
            rows.append(
                Measurement(
                    model=one.model,
                    engine=one.way.name,
                    precision=one.precision,
                    batch=images,
                    input_shape=one.taken.input_shape,
                    median=median,
                    p95=p95,
                    calls=len(took),
                    ratio=median / reference,
                    memory_bytes=peaks.get(one, {}).get(images),
                    file_bytes=one.file_bytes,
                    difference=difference(own, its) if same else None,
                    agreement=agreement(own, its) if same else None,
                )
            )
    order = {name: place for place, name in enumerate(dict.fromkeys(row.model for row in rows))}
    return sorted(rows, key=lambda row: order[row.model])


def _first_outputs(
    prepared: Prepared, images: int, tell: Callable[[str], None]
) -> dict[Contender, np.ndarray]:
    """Return the outputs of each contender; leave out what fails."""
    found = {}
    for one in list(prepared.contenders):
        tell(f"{one.model}: the first {images:,} images in {one.way.title}")
        try:
            outputs = one.run(one.taken.batch(images))
            if not np.isfinite(outputs).all():
                raise ValueError("it returns NaN or infinity")
            found[one] = outputs
        except Exception as error:  # each runtime has its own
            reason = f"with {images:,} images: {why(error)}"
            prepared.left_out.append(LeftOut(one.model, one.way.name, one.precision, reason))
    return found


def _call(contender: Contender, batch: np.ndarray) -> Callable[[], np.ndarray]:
    return lambda: contender.run(batch)


def _comparable(one: Contender, first: Contender) -> bool:
    return (one.taken.image, one.taken.dtype) == (first.taken.image, first.taken.dtype)
