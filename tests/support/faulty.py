"""A reader of files that goes wrong on request, to test what looks for such readers."""

from __future__ import annotations

import os

from striate.errors import DataError


def act(how: str, data: bytes) -> object:
    """Return the same for every file; for one that ends in ``x`` do what ``how`` names before."""
    if not data.endswith(b"x"):
        return 0
    if how == "traceback":
        raise KeyError("key")
    if how == "memory":
        bytearray(4 << 30)
    if how == "hang":
        while True:
            pass
    if how == "crash":
        os.abort()
    if how == "refused":
        raise DataError("file: must be good; got another. Replace it.")
    if how == "message":
        raise EscapingError("a\x1b[2Jb")
    return 1


class EscapingError(DataError):
    """An error whose text reaches the terminal as it is."""

    def __str__(self) -> str:
        return str(self.args[0])
