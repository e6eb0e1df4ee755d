from __future__ import annotations

import json
import os
import pickle
import random
import struct

import numpy as np
import pytest
import safetensors.numpy

from striate.errors import ModelFileError
from striate.storage import container, header

TENSORS = {
    "b": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a": np.array([1, 2], np.int64),
    "empty": np.zeros((0, 4), np.float32),
    "c": np.ones((), np.float64),
}
CONTENT = {"kind": "model", "text": "größe", "number": 0.1, "list": [1, None, True]}


@pytest.fixture
def path(tmp_path):
    return container.write(tmp_path / "file.safetensors", CONTENT, TENSORS)


def tensors_of(path):
    with container.reading(path) as read:
        return read.tensors()


def parts(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def assemble(path, header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_what_is_written_is_read(path):
    with container.reading(path) as read:
        assert {key: read.content[key] for key in CONTENT} == CONTENT
        tensors = read.tensors()
    assert set(tensors) == set(TENSORS)
    for name, array in TENSORS.items():
        assert tensors[name].dtype == array.dtype
        assert np.array_equal(tensors[name], array)


def test_other_programs_can_read_the_tensors(path):
    tensors = safetensors.numpy.load_file(path)
    assert np.array_equal(tensors["b"], TENSORS["b"])


def test_same_content_same_bytes(path, tmp_path):
    other = container.write(tmp_path / "other", dict(reversed(CONTENT.items())), dict(reversed(TENSORS.items())))
    assert other.read_bytes() == path.read_bytes()


def test_tensors_may_be_described_in_any_order(path):
    header, data = parts(path)
    for backwards in (False, True):
        assemble(path, dict(sorted(header.items(), reverse=backwards)), data)
        for name, array in tensors_of(path).items():
            assert np.array_equal(array, TENSORS[name])


@pytest.mark.parametrize(
    ("dtype", "version"), [(np.float32, 1), (np.float64, 1), (np.int64, 1), (np.int8, 2), (np.int32, 2)]
)
def test_files_of_small_integers_have_another_format(path, dtype, version):
    container.write(path, CONTENT, {**TENSORS, "more": np.ones(3, dtype)})
    with container.reading(path) as read:
        assert read.content["format"] == version


def test_every_flipped_bit_is_found(path):
    data = bytearray(path.read_bytes())
    rng = random.Random(0)
    for place in range(len(data)):
        bit = 1 << rng.randrange(8)
        data[place] ^= bit
        path.write_bytes(data)
        with pytest.raises(ModelFileError):
            tensors_of(path)
        data[place] ^= bit


def test_every_truncation_is_found(path):
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(ModelFileError):
            tensors_of(path)


def test_a_file_that_shrinks_after_its_header_was_read_is_found(path):
    container.write(path, CONTENT, {"b": np.zeros(50_000, np.float32)})
    with container.reading(path) as read:
        os.truncate(path, path.stat().st_size - 8)
        with pytest.raises(ModelFileError, match="is truncated; it ends before its tensors do"):
            read.tensors()


def test_a_file_that_is_replaced_after_its_header_was_read_is_read_as_it_was(path):
    with container.reading(path) as read:
        container.write(path, {**CONTENT, "number": 7}, {"b": np.zeros(5, np.float32)})
        assert np.array_equal(read.tensors()["b"], TENSORS["b"])
    assert set(tensors_of(path)) == {"b"}


def foreign(path):
    safetensors.numpy.save_file({"x": np.zeros(3)}, path)


def claims_much(path):
    header, data = parts(path)
    begin = header["b"]["data_offsets"][0]
    header = {key: header[key] for key in header if key == "__metadata__" or header[key]["data_offsets"][0] < begin}
    header["b"] = {"dtype": "F32", "shape": [2**31, 2**20], "data_offsets": [begin, begin + 2**53]}
    assemble(path, header, data)


def overlaps(path):
    header, data = parts(path)
    header["b"]["data_offsets"] = [offset - 8 for offset in header["b"]["data_offsets"]]
    assemble(path, header, data)


def edit_header(**changes):
    def edit(path):
        header, data = parts(path)
        header["b"].update(changes)
        assemble(path, header, data)

    return edit


def edit_content(**changes):
    def edit(path):
        header, data = parts(path)
        header["__metadata__"]["striate"] = json.dumps({**json.loads(header["__metadata__"]["striate"]), **changes})
        assemble(path, header, data)

    return edit


def metadata(value):
    def edit(path):
        header, data = parts(path)
        header["__metadata__"] = value
        assemble(path, header, data)

    return edit


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda p: p.unlink(), r"cannot be read \(No such file or directory\)"),
        (lambda p: (p.unlink(), p.mkdir()), r"cannot be read \(Is a directory\)"),
        (lambda p: p.write_bytes(b""), "must be a .safetensors file; its first bytes"),
        (lambda p: p.write_bytes(pickle.dumps({"x": 1}) * 9), "must be a .safetensors file; its first bytes"),
        (lambda p: p.write_text("just a text of some length"), "must be a .safetensors file; its first bytes"),
        (lambda p: p.write_bytes(struct.pack("<Q", 2**24) + b"{}" * 99), "is truncated"),
        (lambda p: p.write_bytes(struct.pack("<Q", 3) + b"{}"), "is truncated"),
        (lambda p: p.write_bytes(struct.pack("<Q", 1) + b"{}"), "must be a .safetensors file; its first bytes"),
        (lambda p: assemble(p, b"{}", b""), "a .safetensors file without its description"),
        (lambda p: assemble(p, b"{}"[:1], b""), "must be a .safetensors file; its first bytes"),
        (lambda p: assemble(p, b"[" * 100_000, b""), "its header is damaged"),
        (lambda p: assemble(p, b"\xff\xfe{}", b""), "its header is damaged"),
        (lambda p: assemble(p, b"[1, 2]", b""), "its header is damaged"),
        (foreign, "a .safetensors file without its description. It comes from another program"),
        (metadata({"striate": 3}), "a .safetensors file without its description"),
        (metadata([1]), "its header is damaged"),
        (metadata({"striate": "{"}), "its description is damaged"),
        (metadata({"striate": "[1]"}), "its description is damaged"),
        (metadata({"striate": "[" * 100_000}), "its description is damaged"),
        (edit_content(format=True), "must have format 1 or 2; got 'True'"),
        (edit_content(format=3), "must have format 1 or 2; got '3'. Install the version of striate that wrote it"),
        (edit_content(number=0.2), "is damaged; its checksum does not match its contents"),
        (edit_content(sha256="0" * 64), "is damaged; its checksum does not match its contents"),
        (claims_much, "is truncated; it ends before its tensors do"),
        (edit_header(shape=[2, 4]), "the header's entry for 'b' is damaged"),
        (edit_header(shape=[-2, -3]), "the header's entry for 'b' is damaged"),
        (edit_header(shape=[True, 6]), "the header's entry for 'b' is damaged"),
        (edit_header(dtype="BF16"), "the header's entry for 'b' is damaged"),
        (edit_header(data_offsets=None), "the header's entry for 'b' is damaged"),
        (overlaps, "its tensors overlap or leave gaps"),
        (lambda p: p.write_bytes(p.read_bytes() + b"more"), "has 4 bytes after its last tensor"),
    ],
)
def test_hostile_files_are_refused_in_one_line(path, harm, message):
    harm(path)
    with pytest.raises(ModelFileError, match=message) as caught:
        tensors_of(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_claim_of_much_memory_allocates_nothing(path, monkeypatch):
    claims_much(path)
    monkeypatch.setattr(container.np, "empty", lambda *_: pytest.fail("allocated"))
    with pytest.raises(ModelFileError, match="is truncated"), container.reading(path):
        pass


def test_tensors_that_do_not_fit_into_memory_are_not_read(path, monkeypatch):
    """A file of 5 GB that takes no room on the disk: nothing but zeros."""
    size = 5 << 28
    entry = {"dtype": "F32", "shape": [size], "data_offsets": [0, 4 * size]}
    assemble(path, {"__metadata__": parts(path)[0]["__metadata__"], "b": entry}, b"")
    os.truncate(path, path.stat().st_size + 4 * size)
    monkeypatch.setattr(container, "available_memory", lambda: 3 << 30)
    monkeypatch.setattr(container.np, "empty", lambda *_: pytest.fail("allocated"))
    with pytest.raises(ModelFileError, match=r"its tensors need 5\.0 GB of memory; 3\.0 GB are free\."):
        tensors_of(path)


def test_all_the_memory_that_is_free_may_be_taken(path, monkeypatch):
    needed = sum(array.nbytes for array in TENSORS.values())
    monkeypatch.setattr(container, "available_memory", lambda: needed)
    assert set(tensors_of(path)) == set(TENSORS)
    monkeypatch.setattr(container, "available_memory", lambda: needed - 1)
    with pytest.raises(ModelFileError, match="its tensors need"):
        tensors_of(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_at_once(path):
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ModelFileError, match="must be a regular file; got a device or a pipe"):
        tensors_of(path)


@pytest.mark.skipif(os.name == "nt", reason="needs devices")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused_at_once(device):
    with pytest.raises(ModelFileError, match="must be a regular file"):
        tensors_of(device)


def with_entry(path, text):
    """Replace the shape of tensor ``b`` by ``text``."""
    header, data = parts(path)
    header["b"]["shape"] = "HERE"
    assemble(path, json.dumps(header).replace('"HERE"', text).encode(), data)


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(str([2] * 10**6), id="a million axes"),
        pytest.param("[1, 1, 1, 1, 1, 1, 1, 2, 3]", id="nine axes"),
        pytest.param(f"[{'9' * 4000}, {'9' * 4000}]", id="sizes of 4,000 digits"),
        pytest.param("[9223372036854775808, 0]", id="2 to the 63"),
        pytest.param("[6.0]", id="a float"),
        pytest.param("[1e3]", id="a power"),
        pytest.param("null", id="nothing"),
        pytest.param('"6"', id="text"),
        pytest.param('{"6": 1}', id="an object"),
    ],
)
def test_shapes_are_bounded_before_they_are_multiplied(path, shape, monkeypatch):
    with_entry(path, shape)
    monkeypatch.setattr("math.prod", lambda *_: pytest.fail("multiplied"))
    with pytest.raises(ModelFileError, match=r"header is (damaged|too large)|header's entry for 'b' is damaged"):
        tensors_of(path)


