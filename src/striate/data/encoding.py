"""Bytes of text files as text."""

from __future__ import annotations


def text_of(line: bytes) -> str:
    """Return a line or cell as text; bytes that are not UTF-8 are read as Windows-1252."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")
