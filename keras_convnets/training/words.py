"""Formatting of times, sizes and shapes for plans and reports."""

from __future__ import annotations

from collections.abc import Sequence

from keras_convnets.printable import cut_middle

_MOST, _LONGEST = 10, 40  # class names in a line, and characters of each


def duration(seconds: float) -> str:
    """Format a time in its two largest units.

    Examples:
        >>> duration(42.3), duration(135), duration(3 * 3600 + 125)
        ('42 s', '2 min 15 s', '3 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {left} s"


def bytes_in_words(number: int) -> str:
    """Format a number of bytes.

    Examples:
        >>> bytes_in_words(2_400_000), bytes_in_words(1_500_000_000)
        ('2 MB', '1.5 GB')
    """
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


def left_out(skipped: Sequence[str]) -> list[str]:
    """Return lines about files that were left out: how many, and the first ones with the reason.

    Examples:
        >>> left_out(["pets/cat/notes.txt: its name is not that of an image"])
        ['1 file', '  pets/cat/notes.txt: its name is not that of an image']
    """
    count = f"{len(skipped):,} file{'' if len(skipped) == 1 else 's'}"
    more = [f"  and {len(skipped) - _MOST:,} more"] if len(skipped) > _MOST else []
    return [count, *(f"  {line}" for line in skipped[:_MOST]), *more]


def class_list(names: Sequence[str]) -> str:
    """Format class names; of many, the first ones and the last.

    Examples:
        >>> class_list(("cat", "dog"))
        "'cat', 'dog'"
        >>> class_list([str(number) for number in range(1000)])
        "'0', '1', '2', '3', '4', '5', '6', '7', … '999'"
    """
    shown = [cut_middle(repr(name), _LONGEST) for name in names[:_MOST]]
    if len(names) > _MOST:
        shown[-2:] = ["… " + cut_middle(repr(names[-1]), _LONGEST)]
    return ", ".join(shown)


def image_counts(training: int, validation: int | None, test: int) -> str:
    """Format the numbers of images; there is no validation if the test images are its images.

    Examples:
        >>> image_counts(1437, None, 360), image_counts(1293, 144, 360)
        ('1,437 training and 360 test images', '1,293 training, 144 validation and 360 test images')
    """
    first = f"{training:,} training"
    first += "" if validation is None else f", {validation:,} validation"
    return f"{first} and {test:,} test images"


def shape(image_shape: Sequence[int]) -> str:
    """Format the channels, rows and columns of images.

    Examples:
        >>> shape((3, 32, 32))
        '3 x 32 x 32'
    """
    return " x ".join(map(str, image_shape))
