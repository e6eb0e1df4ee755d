"""Lines of text from table files: compressed or not, in the usual encodings."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from striate.data.encoding import text_of
from striate.data.problems import printable, why
from striate.errors import DataError

PLAIN_SUFFIXES = (".csv", ".tsv", ".txt", ".data", ".arff")
TABLE_SUFFIXES = (*PLAIN_SUFFIXES, *(f"{suffix}.gz" for suffix in PLAIN_SUFFIXES))
COMPRESSIONS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
OTHERS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook. Unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook. Save the sheet as CSV",
    b"PAR1": "a Parquet file. Convert it to CSV",
}
ARFF_ATTRIBUTE = re.compile(r"@attribute\s+(?P<name>'[^']*'|\"[^\"]*\"|\S+)\s+(?P<type>.+)", re.IGNORECASE)
WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def is_table(path: Path) -> bool:
    """Return whether a file has the suffix of a table."""
    return path.name.lower().endswith(TABLE_SUFFIXES)


@contextmanager
def open_lines(path: Path) -> Iterator[Iterator[bytes]]:
    """Open a table as lines of UTF-8 without a byte order mark, each with its newline.

    Raises
    ------
    DataError
        If the file cannot be read, is damaged, or is of another kind.
    """
    try:
        with ExitStack() as opened:
            raw = opened.enter_context(path.open("rb", buffering=0))
            lines = _decoded(opened.enter_context(_decompressed(raw, path)), path, opened)
            yield _without_header(lines, path) if ".arff" in path.suffixes else lines
    except (OSError, EOFError, lzma.LZMAError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{printable(path)}: cannot be read ({why(error)}). Check the file.") from error


def _without_header(lines: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """Yield an ARFF file as CSV: a line of names in the place of ``@data``, blank lines before it."""
    names = []
    for line in lines:
        text = text_of(line).strip()
        attribute = ARFF_ATTRIBUTE.match(text)
        if attribute is not None:
            names.append(attribute["name"].strip("'\""))
            if attribute["type"].lower().startswith("relational"):
                raise DataError(
                    f"{printable(path)}: relational attributes are not read. Use the .ts file of the set."
                )
        if text.lower() == "@data":
            yield ",".join(f'"{name}"' for name in names).encode() + b"\n"
            break
        yield b"\n"
    for line in lines:
        if line.startswith(b"{"):
            raise DataError(f"{printable(path)}: sparse ARFF is not read. Convert it to CSV.")
        yield b"\n" if line.startswith(b"%") else line


def _decompressed(raw: Any, path: Path) -> io.BufferedReader:
    start = raw.read(8)
    raw.seek(0)
    for mark, what in OTHERS.items():
        if start.startswith(mark):
            raise DataError(f"{printable(path)}: a table must be text; got {what}.")
    for mark, opened in COMPRESSIONS.items():
        if start.startswith(mark):
            return io.BufferedReader(opened(raw))
    return io.BufferedReader(raw)


def _decoded(stream: io.BufferedReader, path: Path, opened: ExitStack) -> Iterator[bytes]:
    start = stream.peek(4096)[:4096]
    if start.startswith(WIDE_MARKS):
        text = opened.enter_context(io.TextIOWrapper(stream, "utf-16", newline="\n"))
        return (line.encode() for line in text)
    if b"\0" in start:
        raise DataError(
            f"{printable(path)}: a table must be text; got zero bytes (a binary file, or UTF-16 without its mark). "
            "Save it as CSV in UTF-8."
        )
    if start.startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
    if b"\r" in start and b"\n" not in start:
        text = opened.enter_context(io.TextIOWrapper(stream, "utf-8", "replace", None))
        return (line.encode() for line in text)
    return iter(stream)
