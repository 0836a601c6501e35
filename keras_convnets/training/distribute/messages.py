"""What machines say to each other when they meet: short lines of a fixed format.

| from | line |
|---|---|
| worker | ``keras-convnets/2 hello INDEX ADDRESSES MODE NONCE`` |
| chief | ``keras-convnets/2 challenge NONCE`` |
| worker | ``keras-convnets/2 present PROOF`` |
| chief | ``keras-convnets/2 welcome PROOF`` |
| chief, when all are there | ``keras-convnets/2 go PROOF`` |
| chief, if it cannot begin | ``keras-convnets/2 refused PROOF WORDS``, or ``waited`` |

ADDRESSES is a digest of all machines' addresses; MODE says whether the machine has a secret. With
one, each PROOF is an HMAC-SHA256 of the hello, the challenge and the line itself. So it holds for
one index, one list of addresses, both nonces and one sender: no line of another connection, nor one
of the other side, passes for it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Sequence

LONGEST = 2048  # bytes of a line
_NAME = "keras-convnets/2"
_UNPROVED = "unproved"
_PROOF = rf"([0-9a-f]{{64}}|{_UNPROVED})"
_NONCE = r"[0-9a-f]{32}"
_HELLO = re.compile(rf"{_NAME} hello ([1-9][0-9]{{0,5}}) ([0-9a-f]{{64}}) (open|secret) {_NONCE}\n")
_CHALLENGE = re.compile(rf"{_NAME} challenge {_NONCE}\n")
_SIGNED = re.compile(rf"{_NAME} (present|welcome|go) {_PROOF}()\n")
_SAID = re.compile(rf"{_NAME} (refused|waited) {_PROOF} ([ -~]{{1,1600}})\n")


class NotUnderstood(Exception):  # noqa: N818 - says what has come, which is no fault of this machine
    """A line is not one of those that machines say."""


@dataclasses.dataclass(frozen=True)
class Hello:
    """How a worker introduces itself.

    Attributes:
        index: its index.
        addresses: the digest of the addresses that it was given.
        has_secret: whether it has a secret.
        line: the line itself.
    """

    index: int
    addresses: str
    has_secret: bool
    line: str

    @classmethod
    def of(cls, index: int, addresses: Sequence[str], has_secret: bool) -> Hello:
        """Return the introduction of a worker, with a new nonce."""
        mode = "secret" if has_secret else "open"
        of_all = digest(addresses)
        line = f"{_NAME} hello {index} {of_all} {mode} {secrets.token_hex(16)}\n"
        return cls(index, of_all, has_secret, line)

    @classmethod
    def read(cls, line: bytes) -> Hello:
        """Return the introduction in a line."""
        text = _text(line)
        found = _HELLO.fullmatch(text)
        if found is None:
            raise NotUnderstood
        index, addresses, mode = found.groups()
        return cls(int(index), addresses, mode == "secret", text)


def digest(addresses: Sequence[str]) -> str:
    """Return a digest of the addresses of all machines, in their order."""
    return hashlib.sha256(json.dumps(list(addresses)).encode()).hexdigest()


def challenge() -> str:
    """Return the chief's challenge to a worker, with a new nonce."""
    return f"{_NAME} challenge {secrets.token_hex(16)}\n"


def read_challenge(line: bytes) -> str:
    """Return the challenge in a line."""
    text = _text(line)
    if _CHALLENGE.fullmatch(text) is None:
        raise NotUnderstood
    return text


class Handshake:
    """The proofs of one connection.

    Args:
        secret: the secret of the run; ``None`` for a run without one, which proves nothing.
        hello: the worker's introduction.
        challenge: the chief's challenge; ``None`` before there was one, when nothing can be proved.
    """

    def __init__(self, secret: bytes | None, hello: Hello, challenge: str | None = None) -> None:
        self._secret, self._hello, self._challenge = secret, hello, challenge

    def line(self, word: str, words: str = "") -> str:
        """Return a line with its proof: ASCII, and short enough whatever the words are."""
        shown = words.encode("unicode_escape").decode()[:1600]
        return f"{_NAME} {word} {self._proof(word, shown)}{' ' * bool(shown)}{shown}\n"

    def read(self, line: bytes) -> tuple[str, str, bool]:
        """Return the first word of a line, the other words, and whether they are proved."""
        text = _text(line)
        found = _SIGNED.fullmatch(text) or _SAID.fullmatch(text)
        if found is None:
            raise NotUnderstood
        word, proof, words = found.groups()
        can_prove = self._secret is None or self._challenge is not None
        return word, words, can_prove and hmac.compare_digest(proof, self._proof(word, words))

    def _proof(self, word: str, words: str) -> str:
        if self._secret is None or self._challenge is None:
            return _UNPROVED
        signed = f"{self._hello.line}{self._challenge}{word} {words}\n"
        return hmac.new(self._secret, signed.encode(), hashlib.sha256).hexdigest()


def may_begin(received: bytes) -> bool:
    """Return whether a line of a machine may begin like this, so that more is worth waiting for."""
    start = f"{_NAME} ".encode()
    return received[: len(start)] == start[: len(received)] and len(received) <= LONGEST


def _text(line: bytes) -> str:
    """Return a line as text; other bytes than ASCII match no format."""
    return line.decode("latin-1")
