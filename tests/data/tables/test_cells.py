from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data.tables.cells import parse_numbers

TABLES = st.integers(1, 6).flatmap(
    lambda columns: st.lists(
        st.lists(st.integers(0, 999_999_999), min_size=columns, max_size=columns), min_size=1, max_size=20
    )
)


def text(table: list[list[object]], delimiter: str = ",", newline: str = "\n") -> bytes:
    return "".join(delimiter.join(map(str, row)) + newline for row in table).encode()


@given(TABLES, st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]))
def test_whole_numbers_of_any_length(table, delimiter, newline):
    got = parse_numbers(text(table, delimiter, newline), len(table[0]), delimiter.encode())
    assert got.tolist() == table
    assert got.dtype == (np.uint8 if np.max(table) <= 255 else np.int32)


@given(st.lists(st.lists(st.floats(allow_nan=False), min_size=3, max_size=3), min_size=1, max_size=9))
def test_other_numbers_exactly(table):
    assert parse_numbers(text(table), 3, b",").tolist() == table


@pytest.mark.parametrize("block", [b" 1, 2\n3 ,4\n", b'"1","2"\n3,4\n', b"1,2.0\n+3,4e0\n", b"0000000001,2\n3,4\n"])
def test_spaces_quotes_signs_and_leading_zeros(block):
    assert parse_numbers(block, 2, b",").tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "block",
    [
        b"1,2\n3\n",
        b"1,2\n3,4,5\n6\n",
        b"1,2,3\n4\n",
        b"1,2\n\n3,4\n",
        b"1,2\n3,\n",
        b"1,2\n3,4\nx,6\n",
        b"1,2\n3,\xff\n",
        b"1,2\n1_0,3\n",
        "1,2\n٣,3\n".encode(),
    ],
)
def test_anything_else_is_left_to_the_csv_module(block):
    assert parse_numbers(block, 2, b",") is None
