from __future__ import annotations

import gzip
import hashlib

import numpy as np
import pytest

from striate.data import download
from striate.data import mnist as module
from striate.data.mnist import CLOTHES, DIGITS, fashion_mnist, mnist, read_idx_folder, read_idx_pair
from striate.errors import DataError

from .servers import serve
from .test_idx import encode


def small_files(count: int = 40, tests: int = 20, side: int = 5) -> dict[str, bytes]:
    """The four files of a small set of ten classes."""
    rng = np.random.default_rng(0)
    files = {}
    for part, size in (("train", count), ("t10k", tests)):
        pixels = rng.integers(0, 256, (size, side, side), np.uint8)
        labels = np.arange(size, dtype=np.uint8) % 10
        files[f"{part}-images-idx3-ubyte"] = encode(pixels)
        files[f"{part}-labels-idx1-ubyte"] = encode(labels)
    return files


def write(folder, files: dict[str, bytes]):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return folder


class TestFolder:
    def test_the_real_thing(self, shared_data):
        splits = mnist(shared_data / "mnist", seed=1)
        assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [54000, 6000, 10000]
        assert splits.train.inputs.dtype == np.uint8
        assert splits.train.sample_shape == (1, 28, 28)
        assert splits.train.classes == DIGITS
        raw = np.ascontiguousarray(splits.test.inputs).tobytes()
        assert hashlib.md5(encode(splits.test.inputs[:, 0])).hexdigest() == "2646ac647ad5339dbf082846283269ea"
        assert len(raw) == 7_840_000
        counts = np.bincount(splits.train.targets) + np.bincount(splits.validation.targets)
        assert counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]

    def test_plain_compressed_and_other_peoples_layouts(self, tmp_path):
        files = small_files()
        expected = mnist(write(tmp_path / "plain", files)).train.inputs
        layouts = {
            "packed": {f"{name}.gz": gzip.compress(content) for name, content in files.items()},
            "torchvision": {f"MNIST/raw/{name}": content for name, content in files.items()},
            "dotted": {name.replace("-idx", ".idx"): content for name, content in files.items()},
            "kaggle": {f"{name}/{name}".replace("-idx", ".idx"): content for name, content in files.items()},
        }
        for layout, content in layouts.items():
            (tmp_path / layout / "MNIST").mkdir(parents=True)
            assert np.array_equal(mnist(write(tmp_path / layout, content)).train.inputs, expected), layout

    def test_fashion_has_its_own_classes(self, tmp_path):
        assert fashion_mnist(write(tmp_path, small_files())).test.classes == CLOTHES

    def test_no_validation_part_where_none_is_asked(self, tmp_path):
        splits = mnist(write(tmp_path, small_files()), validation_fraction=0)
        assert splits.validation is None
        assert len(splits.train) == 40

    def test_a_missing_folder_or_file(self, tmp_path):
        with pytest.raises(DataError, match="nowhere: no such folder"):
            mnist(tmp_path / "nowhere")
        files = small_files()
        del files["t10k-labels-idx1-ubyte"]
        with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz is missing"):
            mnist(write(tmp_path, files))

    def test_images_and_labels_that_disagree_in_number(self, tmp_path):
        files = small_files() | {"train-labels-idx1-ubyte": encode(np.zeros(39, np.uint8))}
        with pytest.raises(DataError, match=r"train-images.*got 40 images here and 39 labels in .*train-labels"):
            mnist(write(tmp_path, files))

    def test_labels_in_the_place_of_images(self, tmp_path):
        files = small_files()
        files["train-images-idx3-ubyte"] = files["train-labels-idx1-ubyte"]
        with pytest.raises(DataError, match="images have 3 dimensions; this file has 1, as labels have"):
            mnist(write(tmp_path, files))

    def test_a_label_that_is_no_class(self, tmp_path):
        files = small_files() | {"train-labels-idx1-ubyte": encode(np.full(40, 10, np.uint8))}
        with pytest.raises(DataError, match="labels must be 0 to 9; got 10 to 10"):
            mnist(write(tmp_path, files))

    def test_absurd_labels_are_refused_before_classes_are_counted(self, tmp_path):
        files = small_files()
        labels = np.zeros(40, ">i4")
        labels[3] = 2**31 - 1
        files["train-labels-idx1-ubyte"] = b"\0\0\x0c\1" + (40).to_bytes(4, "big") + labels.tobytes()
        write(tmp_path, files)
        with pytest.raises(DataError, match="must number the classes from 0; got 2,147,483,647 among 60"):
            read_idx_folder(tmp_path, None, "mine")

    def test_an_empty_set(self, tmp_path):
        files = small_files() | small_files(count=0)
        with pytest.raises(DataError, match=r"train-images.*at least one pixel; got \(0, 5, 5\)"):
            mnist(write(tmp_path, files))

    def test_train_and_test_images_of_different_size(self, tmp_path):
        files = small_files()
        files["t10k-images-idx3-ubyte"] = encode(np.zeros((20, 4, 6), np.uint8))
        with pytest.raises(DataError, match="must have one size; got 5x5 and 4x6"):
            mnist(write(tmp_path, files))

    def test_numbers_that_are_not_bytes(self, tmp_path):
        write(tmp_path, {"a": encode(np.zeros((2, 3, 3), np.float32)), "b": encode(np.zeros(2, np.uint8))})
        with pytest.raises(DataError, match="images must be bytes and labels whole numbers; got float32"):
            read_idx_pair(tmp_path / "a", tmp_path / "b", DIGITS, "small")


