"""Images to classes: read in several threads, classified together by one."""

from __future__ import annotations

import asyncio
import concurrent.futures
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets import memory
from keras_convnets.errors import OutOfMemoryError
from keras_convnets.images import contents as image_contents
from keras_convnets.images import decoding, kinds
from keras_convnets.images.contents import RefusedImageError, TooLargeError
from keras_convnets.images.headers import NotReadError
from keras_convnets.inference.answers import read_outputs
from keras_convnets.inference.predict import Predictions
from keras_convnets.shipping.serve.limits import Limits
from keras_convnets.shipping.serve.looked_at import LookedAt
from keras_convnets.shipping.serve.refusals import Refusal
from keras_convnets.shipping.serve.served import Image, Served
from keras_convnets.shipping.serve.space import Space
from keras_convnets.shipping.serve.worker import Room, Worker

Upload = tuple[str, bytes]
Given = Upload | np.ndarray
"""The name and the bytes of an image file, or an image as the model takes it."""


class Service:
    """A served model, with the threads that read images and the one that classifies them.

    Attributes:
        served: what is served.
        limits: what is accepted at most.
        worker: the thread that runs the model.
        pool: the threads that read.
        held: the bytes of the requests that are being read.
    """

    def __init__(self, served: Served, limits: Limits) -> None:
        self.served, self.limits, self.held = served, limits, 0
        self.worker = Worker(served.run, limits.batch_size, limits.queue)
        self._space = Space(2 * limits.max_pixels)
        self._looking = asyncio.Lock()  # one at a time: it takes several times a classification
        self.pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1, "image")

    def start(self) -> None:
        self.worker.start()

    def stop(self) -> None:
        self.pool.shutdown(cancel_futures=True)
        self.worker.stop()

    async def classify(self, uploads: Sequence[Upload]) -> Predictions:
        """Return the predictions for some image files, those of `predict`.

        Raises:
            Refusal: an image cannot be read, there are too many or no places for them.
        """
        rows, doubts = await self._answers(uploads)
        names = [name for name, _ in uploads]
        found = read_outputs(self.served.outputs, rows).probabilities
        return Predictions(tuple(names), found, self.served.class_names, (), tuple(doubts))

    async def look(self, upload: Upload, label: int | None) -> LookedAt:
        """Return what the model looked at in an image file.

        Args:
            upload: the name and the bytes of the file.
            label: the class that is explained; ``None`` for the predicted one.

        Raises:
            Refusal: the model has no feature maps, the image cannot be read, there is no such
                class or no place, or the class does not depend on the image.
        """
        look = self.served.look
        if look is None:
            raise Refusal(
                *(422, "model", f"{self.served.name}, run by {self.served.runtime}"),
                "a Keras model with feature maps",
                "Serve the run, or its .keras file.",
            )
        classes = len(self.served.class_names)
        if label is not None and not 0 <= label < classes:
            raise Refusal(
                422, "label", str(label), f"0 to {classes - 1}", "See class_names of GET /model."
            )
        with self.worker.room(1):
            async with self._looking:
                image = await self.in_thread(self._read, *upload)
                try:
                    return await self.in_thread(look, image.values, label)
                except OutOfMemoryError:
                    raise
                except ValueError as error:
                    raise Refusal(
                        *(422, "image", f"one that cannot be explained ({error})"),
                        "one on which the score of the class depends",
                        "Send another.",
                    ) from error

    async def outputs(self, given: Sequence[Given]) -> np.ndarray:
        """Return the outputs of the model as they are, a row for each image.

        Raises:
            Refusal: as in `classify`.
        """
        rows, _ = await self._answers(given)
        return rows

    async def in_thread(self, function: Any, *arguments: Any) -> Any:
        """Return what a function returns that takes a while."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, function, *arguments)

    async def _answers(self, given: Sequence[Given]) -> tuple[np.ndarray, list[str]]:
        if not 1 <= len(given) <= self.limits.images:
            raise Refusal(
                *(413 if given else 422, "images", f"{len(given)} images"),
                f"1 to {self.limits.images} in a request",
                "Send several requests." if given else "Send one.",
            )
        with self.worker.room(len(given)) as room:
            tasks = [asyncio.ensure_future(self._answer(one, room)) for one in given]
            try:
                found = await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
        return np.stack([row for row, _ in found]), [line for _, lines in found for line in lines]

    async def _answer(self, given: Given, room: Room) -> tuple[np.ndarray, tuple[str, ...]]:
        if None not in self.served.shape:
            return await self._classified(given, room)
        # The model takes any size: an image stays as large as it is until it is classified.
        if isinstance(given, tuple):
            pixels = await self.in_thread(self._pixels, *given)
        else:
            pixels = math.prod(given.shape[:2])
        async with self._space.of(pixels):
            return await self._classified(given, room)

    async def _classified(self, given: Given, room: Room) -> tuple[np.ndarray, tuple[str, ...]]:
        if isinstance(given, tuple):
            image = await self.in_thread(self._read, *given)
        else:
            image = Image(given)
        try:
            row = await asyncio.wrap_future(room.submit(image.values))
        except ValueError as error:  # a runtime refuses an image of this size
            raise Refusal(
                *(422, "image", f"one that the model cannot take ({error})", "another"),
                "Send a larger image, or a smaller one.",
            ) from error
        if not np.isfinite(row).all():
            raise Refusal(
                *(422, "image", "one for which the model outputs NaN or infinity"),
                "numbers of the size that it was trained on",
                "Prepare it as GET /model says.",
            )
        return row, image.doubts

    def _pixels(self, name: str, contents: bytes) -> int:
        """Return how many pixels an image file says that it has; refuse too many."""
        try:
            rows, cols = image_contents.size_of(contents)
        except RefusedImageError as error:
            raise _refusal(name, contents, error, self.limits.max_pixels) from error
        if rows * cols > self.limits.max_pixels:
            size = f"an image {cols:,} pixels wide and {rows:,} high"
            raise _too_large(name, size, self.limits.max_pixels)
        return rows * cols

    def _read(self, name: str, contents: bytes) -> Image:
        self._pixels(name, contents)
        try:
            return self.served.prepare(name, contents)
        except ValueError as error:  # it cannot be read, or its pixels cannot be used
            raise Refusal(
                *(422, name, f"an image that cannot be read ({_after(name, error)})"),
                "a whole one",
                "Open it in a viewer and save it again.",
            ) from error
        except (MemoryError, tf.errors.ResourceExhaustedError) as error:
            raise Refusal(
                *(503, name, f"an image for which the memory is too small ({memory.words(error)})"),
                "less at once",
                "Send it again later, or smaller.",
                {"Retry-After": "5"},
            ) from error


def _after(name: str, error: Exception) -> str:
    """Return what an error says, without the name that it begins with."""
    return str(error).removeprefix(f"{name}: ")


def _too_large(name: str, size: str, most: int) -> Refusal:
    return Refusal(413, name, size, f"at most {most:,} pixels", "Make it smaller.")


def _refusal(name: str, contents: bytes, error: RefusedImageError, most: int) -> Refusal:
    """Return the answer to what is not decoded."""
    if isinstance(error, TooLargeError):
        size = f"an image {error.size}"
        if error.pixels > most:  # of the limits, the server's own is the one to know
            return _too_large(name, size, most)
        return Refusal(413, name, size, error.expected, "Crop it.")
    if isinstance(error.__cause__, NotReadError):
        kind = kinds.kind_of(contents)
        received = (
            f"{kind} ({error.reason})"
            if kind
            else "a file that is no image"
            if contents
            else "an empty file"
        )
        return Refusal(415, name, received, f"a {kinds.KINDS}", "Convert it to JPEG or PNG.")
    return Refusal(
        *(422, name, f"an image that is damaged or cut off ({decoding.reason(error)})"),
        "a whole one",
        "Open it in a viewer and save it again.",
    )
