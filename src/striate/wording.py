"""Numbers and times as text."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence


def percent(share: float) -> str:
    """Return a share in per cent.

    Examples
    --------
    >>> percent(0.9893)
    '98.93 %'
    """
    return f"{100 * share:.2f} %"


def duration(seconds: float) -> str:
    """Return a time in seconds, minutes or hours.

    Examples
    --------
    >>> duration(4.25), duration(200), duration(7300), duration(float("nan"))
    ('4.2 s', '3 min 20 s', '2 h 1 min', '?')
    """
    if not math.isfinite(seconds):
        return "?"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def speed(per_second: float, sample_shape: Sequence[int]) -> str:
    """Return how many samples a second were trained on: images have channels, rows and columns.

    Examples
    --------
    >>> speed(51234.5, (1, 28, 28)), speed(800, (13,))
    ('51,234 images/s', '800 samples/s')
    """
    return f"{per_second:,.0f} {'images' if len(sample_shape) == 3 else 'samples'}/s"


def shell_command(*words: object) -> str:
    """Return a command that can be copied into a shell: words with blanks stand in quotes.

    Examples
    --------
    >>> shell_command("resume", "runs/my run")
    "striate resume 'runs/my run'"
    """
    return shlex.join(["striate", *map(str, words)])


def counted(number: int, noun: str) -> str:
    """Return a number with a noun in the singular or plural.

    Examples
    --------
    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{number:,} {noun}{'s' * (number != 1)}"


def plain(value: float, digits: int = 4) -> str:
    """Return a number with so many digits, or with all of its whole ones where it has more.

    Examples
    --------
    >>> plain(0.0123456), plain(3206000.0), plain(-87123.4, 3), plain(1e40)
    ('0.01235', '3206000', '-87123', '1e+40')
    """
    return f"{value:.0f}" if 10**digits <= abs(value) < 1e15 else f"{value:.{digits}g}"
