from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from striate.data import cifar
from striate.data.cifar import CLASSES, RECORD_BYTES, TEST_FILES, TRAIN_FILES, cifar10
from striate.errors import DataError

from .servers import serve


def batches(count: int = 40) -> dict[str, bytes]:
    """Six small files in the binary format."""
    rng = np.random.default_rng(0)
    files = {}
    for name in TRAIN_FILES + TEST_FILES:
        records = rng.integers(0, 256, (count, RECORD_BYTES), np.uint8)
        records[:, 0] = np.arange(count) % 10
        files[name] = records.tobytes()
    return files


def write(folder, files: dict[str, bytes]):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_records_are_a_label_and_three_planes(tmp_path):
    files = batches()
    splits = cifar10(write(tmp_path, files), validation_fraction=0)
    assert splits.train.inputs.shape == (200, 3, 32, 32)
    assert splits.train.classes == CLASSES
    record = np.frombuffer(files["data_batch_2.bin"], np.uint8)[:RECORD_BYTES]
    assert splits.train.targets[40] == record[0]
    assert np.array_equal(splits.train.inputs[40].ravel(), record[1:])
    assert len(splits.test) == 40


def test_unpacked_and_packed_are_the_same(tmp_path):
    files = batches()
    unpacked = cifar10(write(tmp_path / "a" / "cifar-10-batches-bin", files).parent, seed=5)
    packed = cifar10(write(tmp_path / "b", {cifar.ARCHIVE.name: archive(files)}), seed=5)
    assert np.array_equal(unpacked.validation.inputs, packed.validation.inputs)


def test_arrays_that_others_made_of_it(shared_data):
    splits = cifar10(shared_data / "cifar10")
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [9000, 1000, 1000]
    assert splits.test.classes == CLASSES


def test_downloaded_once(tmp_path, monkeypatch):
    content = archive(batches())
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path))
    with serve({cifar.ARCHIVE.name: content}) as (url, _):
        checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
        remote = replace(cifar.ARCHIVE, checksum=checksum, urls=(url + cifar.ARCHIVE.name,))
        monkeypatch.setattr(cifar, "ARCHIVE", remote)
        first = cifar10()
    assert np.array_equal(first.test.inputs, cifar10().test.inputs)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "neither cifar-10-binary.tar.gz nor data_batch_1.bin is there"),
        ({"cifar-10-python.tar.gz": b""}, "pickled, and reading it could run code"),
        ({cifar.ARCHIVE.name: b"no archive"}, "the archive is damaged"),
        ({cifar.ARCHIVE.name: archive(batches())[:5000]}, "the archive is damaged"),
        ({cifar.ARCHIVE.name: archive({"data_batch_1.bin": b""})}, "data_batch_2.bin is missing"),
        ({"test_batch.bin": b""}, r"data_batch_1.bin: cannot be read .No such file"),
        (batches() | {"test_batch.bin": b"x" * 3074}, "records of 3,073 bytes; got 3,074"),
        (batches() | {"test_batch.bin": b""}, "got 0 bytes"),
        (batches() | {"data_batch_3.bin": b"\x0a" * RECORD_BYTES}, "labels must be 0 to 9; got 10"),
    ],
)
def test_bad_folders(tmp_path, files, message):
    with pytest.raises(DataError, match=message):
        cifar10(write(tmp_path, files))


def test_arrays_of_something_else(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 3, 32, 32), np.uint8), y=[0, 1, 0, 1])
    with pytest.raises(DataError, match="CIFAR-10 as arrays needs x_train"):
        cifar10(tmp_path)
