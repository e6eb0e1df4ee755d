from __future__ import annotations

import gc
import pickle

import numpy as np
import pytest
from PIL import Image

from striate.data import decoding
from striate.data.arrays import array_splits
from striate.data.folders import class_folders
from striate.data.normalisation import Normalisation
from striate.data.objects import dataset_from
from striate.data.options import Options
from striate.data.sources import load_path
from striate.data.streaming import ObjectStream, StoredStream, Stream, prefetch
from striate.data.streaming.choice import is_streamed
from striate.errors import DataError

RNG = np.random.default_rng(0)
ARRAYS = {
    "grey": RNG.integers(0, 255, (9, 5, 5), dtype=np.uint8),
    "channels last": RNG.integers(0, 255, (9, 4, 6, 3), dtype=np.uint8),
    "volumes": RNG.normal(size=(9, 5, 5, 5)),
    "small whole numbers": RNG.integers(0, 255, (9, 7)),
    "large whole numbers": RNG.integers(-5, 9999, (9, 7)),
    "truth values": RNG.random((9, 70)) > 0.5,
    "big endian": RNG.normal(size=(9, 70)).astype(">f8"),
    "signals": RNG.normal(size=(9, 40, 2)).astype(np.float32),
}


@pytest.mark.parametrize("how", ["npz", "compressed npz", "npy"])
@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_are_the_same_streamed_and_in_memory(tmp_path, monkeypatch, kind, how):
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path / "cache"))
    x, y = ARRAYS[kind], np.arange(9) % 3
    if how.endswith("npz"):
        path = tmp_path / "a.npz"
        (np.savez_compressed if how.startswith("compressed") else np.savez)(path, y=y, x=x)
    else:
        path = tmp_path
        np.save(path / "x.npy", x)
        np.save(path / "y.npy", y)
    memory, streamed = (array_splits(path, read=how)["all"] for how in ("memory", "stream"))
    assert isinstance(streamed.inputs, StoredStream)
    assert streamed.inputs.dtype == memory.inputs.dtype
    assert streamed.inputs.shape == memory.inputs.shape
    for key in (slice(None), slice(2, 7), 4, np.array([8, 0, 3, 4, 5, 0])):
        assert np.array_equal(streamed.inputs[key], memory.inputs[key])
    assert Normalisation.fit(streamed) == Normalisation.fit(memory)
    part = streamed.take(np.array([5, 1])).take(np.array([1]))
    assert np.array_equal(np.asarray(part.inputs), memory.inputs[[1]])
    assert np.array_equal(pickle.loads(pickle.dumps(part.inputs))[0], memory.inputs[1])


def test_what_cannot_be_read_row_by_row_is_read_into_memory(tmp_path):
    x, y = ARRAYS["grey"], np.arange(9) % 3
    np.savez(tmp_path / "a.npz", x=np.asfortranarray(x), y=y)
    assert isinstance(array_splits(tmp_path / "a.npz", read="stream")["all"].inputs, np.ndarray)


def test_folders_are_the_same_streamed_and_in_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path / "cache"))
    for label in "ab":
        (tmp_path / "data" / label).mkdir(parents=True)
        for n in range(10):
            pixels = np.random.default_rng(ord(label) + n).integers(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / label / f"{n}.png")
    (tmp_path / "data" / "a" / "bad.png").write_bytes(b"no picture")
    memory, streamed, again = (
        class_folders(tmp_path / "data", Options(read=how)) for how in ("memory", "stream", "stream")
    )
    for splits in (streamed, again):
        assert splits.bad_files == memory.bad_files
        for part in ("train", "validation", "test"):
            mine, other = getattr(splits, part), getattr(memory, part)
            assert isinstance(mine.inputs, Stream)
            assert np.array_equal(np.asarray(mine.inputs), other.inputs)
            assert mine.files.tolist() == other.files.tolist()