def test_a_key_comes_once(path):
    header, data = parts(path)
    text = json.dumps(header)
    assemble(path, (text[:-1] + ', "b": ' + json.dumps(header["b"]) + "}").encode(), data)
    with pytest.raises(ModelFileError, match="its header is damaged"):
        tensors_of(path)
    content = header["__metadata__"]["striate"]
    header["__metadata__"]["striate"] = content[:-1] + ', "kind": "checkpoint"}'
    assemble(path, header, data)
    with pytest.raises(ModelFileError, match="its description is damaged"):
        tensors_of(path)


def test_the_number_of_tensors_is_bounded(path):
    header, data = parts(path)
    none = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    header |= {f"t{number}": none for number in range(60_000)}
    assemble(path, header, data)
    with pytest.raises(ModelFileError, match=r"has 60,00\d tensors, of at most 50,000"):
        tensors_of(path)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (b"[" + b"1," * 600_000 + b"1]", "600,001 values, of at most 500,000"),
        (b"[" + b"[]," * 300_000 + b"1]", "600,001 values, of at most 500,000"),
        (b"[" + b"{}," * 300_000 + b"1]", "600,001 values, of at most 500,000"),
    ],
)
def test_the_values_of_a_header_are_bounded(path, text, size):
    assemble(path, text, b"")
    with pytest.raises(ModelFileError, match=rf"its header is too large \({size}\)"):
        tensors_of(path)


def test_only_the_header_is_searched_for_values(path):
    commas = {"x": np.full(600_000, ord(","), np.int8)}
    container.write(path, CONTENT, commas)
    assert np.array_equal(tensors_of(path)["x"], commas["x"])


@pytest.mark.parametrize("content", [{"text": "x" * 17_000_000}, {"list": [0] * 600_000}])
def test_what_could_not_be_read_is_not_written(path, content):
    before = path.read_bytes()
    with pytest.raises(ModelFileError, match=r"its description is too large \(.*, of at most .*\)\. Shorten"):
        container.write(path, content, {})
    assert path.read_bytes() == before


def test_what_is_written_has_the_same_limit_as_what_is_read(path):
    def write(zeros):
        container.write(path, {"list": [0] * zeros}, {"x": np.full(64, ord(","), np.int8)})
        return path.read_bytes()

    data = write(1)
    marks = sum(data[8 : 8 + struct.unpack("<Q", data[:8])[0]].count(mark) for mark in b",[{")
    most = header.VALUE_LIMIT - marks + 1
    write(most)
    assert len(tensors_of(path)["x"]) == 64
    with pytest.raises(ModelFileError, match="too large \\(500,001 values, of at most 500,000\\)"):
        write(most + 1)
