"""Object files in one archive, which linkers take what they need from (the format of GNU ar)."""

from __future__ import annotations

import struct

MAGIC = b"!<arch>\n"


def archive(members: list[tuple[str, bytes, list[str]]]) -> bytes:
    """Return an archive of files, each with its name, contents, and the symbols that linkers find in it.

    References
    ----------
    System V Application Binary Interface, 4.1 edition, "Archive file".
    """
    symbols = [symbol for _, _, own in members for symbol in own]
    texts = b"".join(symbol.encode() + b"\0" for symbol in symbols)
    index_size = 4 + 4 * len(symbols) + len(texts)
    at, places, bodies = len(MAGIC) + len(_member("/", bytes(index_size))), [], b""
    for name, contents, own in members:
        places += [at + len(bodies)] * len(own)
        bodies += _member(f"{name}/", contents)
    index = struct.pack(f">{len(symbols) + 1}I", len(symbols), *places) + texts
    return MAGIC + _member("/", index) + bodies


def _member(name: str, contents: bytes) -> bytes:
    heading = f"{name:<16}{0:<12}{0:<6}{0:<6}{'644':<8}{len(contents):<10}`\n".encode()
    return heading + contents + b"\n" * (len(contents) % 2)
