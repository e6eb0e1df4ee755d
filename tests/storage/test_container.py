from __future__ import annotations

import json
import pickle
import random
import struct

import numpy as np
import pytest
import safetensors.numpy

from striate.errors import ModelFileError
from striate.storage import container

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


def parts(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def assemble(path, header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_what_is_written_is_read(path):
    read = container.read(path)
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


def test_every_flipped_bit_is_found(path):
    data = bytearray(path.read_bytes())
    rng = random.Random(0)
    for place in range(len(data)):
        bit = 1 << rng.randrange(8)
        data[place] ^= bit
        path.write_bytes(data)
        with pytest.raises(ModelFileError):
            container.read(path).tensors()
        data[place] ^= bit


def test_every_truncation_is_found(path):
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(ModelFileError):
            container.read(path).tensors()


def test_a_file_that_shrinks_after_its_header_was_read_is_found(path):
    read = container.read(path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ModelFileError, match="is truncated; it ends before its tensors do"):
        read.tensors()
    path.unlink()
    with pytest.raises(ModelFileError, match=r"cannot be read \(No such file or directory\)"):
        read.tensors()


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
        (lambda p: assemble(p, b"[" * 100_000, b""), "its header is damaged"),
        (lambda p: assemble(p, b"\xff\xfe{}", b""), "its header is damaged"),
        (lambda p: assemble(p, b"[1, 2]", b""), "its header is damaged"),
        (foreign, "a .safetensors file without its description. It comes from another program"),
        (metadata({"striate": 3}), "a .safetensors file without its description"),
        (metadata([1]), "its header is damaged"),
        (metadata({"striate": "{"}), "its description is damaged"),
        (metadata({"striate": "[1]"}), "its description is damaged"),
        (metadata({"striate": "[" * 100_000}), "its description is damaged"),
        (edit_content(format=2), "must have format 1; got 2. Install the version of striate that wrote it"),
        (edit_content(number=0.2), "is damaged; its checksum is not that of its content"),
        (edit_content(sha256="0" * 64), "is damaged; its checksum is not that of its content"),
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
        container.read(path).tensors()
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_claim_of_much_memory_allocates_nothing(path, monkeypatch):
    claims_much(path)
    monkeypatch.setattr(container.np, "empty", lambda *_: pytest.fail("allocated"))
    with pytest.raises(ModelFileError, match="is truncated"):
        container.read(path)
