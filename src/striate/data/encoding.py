"""Bytes of text files as text."""

from __future__ import annotations


def text_of(line: bytes) -> str:
    """Return a line or cell as text; bytes that are not UTF-8 are read as Windows-1252."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def text_of_file(content: bytes) -> str:
    """Return the content of a text file as text: UTF-16 if it begins with its mark, otherwise as `text_of`."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    return text_of(content.removeprefix(b"\xef\xbb\xbf"))
