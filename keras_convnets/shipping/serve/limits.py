"""What a server accepts at most, so that no client takes its memory, its time or its places."""

from __future__ import annotations

import dataclasses

from keras_convnets import checks

_MOST_AT_ONCE = 32


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a server accepts at most.

    Attributes:
        batch_size: images that the model takes at once.
        queue: images that are decoded, wait or are classified; more are refused with 503.
        max_bytes: bytes of a request.
        max_pixels: pixels of an image.
        header_seconds: until the head of a request is complete.
        read_seconds: between two parts of a body.
        body_seconds: until a body is complete.
        answer_seconds: until an answer is complete, with a client that reads it slowly.
        stop_seconds: that requests are given to be answered when the server is stopped.
        connections: open at the same time.

    Raises:
        ValueError: one of the first four is not a positive integer, or larger than can be read.
    """

    batch_size: int = 8
    queue: int = 64
    max_bytes: int = 32 * 2**20
    max_pixels: int = 50_000_000
    header_seconds: float = 10.0
    read_seconds: float = 10.0
    body_seconds: float = 60.0
    answer_seconds: float = 120.0
    stop_seconds: int = 20
    connections: int = 512

    def __post_init__(self) -> None:
        from keras_convnets.images.contents import MOST_BYTES, MOST_PIXELS  # with TensorFlow

        checks.positive_integer("batch_size", self.batch_size, "images that fit into the memory")
        checks.positive_integer("queue", self.queue, "the images that may wait, such as 64")
        for name, most in (("max_bytes", MOST_BYTES), ("max_pixels", MOST_PIXELS)):
            value = checks.positive_integer(name, getattr(self, name), f"a number up to {most:,}")
            if value > most:
                raise ValueError(
                    f"{name}: received {value:,}; expected at most {most:,}, for no larger images "
                    "are read. Name a smaller number."
                )

    @property
    def images(self) -> int:
        """The most images of one request."""
        return min(self.queue, _MOST_AT_ONCE)

    @property
    def held(self) -> int:
        """The most bytes of all requests that are being read."""
        return 16 * self.max_bytes
