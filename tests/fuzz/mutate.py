"""Ways to spoil a file: its bytes, the numbers written in it, the values of a tree, the lines of a text."""

from __future__ import annotations

import copy
import re
import struct
from random import Random
from typing import Any

NUMBERS = (
    *(b"0", b"-1", b"1", b"2", b"7", b"255", b"65536", b"2147483647", b"4294967296", b"9223372036854775807"),
    *(b"18446744073709551616", b"1e999", b"-1e-320", b"0.5", b"nan", b"9" * 400, b"1_000", "\u0663".encode()),
)
TEXTS = (
    *(
        "",
        " ",
        "same",
        "mean",
        "0",
        "none",
        "adam",
        "cosine",
        "lenet5",
        "input",
        "../../etc/passwd",
        "%s%n",
        "\x1b[2J",
    ),
    *("\x00", "\r\n", "\ud800", "\u202e", "__import__('os')", "a" * 3000, "\u00e9", '"', "'", "{}", "[]"),
)
ODD = (
    *(None, True, False, 0, -1, 1, 2, 3, 1000, 2**31, 2**40, 2**63 - 1, 2**64, 10**30, 0.5, -0.0, 1e-320, 1e308),
    *(
        float("nan"),
        float("inf"),
        [],
        {},
        [1, 2],
        [2] * 40,
        [[1, 2], [3]],
        {"a": 1},
        {"type": "ReLU"},
        ["input", "input"],
    ),
    *TEXTS,
)


def spoil_bytes(data: bytes, rng: Random) -> bytes:
    """Return ``data`` with one to four changes of its bytes."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(BYTE_CHANGES)(data, rng)
    return data


def _flip_bit(data: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(data) or 1)
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :] if data else data


def _set_byte(data: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(data) or 1)
    return data[:at] + bytes([rng.choice((0, 1, 127, 128, 255, 10, 44))]) + data[at + 1 :]


def _set_whole_number(data: bytes, rng: Random) -> bytes:
    """Write an extreme number of 2, 4 or 8 bytes somewhere, most often near the beginning, where headers are."""
    code = rng.choice("hHiIqQ")
    size, signed = struct.calcsize(f"<{code}"), code.islower()
    bits = 8 * size - signed
    value = rng.choice((0, 1, 2, 2**bits - 1, 2 ** (bits - 1), 2**bits // 3, -1 if signed else 5))
    at = rng.randrange(max(1, min(len(data), rng.choice((16, 64, 4096)))))
    return data[:at] + struct.pack(rng.choice("<>") + code, value) + data[at + size :]


def _truncate(data: bytes, rng: Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _cut_out(data: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.randrange(1, 40) :]


def _double(data: bytes, rng: Random) -> bytes:
    at, length = rng.randrange(len(data) + 1), rng.randrange(1, 200)
    return data[: at + length] + data[at : at + length] * rng.choice((1, 2, 50)) + data[at + length :]


def _insert(data: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice((b"\0", b"\n", b",", b'"', b"[", b"{", b"\xff\xfe", rng.randbytes(8))) + data[at:]


def _write_number(data: bytes, rng: Random) -> bytes:
    """Replace a number that is written in digits."""
    found = [match.span() for match in re.finditer(rb"-?\d+(?:\.\d+)?", data[:100_000])]
    if not found:
        return _flip_bit(data, rng)
    start, end = rng.choice(found)
    return data[:start] + rng.choice(NUMBERS) + data[end:]


BYTE_CHANGES = (
    *(_flip_bit, _flip_bit, _set_byte, _set_whole_number, _set_whole_number, _truncate, _cut_out, _double, _insert),
    *(_write_number, _write_number),
)


def spoil_tree(tree: Any, rng: Random) -> Any:
    """Return a copy of JSON values with something replaced, left out, added or doubled."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        *way, last = rng.choice([path for path in places(tree) if path] or [("a",)])
        holder = tree
        for key in way:
            holder = holder[key]
        how = rng.random()
        if how < 0.15 and last in _keys(holder):
            del holder[last]
        elif how < 0.3 and isinstance(holder, list):
            holder.insert(rng.randrange(len(holder) + 1), copy.deepcopy(rng.choice(holder)))
        elif how < 0.35 and isinstance(holder, dict):
            holder[rng.choice(TEXTS)] = copy.deepcopy(rng.choice(ODD))
        elif how < 0.5:
            holder[last] = copy.deepcopy(_at(tree, rng.choice(places(tree))))
        else:
            holder[last] = copy.deepcopy(rng.choice(ODD))
        if not isinstance(tree, dict | list) or not tree:
            break
    return tree


def _keys(holder: Any) -> Any:
    return holder if isinstance(holder, dict) else range(len(holder))


def _at(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def places(item: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to everything in a tree."""
    below = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    return [path, *(found for key, value in below for found in places(value, (*path, key)))]


LITERALS = (
    *(
        "0",
        "-1",
        "3",
        "1e999",
        "nan",
        "-inf",
        "99999999999999999999999",
        "true",
        '"adam"',
        '"none"',
        '""',
        "[]",
        "{}",
    ),
    *(
        "[1, 2]",
        '"\\u0000"',
        "{ name = 3 }",
        '["a", 1]',
        "2020-01-01",
        '"' + "x" * 3000 + '"',
        "0.5",
        "9223372036854775807",
    ),
)


def spoil_settings(text: str, rng: Random) -> str:
    """Return lines of ``key = value`` of which one was changed, left out, doubled or moved."""
    lines = text.splitlines()
    at = rng.randrange(len(lines))
    key, equals, _ = lines[at].partition(" = ")
    how = rng.random()
    if equals and how < 0.7:
        lines[at] = f"{key} = {rng.choice(LITERALS)}"
    elif how < 0.8:
        lines.insert(at, rng.choice(lines))
    elif how < 0.9:
        del lines[at]
    else:
        lines.insert(at, f"{rng.choice(('seed', 'size', 'odd', 'model', 'threads'))} = {rng.choice(LITERALS)}")
    return "\n".join(lines) + "\n"


CELLS = (
    *(
        "",
        " ",
        "1_000",
        "\u0663",
        "nan",
        "inf",
        "1e999",
        "-1e-320",
        "0x10",
        "1,5",
        '"',
        '"a,b"',
        '"a\nb"',
        "NULL",
        "#",
    ),
    *("9" * 400, "true", "2020-01-01", "\x00", "\ufeff", "=1+1", "a;b", "a\tb", "\u00e9"),
)


def spoil_table(text: str, rng: Random) -> str:
    """Return lines of cells of which one cell, line or column was changed."""
    rows = [line.split(",") for line in text.splitlines()]
    row = rng.randrange(len(rows))
    column = rng.randrange(len(rows[row]))
    how = rng.random()
    if how < 0.6:
        rows[row][column] = rng.choice(CELLS)
    elif how < 0.7:
        rows.insert(row, [rng.choice(CELLS)])
    elif how < 0.8:
        del rows[row][column]
    elif how < 0.9:
        for cells in rows[1:]:
            cells[column % len(cells)] = rng.choice(CELLS)
    else:
        rows[row] *= 300
    return rng.choice(("\n", "\r\n", "\n\n")).join(map(",".join, rows)) + rng.choice(("\n", "", "\n\n"))
