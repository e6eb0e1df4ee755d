from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from striate.data import arrays
from striate.data.arrays import array_splits, open_arrays, read_npy
from striate.errors import DataError

X = np.random.default_rng(0).integers(0, 256, (12, 3, 4, 4), np.uint8)
Y = np.arange(12) % 3


def npy(array: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def zipped(path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


class TestNames:
    @pytest.mark.parametrize(
        ("inputs", "targets"),
        [("x", "y"), ("X", "Y"), ("images", "labels"), ("data", "target"), ("arr_0", "arr_1")],
    )
    def test_one_pair(self, tmp_path, inputs, targets):
        np.savez(tmp_path / "a.npz", **{inputs: X, targets: Y})
        parts = array_splits(tmp_path / "a.npz")
        assert list(parts) == ["all"]
        assert np.array_equal(parts["all"].inputs, X)
        assert np.array_equal(parts["all"].targets, Y)

    @pytest.mark.parametrize("style", ["x_{part}", "{part}_images", "x{part}"])
    def test_parts(self, tmp_path, style):
        labels = {"x_{part}": "y_{part}", "{part}_images": "{part}_labels", "x{part}": "y{part}"}[style]
        stored = {}
        for number, part in enumerate(("train", "val", "test")):
            stored[style.format(part=part)] = X[number:]
            stored[labels.format(part=part)] = Y[number:]
        np.savez_compressed(tmp_path / "a.npz", **stored)
        parts = array_splits(tmp_path / "a.npz")
        assert {part: len(data) for part, data in parts.items()} == {"train": 12, "validation": 11, "test": 10}

    def test_a_folder_of_npy_files(self, tmp_path):
        for name, array in {"X_train": X, "y_train": Y, "X_test": X[:3], "y_test": Y[:3]}.items():
            np.save(tmp_path / f"{name}.npy", array)
        assert len(array_splits(tmp_path)["test"]) == 3

    def test_class_names_and_a_test_part_that_lacks_a_class(self, tmp_path):
        np.savez(tmp_path / "a.npz", x_train=X, y_train=Y, x_test=X[:2], y_test=[2, 2], classes=["a", "b", "c"])
        parts = array_splits(tmp_path / "a.npz")
        assert parts["test"].classes == ("a", "b", "c")
        np.savez(tmp_path / "b.npz", x_train=X, y_train=Y + 5, x_test=X[:2], y_test=[7, 7])
        parts = array_splits(tmp_path / "b.npz")
        assert parts["test"].classes == ("5", "6", "7")
        assert parts["test"].targets.tolist() == [2, 2]

    def test_the_real_thing(self, shared_data):
        parts = array_splits(shared_data / "cifar10" / "cifar10-11k.npz")
        assert parts["train"].inputs.shape == (10_000, 3, 32, 32)
        assert parts["train"].inputs.dtype == np.uint8
        assert parts["test"].classes == tuple("0123456789")

    @pytest.mark.parametrize(
        ("stored", "message"),
        [
            ({"a": X}, "needs arrays x and y, or x_train.*; got a"),
            ({"x": X}, "needs arrays x and y"),
            ({"x": X, "y": Y[:-1]}, "got 12 in x and 11 in y"),
            ({"x": X, "y": Y, "classes": np.arange(3)}, "classes must be a list of text; got int64"),
            ({"x_train": X, "y_train": Y, "x_test": X[:1], "y_test": [9]}, "test: classes must be those"),
        ],
    )
    def test_arrays_that_do_not_belong_together(self, tmp_path, stored, message):
        np.savez(tmp_path / "a.npz", **stored)
        with pytest.raises(DataError, match=message):
            array_splits(tmp_path / "a.npz")


class TestHostile:
    def test_objects_are_never_unpickled(self, tmp_path):
        evil = npy(np.array([print], object), allow_pickle=True)
        (tmp_path / "a.npy").write_bytes(evil)
        with pytest.raises(DataError, match="holds Python objects, which may run code and are not read"):
            read_npy(tmp_path / "a.npy")
        zipped(tmp_path / "a.npz", {"x.npy": evil, "y.npy": npy(Y)})
        with pytest.raises(DataError, match=r"a.npz: x.npy: holds Python objects"):
            array_splits(tmp_path / "a.npz")

    @pytest.mark.parametrize("where", ["npy", "npz"])
    def test_a_header_that_claims_more_than_there_is(self, tmp_path, where):
        lying = npy(X).replace(b"(12, 3, 4, 4)", b"(99999999999, 3)")
        lying = lying[:128].replace(b"3), }   ", b"3), }") + lying[128:]
        (tmp_path / "a.npy").write_bytes(lying)
        zipped(tmp_path / "a.npz", {"x.npy": lying, "y.npy": npy(Y)})
        with pytest.raises(DataError, match=r"the header claims 299,999,999,997 bytes|needs 299,999,999,997 bytes"):
            read_npy(tmp_path / "a.npy") if where == "npy" else array_splits(tmp_path / "a.npz")

    def test_truncated_damaged_and_foreign_files(self, tmp_path):
        path = tmp_path / "a.npy"
        path.write_bytes(npy(X)[:-1])
        with pytest.raises(DataError, match=r"the header claims 576 bytes; the file holds 575"):
            read_npy(path)
        path.write_bytes(b"hello")
        with pytest.raises(DataError, match="not an NPY array"):
            read_npy(path)
        with pytest.raises(DataError, match=r"cannot be read .No such file"):
            read_npy(tmp_path / "absent.npy")

    def test_damaged_archives(self, tmp_path):
        path = zipped(tmp_path / "a.npz", {"x.npy": npy(X), "y.npy": npy(Y)}, zipfile.ZIP_STORED)
        content = path.read_bytes()
        path.write_bytes(content[:300] + b"\xff" + content[301:])
        with pytest.raises(DataError, match=r"x.npy: .*Bad CRC"):
            array_splits(path)
        path.write_bytes(content[:200])
        with pytest.raises(DataError, match=r"cannot be read as NPZ"):
            array_splits(path)
        with pytest.raises(DataError, match=r"cannot be read as NPZ .No such file"):
            array_splits(tmp_path / "absent.npz")

    def test_a_directory_that_claims_more_than_deflate_can_hold(self, tmp_path):
        path = zipped(tmp_path / "a.npz", {"x.npy": npy(X), "y.npy": npy(Y)})
        content = bytearray(path.read_bytes())
        entry = content.index(b"PK\x01\x02")
        content[entry + 24 : entry + 28] = (2**31).to_bytes(4, "little")
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"x.npy: claims 2,147,483,648 bytes, more than it can hold"):
            array_splits(path)

    def test_a_member_that_cannot_be_unpacked(self, tmp_path):
        noise = np.random.default_rng(0).integers(0, 256, (12, 3, 64, 64), np.uint8)
        path = zipped(tmp_path / "a.npz", {"x.npy": npy(noise), "y.npy": npy(Y)})
        content = path.read_bytes()
        path.write_bytes(content[:100_000] + b"\xff" * 40 + content[100_040:])
        with pytest.raises(DataError, match=r"x.npy: damaged \(.*\). Copy the file again"):
            array_splits(path)

    @pytest.mark.parametrize("read", ["memory", "stream"])
    def test_an_unknown_compression(self, tmp_path, read):
        path = zipped(tmp_path / "a.npz", {"x.npy": npy(X), "y.npy": npy(Y)})
        content = bytearray(path.read_bytes())
        for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
            entry = content.index(signature)
            content[entry + offset : entry + offset + 2] = (77).to_bytes(2, "little")
        path.write_bytes(content)
        member = open_arrays(path)["x"]
        assert member.streamed(read, "x") is None
        with pytest.raises(DataError, match=r"x.npy: damaged \(That compression method is not supported\)"):
            member()

    def test_more_than_the_memory_of_the_machine(self, tmp_path, monkeypatch):
        path = zipped(tmp_path / "a.npz", {"x.npy": npy(X), "y.npy": npy(Y)})
        monkeypatch.setattr(arrays, "available_memory", lambda: 100)
        with pytest.raises(DataError, match="needs 576 bytes; this machine has 100 to spare"):
            open_arrays(path)["x"]()

    def test_an_npy_file_larger_than_half_of_memory_is_mapped(self, tmp_path, monkeypatch):
        np.save(tmp_path / "a.npy", X)
        monkeypatch.setattr(arrays, "available_memory", lambda: 1000)
        got = read_npy(tmp_path / "a.npy")
        assert type(got) is np.ndarray
        assert not got.flags.owndata
        assert np.array_equal(got, X)
