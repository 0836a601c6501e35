"""One thread that runs a model on the images of several requests together."""

from __future__ import annotations

import collections
import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import numpy as np

from keras_convnets.shipping.serve.refusals import Refusal

Run = Callable[[np.ndarray], np.ndarray]
_PATIENCE = 0.005  # seconds that a batch waits for images that are being decoded
_RECENT = 0.1  # the weight of the last batch in the time of an image


class Worker:
    """Runs a model on images in the order in which they come, up to a number at once.

    A batch never waits for images that may come: only, and a few milliseconds, for those that have
    come and are being decoded. So a single request loses no time.

    Args:
        run: a function from a batch to the outputs, a row for each image.
        batch_size: the images of a batch.
        places: the images that may be on their way.
    """

    def __init__(self, run: Run, batch_size: int, places: int) -> None:
        self._run, self._size, self._places = run, batch_size, places
        self._changed = threading.Condition()
        self._ready: collections.deque[tuple[np.ndarray, Future[np.ndarray]]] = collections.deque()
        self._taken = self._given = 0  # images that have a place, and those of them that came
        self._seconds = 0.0  # an image, lately
        self._ends = False
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self.images = self.batches = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Classify what is there, and end."""
        with self._changed:
            self._ends = True
            self._changed.notify_all()
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """The images that have a place."""
        return self._taken

    @contextlib.contextmanager
    def room(self, images: int) -> Iterator[Room]:
        """Keep places for images as long as the context lasts.

        Raises:
            Refusal: there are too few places.
        """
        with self._changed:
            if self._taken + images > self._places:
                seconds = max(1, math.ceil(self._taken * self._seconds))
                raise Refusal(
                    *(503, "queue", f"{images} images while {self._taken} wait"),
                    f"at most {self._places} together",
                    f"Send them again in {seconds} s.",
                    {"Retry-After": str(seconds)},
                )
            self._taken += images
        room = Room(self._submit)
        try:
            yield room
        finally:
            with self._changed:
                self._taken -= images
                self._given -= room.given
                self._changed.notify_all()

    def _submit(self, image: np.ndarray) -> Future[np.ndarray]:
        future: Future[np.ndarray] = Future()
        with self._changed:
            self._ready.append((image, future))
            self._given += 1
            self._changed.notify_all()
        return future

    def _work(self) -> None:
        while batch := self._next():
            batch = [item for item in batch if item[1].set_running_or_notify_cancel()]
            shapes = dict.fromkeys(image.shape for image, _ in batch)
            for shape in shapes:  # of a file that prepares images itself, they have any
                self._answer([item for item in batch if item[0].shape == shape])

    def _next(self) -> list[tuple[np.ndarray, Future[np.ndarray]]]:
        """Return the next batch; an empty one at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._ends)
            self._changed.wait_for(self._is_full, _PATIENCE)
            return [self._ready.popleft() for _ in range(min(len(self._ready), self._size))]

    def _is_full(self) -> bool:
        return len(self._ready) >= self._size or self._given >= self._taken or self._ends

    def _answer(self, batch: list[tuple[np.ndarray, Future[np.ndarray]]]) -> None:
        began = time.monotonic()
        try:
            found = self._run(np.stack([image for image, _ in batch]))
        except Exception as error:
            if len(batch) > 1:  # one image must not spoil the answers of others
                for item in batch:
                    self._answer([item])
            else:
                batch[0][1].set_exception(error)
            return
        seconds = (time.monotonic() - began) / len(batch)
        self._seconds += (seconds - self._seconds) * (_RECENT if self._seconds else 1)
        self.images, self.batches = self.images + len(batch), self.batches + 1
        for (_, future), row in zip(batch, found, strict=True):
            future.set_result(row)


class Room:
    """Places for some images.

    Attributes:
        given: the images that have come.
    """

    def __init__(self, submit: Callable[[np.ndarray], Future[np.ndarray]]) -> None:
        self._submit, self.given = submit, 0

    def submit(self, image: np.ndarray) -> Future[np.ndarray]:
        """Give an image to the model, and return the future of its row of outputs."""
        self.given += 1
        return self._submit(image)