@pytest.mark.parametrize("what", ["damaged", "of another user"])
def test_a_cache_that_cannot_be_trusted_is_made_again(tmp_path, monkeypatch, what):
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path / "cache"))
    for label in "ab":
        (tmp_path / "data" / label).mkdir(parents=True)
        for n in range(4):
            Image.fromarray(RNG.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(
                tmp_path / "data" / label / f"{n}.png"
            )
    options = Options(read="stream", test_fraction=0)
    before = np.asarray(class_folders(tmp_path / "data", options, validation_fraction=0).train.inputs)
    (cached,) = (tmp_path / "cache").glob("decoded/*.rows")
    if what == "damaged":
        cached.write_bytes(bytes(len(cached.read_bytes())))
    else:
        monkeypatch.setattr("striate.data.streaming.cache.is_own", lambda status: False)
    (tmp_path / "first").hardlink_to(cached)
    again = np.asarray(class_folders(tmp_path / "data", options, validation_fraction=0).train.inputs)
    assert np.array_equal(again, before)
    assert not cached.samefile(tmp_path / "first")


@pytest.mark.parametrize("how", ["memory", "stream"])
def test_a_file_that_is_removed_after_the_folder_was_listed_is_a_bad_file(tmp_path, monkeypatch, how):
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path / "cache"))
    for label in "ab":
        (tmp_path / "data" / label).mkdir(parents=True)
        for n in range(30):
            pixels = RNG.integers(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / label / f"{n}.png")
    removed = tmp_path / "data" / "b" / "7.png"

    def scan_files(paths, scan):
        removed.unlink()
        return decoding.scan_files(paths, scan)

    monkeypatch.setattr("striate.data.folders.scan_files", scan_files)
    splits = class_folders(tmp_path / "data", Options(read=how, test_fraction=0), validation_fraction=0)
    assert len(splits.train) == 59
    assert [file.path for file in splits.bad_files] == [str(removed)]


def test_a_file_that_becomes_shorter_is_an_error(tmp_path):
    np.savez(tmp_path / "a.npz", y=np.arange(9) % 3, x=ARRAYS["grey"])
    inputs = array_splits(tmp_path / "a.npz", read="stream")["all"].inputs
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-400])
    with pytest.raises(DataError, match=r"a\.npz: was shortened while it was being read\. Restore the file\."):
        inputs[:]


def test_a_file_of_the_cache_that_becomes_shorter_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path / "cache"))
    for label in "ab":
        (tmp_path / "data" / label).mkdir(parents=True)
        for n in range(4):
            pixels = RNG.integers(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / label / f"{n}.png")
    options = Options(read="stream", test_fraction=0)
    inputs = class_folders(tmp_path / "data", options, validation_fraction=0).train.inputs
    before = np.asarray(inputs)
    (cached,) = (tmp_path / "cache").glob("decoded/*.rows")
    cached.write_bytes(cached.read_bytes()[:-1])
    with pytest.raises(
        DataError, match=r"\.rows: was shortened .* resume the run: files of the cache are made again\."
    ):
        inputs[:]
    again = class_folders(tmp_path / "data", options, validation_fraction=0).train.inputs
    assert np.array_equal(np.asarray(again), before)


def test_size_decides_and_the_user_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("striate.data.streaming.choice.available_memory", lambda: 1000)
    assert is_streamed("auto", 501)
    assert not is_streamed("auto", 500)
    assert not is_streamed("memory", 501)
    np.savez(tmp_path / "a.npz", x=RNG.random((60, 70)), y=np.arange(60) % 2)
    assert "more than half of the free memory" in load_path(tmp_path / "a.npz").notes[-1]
    assert load_path(tmp_path / "a.npz", Options(read="memory")).notes == ()


class Letters:
    """A data set like those of PyTorch."""

    classes = ("a", "b")

    def __init__(self, odd=False):
        self.odd = odd

    def __len__(self):
        return 8

    def __getitem__(self, n):
        return np.full((2, 3, 4 + (self.odd and n == 5)), n, np.uint8), n % 2


