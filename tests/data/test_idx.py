from __future__ import annotations

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from striate.data import idx
from striate.data.idx import read_idx
from striate.errors import DataError


def encode(array: np.ndarray, claimed: tuple[int, ...] | None = None) -> bytes:
    """The IDX form of an array, whose header may claim another shape."""
    code = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}[array.dtype.str[1:]]
    shape = array.shape if claimed is None else claimed
    header = struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


@given(
    st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8"]).flatmap(
        lambda kind: hnp.arrays(kind, hnp.array_shapes(max_dims=4, max_side=5))
    ),
    st.booleans(),
)
def test_every_type_comes_back_plain_and_compressed(tmp_path_factory, array, compressed):
    path = tmp_path_factory.mktemp("idx") / "array"
    content = encode(array)
    path.write_bytes(gzip.compress(content, mtime=0) if compressed else content)
    got = read_idx(path)
    assert got.dtype == array.dtype
    assert got.tobytes() == array.tobytes()
    assert got.shape == array.shape


def test_compression_is_told_by_content_not_by_name(tmp_path):
    (tmp_path / "images.gz").write_bytes(encode(IMAGES))
    assert np.array_equal(read_idx(tmp_path / "images.gz"), IMAGES)


def test_a_missing_file_and_a_folder_are_errors(tmp_path):
    with pytest.raises(DataError, match=r"absent: cannot be read .No such file"):
        read_idx(tmp_path / "absent")
    with pytest.raises(DataError, match=r"cannot be read .Is a directory"):
        read_idx(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "starts with a header of 4 bytes; got 0"),
        (b"\0\0\x08", "starts with a header of 4 bytes; got 3"),
        (b"<!DOCTYPE html><html>", "not an IDX file; its first bytes are 3c 21 44 4f"),
        (b"\0\0\x0a\x01\0\0\0\1x", "not an IDX file"),
        (b"\0\0\x08\x00", "not an IDX file"),
        (b"\0\0\x08\x03\0\0\0\1", "ends inside its header"),
        (encode(IMAGES)[:-1], "header claims 2 x 3 x 4 elements, 24 bytes; the file holds 23"),
        (encode(IMAGES) + b"x", "header claims 2 x 3 x 4 elements, 24 bytes; the file holds 25"),
        (encode(IMAGES[0, 0]), "images have 3 dimensions; this file has 1, as labels have"),
        (encode(IMAGES[0]), "images have 3 dimensions; this file has 2, as arrays have"),
        (gzip.compress(encode(IMAGES), mtime=0)[:-12], "gzip stream ends too early, the file is truncated"),
        (gzip.compress(encode(IMAGES)[:-1], mtime=0), "the file holds 23"),
        (gzip.compress(encode(IMAGES) + b"xyz", mtime=0), "the file holds more"),
        (gzip.compress(encode(IMAGES), mtime=0)[:-8] + b"\0" * 8, "gzip stream is damaged .CRC"),
        (gzip.compress(encode(IMAGES), mtime=0) + b"trailing", "gzip stream is damaged"),
        (b"\x1f\x8b" + b"\xff" * 30, "gzip stream is damaged"),
    ],
)
def test_a_hostile_file_is_one_line_that_names_it(tmp_path, content, message):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path, ndim=3)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("claimed", [(2**31, 28, 28), (2**32 - 1,) * 3, (200_000, 28, 28)])
def test_a_lying_header_takes_no_memory(tmp_path, claimed, compress):
    path = tmp_path / "images"
    path.write_bytes(compress(encode(np.zeros(200_000, np.uint8), claimed)))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="header claims"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_what_follows_the_elements_is_not_unpacked(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(encode(IMAGES) + bytes(50_000_000), 1))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="the file holds more"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_more_than_the_memory_of_the_machine_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(encode(np.zeros((100, 100), np.uint8))))
    monkeypatch.setattr(idx, "available_memory", lambda: 9999)
    with pytest.raises(DataError, match="100 x 100 elements need 10,000 bytes; this machine has 9,999"):
        read_idx(path)
