"""Names that file systems allow, and texts that programs give to classes, layers and models."""

from __future__ import annotations

import os
import re
import unicodedata

from hostile_tries.forks import Fault

# Bytes that Linux allows in the name of a file or folder.
FILES = (
    b"caf\xe9", b"caf\xe8", b"\xff", b"\xff\xfe\xfd", b"\xed\xa0\x80", b"\xf0\x9f\x92", b"\xc0\xaf",
    b"\x1b[31mred", b"\x1b]0;title\x07", b"\x1b[2J\x1b[H", b"a\nb", b"\n", b"a\r\nb", b"a\tb",
    b"\x08\x08\x08", b"\x7f", "\x9b31m".encode(), "\u202egnp.x".encode(), "\u2066x\u2069".encode(),
    "a\u200bb".encode(), "\ufeffa".encode(), "a\u2028b".encode(), "\u0301a".encode(),
    "a\u0301".encode(), "\u00e1".encode(), "a\u00ad".encode(), "\U000e0041".encode(),
    "\U0001f468\u200d\U0001f469\u200d\U0001f467".encode(), "\U0001f600".encode(), "犬".encode(),
    "שלום".encode(), "مرحبا".encode(), "\ufffe".encode(), "\uffff".encode(), "\ue000".encode(),
    b"[copy]", b"[red]x", b"[bold", b"[link=file:x]y", b":smile:", b"$\\frac{$", b"$x$", b"$$",
    b"_a_", b"^x", b"a_b^c", b"=cmd|' C calc'!A0", b"=1+1", b"+1", b"-1", b"@SUM(A1)", b"a,=1+1",
    b'a","=1+1', b"\t=1+1", b" =1+1", b"'", b'"', b"`id`", b"$(id)", b";", b"|", b"&amp;", b"&",
    b"<b>", b"<script>alert(1)<", b"<!--", b"]]>", b"{{ 7*7 }}", b"{% raw %}", b"{0}", b"%s%n",
    b"\\", b"\\n", b"\\x1b", b"-rf", b"--out", b" a", b"a ", b"  ", b"~", b"~root", b"*", b"?",
    b"#a", b"a:b", b"CON", b"0", b"x" * 251, "é".encode() * 125, b"\xe9" * 251,
)  # fmt: skip
# What only programs give.
TEXTS = (
    *map(os.fsdecode, FILES), "a/b", "[/red]", "[/x]", "</script><script>alert(1)</script>", "\0",
    "=cmd|' /C calc'!A0", "x" * 3_000, "\ud800", "../../x", "</svg>",
)  # fmt: skip

_SAFE = "\u200c\u200d"


def check_seen(text: str, lines: bool = True) -> None:
    """Demand text without anything that a terminal obeys or an encoding refuses."""
    text.encode("utf-8")
    for letter in text:
        if letter == "\n" and lines:
            continue
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") and letter not in _SAFE:
            raise Fault(f"{letter!r} is in {text[:300]!r}")


def check_cells(rows: list[list[str]]) -> None:
    """Demand cells of a spreadsheet that are no formulas."""
    for cell in (cell for row in rows for cell in row):
        if re.match(r"\s*[=+\-@]", cell) and not re.fullmatch(r"-?[0-9.e+-]+", cell):
            raise Fault(f"a formula: {cell!r}")