class TestDownload:
    @pytest.fixture
    def remote(self, monkeypatch, tmp_path):
        """Small files under the real names, and checksums to match; the cache is in a new folder."""
        files = {f"{name}.gz": gzip.compress(content) for name, content in small_files().items()}
        sums = {name: f"sha256:{hashlib.sha256(content).hexdigest()}" for name, content in files.items()}
        monkeypatch.setattr(module, "MNIST_CHECKSUMS", sums)
        monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path / "cache"))
        return files

    def test_fetched_once_then_read_from_the_cache(self, remote, monkeypatch):
        with serve(remote) as (url, requests):
            monkeypatch.setattr(module, "MNIST_MIRRORS", (url,))
            first = mnist()
            assert sorted(requests) == sorted(remote)
        again = mnist()  # the server is gone
        assert np.array_equal(first.train.inputs, again.train.inputs)

    def test_goes_on_where_it_was_interrupted(self, remote, monkeypatch, tmp_path):
        partial = dict(list(remote.items())[:2])
        with serve(partial) as (url, _):
            monkeypatch.setattr(module, "MNIST_MIRRORS", (url,))
            with pytest.raises(DataError, match="HTTP status 404"):
                mnist()
        with serve(remote) as (url, requests):
            monkeypatch.setattr(module, "MNIST_MIRRORS", (url,))
            assert len(mnist().test) == 20
        assert sorted(requests) == sorted(set(remote) - set(partial))

    def test_the_next_mirror_helps_when_one_lies(self, remote, monkeypatch):
        lies = {name: content[:-1] for name, content in remote.items()}
        with serve(lies) as (bad, asked), serve(remote) as (good, _):
            monkeypatch.setattr(module, "MNIST_MIRRORS", (bad, good))
            assert len(mnist().train) == 30
            assert asked

    def test_a_wrong_checksum_everywhere_is_an_error(self, remote, monkeypatch, tmp_path):
        with serve(dict.fromkeys(remote, b"something else")) as (url, _):
            monkeypatch.setattr(module, "MNIST_MIRRORS", (url,))
            with pytest.raises(DataError, match=r"cannot download train-images.*wrong checksum"):
                mnist()
        assert not list((tmp_path / "cache").rglob("*.gz"))

    def test_a_server_that_never_ends_is_left(self, remote, monkeypatch, tmp_path):
        monkeypatch.setattr(download, "MOST_BYTES", 300_000)
        with serve(dict.fromkeys(remote, bytes(3_000_000))) as (url, _):
            monkeypatch.setattr(module, "MNIST_MIRRORS", (url,))
            with pytest.raises(DataError, match=r"cannot download train-images.*more than 300,000 bytes"):
                mnist()
        assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]

    def test_no_network_names_the_way_out(self, remote, monkeypatch):
        with serve({}) as (url, _):
            pass
        monkeypatch.setattr(module, "MNIST_MIRRORS", (url,))
        with pytest.raises(DataError, match=r"mnist: cannot download .*no connection.*--data-dir") as caught:
            mnist()
        assert "\n" not in str(caught.value)

    def test_a_cache_that_cannot_be_written(self, remote, monkeypatch, tmp_path):
        (tmp_path / "cache").write_text("a file where the folder should be")
        with serve(remote) as (url, _):
            monkeypatch.setattr(module, "MNIST_MIRRORS", (url,))
            with pytest.raises(DataError, match="cannot download"):
                mnist()
