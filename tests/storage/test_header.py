"""Every bound of a header holds up to its last value, and not one further."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from striate.errors import ModelFileError
from striate.storage.header import Entry, parse_content, parse_entries, too_large

PATH = Path("m.safetensors")


def entry(*shape: int, end: int = 0, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [0, end]}


def test_the_bytes_of_a_header() -> None:
    assert too_large(b" " * 2**24) is None
    assert too_large(b" " * (2**24 + 1)) == "16,777,217 bytes, of at most 16,777,216"


@pytest.mark.parametrize("mark", [b",", b"[", b"{"])
def test_the_values_of_a_header(mark: bytes) -> None:
    assert too_large(mark * 500_000) is None
    assert too_large(mark * 500_001) == "500,001 values, of at most 500,000"


def test_the_number_of_tensors() -> None:
    fields = {str(number): entry(0) for number in range(50_001)}
    with pytest.raises(ModelFileError, match=r"has 50,001 tensors, of at most 50,000\."):
        parse_entries(PATH, fields, 0)
    del fields["0"]
    assert len(parse_entries(PATH, fields, 0)) == 50_000


def test_the_axes_and_sizes_of_a_tensor() -> None:
    largest = 2**63 - 1
    fields = {"axes": entry(1, 1, 1, 1, 1, 1, 1, 0), "size": entry(largest, 0)}
    assert parse_entries(PATH, fields, 0)["size"] == Entry("F32", (largest, 0), 0, 0)
    for name, damaged in (("axes", entry(*(1,) * 8, 0)), ("size", entry(largest + 1, 0)), ("less", entry(-1, 0))):
        with pytest.raises(ModelFileError, match=f"the header's entry for {name!r} is damaged"):
            parse_entries(PATH, {name: damaged}, 0)


def test_the_digits_of_a_whole_number() -> None:
    for digits, sign in ((20, ""), (19, "-")):
        text = f'{{"format": 1, "seed": {sign}{"9" * digits}}}'
        assert parse_content(PATH, text, [1])["seed"] == int(f"{sign}{'9' * digits}")
        with pytest.raises(ModelFileError, match="its description is damaged"):
            parse_content(PATH, text.replace("9", "99", 1), [1])


@pytest.mark.parametrize(("dtype", "size"), [("F32", 4), ("F64", 8), ("I64", 8), ("I32", 4), ("I8", 1)])
def test_the_bytes_of_a_tensor(dtype: str, size: int) -> None:
    assert parse_entries(PATH, {"x": entry(2, 3, end=6 * size, dtype=dtype)}, 6 * size)["x"].end == 6 * size
    for end in (6 * size - 1, 6 * size + 1):
        with pytest.raises(ModelFileError, match="the header's entry for 'x' is damaged"):
            parse_entries(PATH, {"x": entry(2, 3, end=end, dtype=dtype)}, end)
