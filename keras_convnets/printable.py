"""Any text as text for people: names of files, folders, classes, models and layers are data.

A file system allows any bytes in a name but ``/`` and NUL, so a name may hold control characters
that a terminal obeys, letters that turn the text around, markup, formulas, or bytes that are no
text at all, which Python keeps as lone surrogates. Names stay as they are in data; whatever is
printed, drawn or written for people goes through one of these functions on its way out.
"""

from __future__ import annotations

import json
import re
from typing import Any

_JOINERS = "\u200c\u200d"  # invisible, but words of several scripts and many emoji need them
_BYTES = range(0xDC80, 0xDD00)  # the surrogates of bytes that are not UTF-8
# Where a spreadsheet takes what follows as a formula: at the start of a cell, and after what may
# separate or quote cells. A line that starts with # is a note.
_FORMULA = re.compile(r'(^\s*|[,;"]\s*)(?=[=+\-@])|^(?=#)')

_NUMBERS = re.compile(r"\[\n[-+.\d\s,e]*(?=\])")  # the start of a list of numbers in JSON


def printable(text: object) -> str:
    r"""Return any text as one line in which every character can be seen, encoded and drawn.

    What is not printable is shown as its escape in Python: control characters, line breaks, letters
    that change the direction of the text, and bytes that are not UTF-8. Spaces are kept.

    Examples:
        >>> import os
        >>> print(printable(os.fsdecode(b"caf\xe9.png")), printable("a\x1b[31m\nb"))
        caf\xe9.png a\x1b[31m\nb
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in _JOINERS else _escape(letter) for letter in text
    )


def _escape(letter: str) -> str:
    if ord(letter) in _BYTES:
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")


def one_line(message: object) -> str:
    r"""Return a message as one printable line; line breaks and runs of spaces become a space.

    Examples:
        >>> print(one_line("cannot read\n  'x\x1b.png'"))
        cannot read 'x\x1b.png'
    """
    return printable(" ".join(str(message).split()))


def cut(text: str, most: int) -> str:
    """Return a text, or its start where it has more than ``most`` characters.

    Examples:
        >>> cut("resnet", 6), cut("resnets", 6)
        ('resnet', 'resnet…')
    """
    return text if len(text) <= most else f"{text[:most]}…"


def cut_middle(text: str, most: int) -> str:
    """Return a text, or its start and its end where it has more than ``most`` characters.

    Examples:
        >>> cut_middle("resnet", 6), cut_middle("resnets", 6)
        ('resnet', 'res…ets')
    """
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def csv_cell(text: object) -> str:
    """Return printable text that no spreadsheet takes as a formula, and no program as a note.

    An apostrophe is put before what would be taken so.

    Examples:
        >>> print(csv_cell("=cmd|' /C calc'!A0"), csv_cell("cat"))
        '=cmd|' /C calc'!A0 cat
    """
    return _FORMULA.sub(lambda found: f"{found[0]}'", printable(text))


def to_json(value: Any) -> str:
    r"""Return JSON that any terminal shows and from which every string is read as it was.

    Letters stay letters; what is not printable is escaped as JSON has it. A list of numbers, such
    as a row of a matrix, is one line.

    Examples:
        >>> print(to_json({"犬": "caf\udce9", "sizes": [3, 4]}))
        {
          "犬": "caf\udce9",
          "sizes": [3, 4]
        }
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # There are no line breaks in strings of JSON, so none is taken for a list.
    text = _NUMBERS.sub(lambda found: " ".join(found[0].split()).replace("[ ", "["), text)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(
        letter if letter == "\n" or letter.isprintable() else json.dumps(letter)[1:-1]
        for letter in text
    )


def print_line(console: Any, text: object) -> None:
    """Print a line on a Rich console exactly as it reads: no markup, no emoji codes, no wrapping.

    Letters that the console's encoding lacks are escaped.
    """
    encoding = console.encoding
    line = printable(text).encode(encoding, "backslashreplace").decode(encoding)
    console.out(line, highlight=False)
