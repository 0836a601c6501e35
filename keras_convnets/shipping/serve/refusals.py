"""What is refused, as every answer says it: what was received, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):  # noqa: N818 - an answer of the server, not an error in it
    """A request that is refused.

    Args:
        status: the status code of the answer, of 400 to 599.
        what: what is wrong: an image, a field, the body.
        received: what was received.
        expected: what was expected.
        remedy: what to do, a sentence.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        what: str,
        received: str,
        expected: str,
        remedy: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{what}: received {received}; expected {expected}. {remedy}")
        self.status, self.what, self.received = status, what, received
        self.expected, self.remedy = expected, remedy
        self.headers = dict(headers or {})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON of the answer; TensorFlow Serving's clients read ``error`` of it."""
        return {
            "error": str(self),
            "status": self.status,
            "what": self.what,
            "received": self.received,
            "expected": self.expected,
            "remedy": self.remedy,
        }
