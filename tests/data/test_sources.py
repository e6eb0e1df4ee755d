from __future__ import annotations

import numpy as np
import pytest

from striate.data.options import Options
from striate.data.registry import load
from striate.data.sources import load_path
from striate.errors import DataError, UsageError

from .test_cifar import batches
from .test_cifar import write as write_batches
from .test_folders import make
from .test_mnist import small_files, write


def table(count: int, labelled: bool = True, first: int = 0) -> str:
    names = "label,a,b,c\n" if labelled else "a,b,c\n"
    rows = [f"{i % 2},{i},{i + 1},300" if labelled else f"{i},{i + 1},300" for i in range(first, first + count)]
    return names + "\n".join(rows) + "\n"


def sizes(splits) -> list[int]:
    return [0 if part is None else len(part) for part in (splits.train, splits.validation, splits.test)]


class TestKinds:
    def test_idx_folder(self, tmp_path):
        splits = load(write(tmp_path, small_files()))
        assert sizes(splits) == [30, 10, 20]
        assert splits.train.classes == tuple("0123456789")

    def test_cifar_folder(self, tmp_path):
        assert load(write_batches(tmp_path, batches())).test.classes[0] == "airplane"

    def test_image_folder(self, tmp_path):
        assert sizes(load(make(tmp_path, {"ape": 10, "bee": 10}))) == [14, 2, 4]

    def test_table(self, tmp_path):
        (tmp_path / "a.csv").write_text(table(20))
        splits = load(str(tmp_path / "a.csv"))
        assert sizes(splits) == [14, 2, 4]
        assert splits.train.sample_shape == (3, 1)

    def test_table_folder_with_a_labelled_and_an_unlabelled_test_table(self, tmp_path):
        (tmp_path / "train.csv").write_text(table(20))
        (tmp_path / "test.csv").write_text(table(6, labelled=False))
        assert sizes(load(tmp_path)) == [14, 2, 4]
        (tmp_path / "test.csv").write_text(table(6))
        (tmp_path / "valid.csv").write_text(table(4))
        assert sizes(load(tmp_path)) == [20, 4, 6]
        (tmp_path / "test.csv").write_text(table(6).replace("0,0", "x,0"))
        with pytest.raises(DataError, match=r"test.csv: classes must be those of the training split"):
            load(tmp_path)

    def test_arrays(self, tmp_path):
        x, y = np.zeros((20, 3, 4, 4), np.uint8), np.arange(20) % 2
        np.savez(tmp_path / "a.npz", x=x, y=y)
        assert sizes(load(tmp_path / "a.npz")) == [14, 2, 4]
        assert sizes(load(tmp_path)) == [14, 2, 4]
        (tmp_path / "npy").mkdir()
        for name, array in {"x_train": x, "y_train": y, "x_test": x[:4], "y_test": y[:4]}.items():
            np.save(tmp_path / "npy" / f"{name}.npy", array)
        assert sizes(load(tmp_path / "npy")) == [18, 2, 4]

    def test_options_reach_the_reader(self, tmp_path):
        (tmp_path / "a.csv").write_text(table(20))
        splits = load(tmp_path / "a.csv", options=Options(label="c", test_fraction=0), validation_fraction=0)
        assert splits.train.classes == ("300",)
        assert sizes(splits) == [20, 0, 0]

    def test_regression_is_split_too(self, tmp_path):
        np.savez(tmp_path / "a.npz", x=np.zeros((20, 3), np.float32), y=np.linspace(0, 1, 20))
        assert sizes(load(tmp_path / "a.npz")) == [14, 2, 4]

    def test_the_test_part_is_the_same_for_every_seed(self, tmp_path):
        (tmp_path / "a.csv").write_text(table(40))
        one, two = (load(tmp_path / "a.csv", seed=seed) for seed in (0, 1))
        assert np.array_equal(one.test.inputs, two.test.inputs)
        assert not np.array_equal(one.validation.inputs, two.validation.inputs)


class TestBadPaths:
    def test_missing(self, tmp_path):
        with pytest.raises(DataError, match=r"absent.csv: no such file or folder"):
            load(str(tmp_path / "absent.csv"))

    def test_kinds_that_are_not_read(self, tmp_path):
        (tmp_path / "a.xlsx").write_bytes(b"PK")
        with pytest.raises(DataError, match="not a supported kind of file; data sets are read from"):
            load_path(tmp_path / "a.xlsx")
        (tmp_path / "a.zip").write_bytes(b"PK")
        with pytest.raises(DataError, match=r"archives are not read for training. Unpack it"):
            load_path(tmp_path / "a.zip")
        np.save(tmp_path / "a.npy", np.zeros(3))
        with pytest.raises(DataError, match="an NPY file has no labels"):
            load_path(tmp_path / "a.npy")

    def test_a_word_that_is_neither_name_nor_path(self):
        with pytest.raises(UsageError, match="called 'cifar'; did you mean 'cifar10'"):
            load("cifar")

    def test_a_name_goes_before_a_folder_of_this_name(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        make(tmp_path / "digits", {"ape": 10, "bee": 10})
        assert len(load("digits").train.classes) == 10
        assert load("./digits").train.classes == ("ape", "bee")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": (1, 2, 3)}, "size: must be 1 or 2 whole numbers"),
        ({"size": (0,)}, "size: must be"),
        ({"channels": 2}, "channels: must be one of 1, 3"),
        ({"fit": "x"}, "fit: unknown name"),
        ({"shape": (1, 2, 3, 4, 5)}, "shape: must be"),
        ({"shape": (1, 0)}, "shape: must be"),
        ({"test_fraction": 1}, "test_fraction: must be at least 0 and below 1; got 1"),
        ({"max_bad_share": -0.1}, "max_bad_share: must be at least 0"),
    ],
)
def test_options_that_cannot_mean_anything(values, message):
    with pytest.raises(UsageError, match=message):
        Options(**values)


def test_a_group_that_is_no_pattern():
    with pytest.raises(UsageError, match="group: must be a regular expression; got"):
        Options(group="(").group_pattern()


@pytest.mark.parametrize(
    ("shape", "given", "said"),
    [((5, 8, 9), None, True), ((5, 8, 9), (1, 5, 8, 9), False), ((3, 8, 9), None, False), ((8, 8, 8), None, False)],
)
def test_many_channels_that_could_be_slices(tmp_path, shape, given, said):
    np.savez(tmp_path / "a.npz", x=np.zeros((20, *shape), np.float32), y=np.arange(20) % 2)
    notes = load_path(tmp_path / "a.npz", Options(shape=given)).notes
    assert any("images of 5 channels" in note and "--shape 1x5x8x9" in note for note in notes) == said
