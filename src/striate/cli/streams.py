"""Output for terminals: streams that always exist, and text without control characters."""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but line breaks and tabs, changes of the writing direction, and lone surrogates."""


def printable(text: str) -> str:
    """Return text with escapes in place of what could change a terminal, such as names from files.

    Examples
    --------
    >>> printable("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    return CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def json_text(text: str) -> str:
    """Return JSON with escapes in place of what could change a terminal; it stays the same JSON."""
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def prepare_streams() -> None:
    """Open closed standard streams on the null device, and let none fail on a character it cannot show.

    A closed stream would leave its number to the first file that is opened, which then gets the messages.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            number = os.open(os.devnull, os.O_RDWR)  # the lowest free one: its own, unless a library was earlier
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