def test_objects_are_the_same_streamed_and_in_memory():
    memory, streamed = (dataset_from(Letters(), read=how) for how in ("memory", "stream"))
    assert isinstance(streamed.inputs, ObjectStream)
    assert np.array_equal(np.asarray(streamed.inputs), memory.inputs)
    assert streamed.targets.tolist() == memory.targets.tolist()
    assert streamed.classes == memory.classes
    with pytest.raises(DataError, match=r"sample 5 is \[2, 3, 5\], the first is \[2, 3, 4\]"):
        np.asarray(dataset_from(Letters(odd=True), read="stream").inputs)


def batches(odd=False):
    yield np.full((3, 1, 4), 7, np.uint8), np.array([0, 1, 0])
    yield np.arange(8, dtype=np.uint8).reshape(2, 1, 4), np.array([1, 0])
    if odd:
        yield np.zeros((1, 1, 5), np.uint8), np.array([1])


def test_iterators_of_batches_are_the_same_streamed_and_in_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path))
    memory, streamed = (dataset_from(batches(), read=how) for how in ("memory", "stream"))
    assert isinstance(streamed.inputs, StoredStream)
    assert np.array_equal(np.asarray(streamed.inputs), memory.inputs)
    assert streamed.targets.tolist() == memory.targets.tolist()
    with pytest.raises(DataError, match=r"sample 5 is uint8 \[1, 5\], the first is uint8 \[1, 4\]. Resize"):
        dataset_from(batches(odd=True), read="stream")


def test_temporary_files_go_with_the_last_stream(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path))
    data = dataset_from(batches(), read="stream")
    part = data.take(np.array([4, 0]))
    assert len(list(tmp_path.glob("decoded/*.part"))) == 1
    del data
    assert np.asarray(part.inputs)[0].ravel().tolist() == [4, 5, 6, 7]
    del part
    gc.collect()
    assert not list(tmp_path.glob("decoded/*.part"))


def test_batches_are_spooled_from_the_size_on_at_which_memory_is_short(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("striate.data.streaming.choice.available_memory", lambda: 30)
    assert isinstance(dataset_from(batches()).inputs, StoredStream)
    monkeypatch.setattr("striate.data.streaming.choice.available_memory", lambda: 300)
    assert isinstance(dataset_from(batches()).inputs, np.ndarray)


def test_temporary_files_keep_to_the_limit_of_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("STRIATE_CACHE_GB", "1e-8")
    with pytest.raises(DataError, match=r"may take 10 bytes in the cache folder .*; these take more. Raise"):
        dataset_from(batches(), read="stream")


class Counted(Stream):
    """A stream that knows which of its parts are held."""

    def __init__(self):
        super().__init__(100, (1, 1), np.uint8)
        self.read_rows = []

    def read(self, rows):
        self.read_rows.append(len(rows))
        return rows.astype(np.uint8).reshape(-1, 1, 1)


@pytest.mark.parametrize("readers", [1, 3])
def test_parts_come_in_order_from_a_bounded_buffer(readers, monkeypatch):
    monkeypatch.setattr("striate.data.streaming.reading.MOST_AHEAD", 2)
    stream, parts = Counted(), [np.array([n, 99 - n]) for n in range(50)]
    found = prefetch(stream, parts, readers)
    assert next(found).ravel().tolist() == [0, 99]
    assert len(stream.read_rows) <= 4
    assert [block.ravel().tolist() for block in found] == [part.tolist() for part in parts[1:]]


def test_an_error_of_a_reader_ends_the_reading():
    class Broken(Counted):
        def read(self, rows):
            raise DataError("x: broken. Mend it.")

    with pytest.raises(DataError, match="x: broken"):
        list(prefetch(Broken(), [np.array([0])]))
