from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data import registry
from striate.data.dataset import Dataset
from striate.data.folds import hold_out, in_fold
from striate.data.options import Fold, Options
from striate.data.splits import Splits
from striate.errors import DataError, UsageError


class TestInFold:
    @given(st.lists(st.integers(7, 40), min_size=1, max_size=5), st.integers(2, 7))
    def test_every_sample_is_in_one_fold_and_classes_keep_their_share(self, counts, folds):
        labels = np.repeat(np.arange(len(counts)), counts)
        held = np.array([in_fold(labels, None, Fold(n, folds), "x") for n in range(1, folds + 1)])
        assert (held.sum(axis=0) == 1).all()
        by_class = np.array([np.bincount(labels[row], minlength=len(counts)) for row in held])
        assert (by_class.max(axis=0) - by_class.min(axis=0) <= 1).all()
        assert held.sum(axis=1).max() - held.sum(axis=1).min() <= 1

    @given(st.integers(5, 30), st.integers(2, 5), st.integers(0, 100))
    def test_a_group_is_in_one_fold_and_no_fold_is_empty(self, groups, folds, seed):
        rng = np.random.default_rng(seed)
        numbers = np.concatenate([np.arange(groups), rng.integers(0, groups, 60)])
        labels = rng.integers(0, 3, len(numbers))
        held = np.array([in_fold(labels, numbers, Fold(n, folds), "x") for n in range(1, folds + 1)])
        assert (held.sum(axis=0) == 1).all()
        assert (held.sum(axis=1) > 0).all()
        for group in range(groups):
            assert len({tuple(column) for column in held[:, numbers == group].T}) == 1

    def test_needs_a_sample_of_every_class_for_each_fold(self):
        with pytest.raises(DataError, match="x: 3 folds need at least 3 samples of every class; got 2"):
            in_fold(np.array([0, 0, 0, 1, 1]), None, Fold(1, 3), "x")
        with pytest.raises(DataError, match="at least 3 groups; got 2"):
            in_fold(np.zeros(6, int), np.array([0, 0, 1, 1, 1, 1]), Fold(1, 3), "x")


class TestSources:
    def test_folds_of_a_named_set_share_no_sample_and_leave_its_test_split_out(self):
        whole = registry.load("digits", validation_fraction=0.0)
        found = [registry.load("digits", options=Options(fold=Fold(n, 3))) for n in (1, 2, 3)]
        tested = np.concatenate([splits.test.inputs for splits in found])
        assert sorted(map(bytes, tested)) == sorted(map(bytes, whole.train.inputs))
        for splits in found:
            assert len(splits.train) + len(splits.validation) + len(splits.test) == len(whole.train)

    def test_a_validation_split_of_the_source_stays(self):
        data = Dataset(np.arange(12, dtype=np.float32).reshape(12, 1, 1), np.tile([0, 1], 6), ("a", "b"))
        found = hold_out(Splits(data, data), Fold(1, 2), 0, 0.1)
        assert found.validation is data
        assert len(found.train) == len(found.test) == 6

    def test_tables_and_folders(self, tmp_path):
        path = tmp_path / "t.csv"
        path.write_text("a,label\n" + "".join(f"{n},{'xy'[n % 2]}\n" for n in range(40)))
        (tmp_path / "test").mkdir()
        parts = [registry.load(path, options=Options(fold=f"{n}/4")) for n in (1, 2, 3, 4)]
        assert sorted(np.concatenate([p.test.inputs for p in parts]).ravel().tolist()) == list(range(40))
        for folder in ("train/a", "train/b", "test/a", "test/b"):
            (tmp_path / "texts" / folder).mkdir(parents=True)
            for n in range(4):
                (tmp_path / "texts" / folder / f"{n}.txt").write_text(f"word {n}")
        found = registry.load(tmp_path / "texts", options=Options(fold="1/2"), validation_fraction=0.0)
        assert (len(found.train), len(found.test)) == (4, 4)
        assert all("/train/" in name for name in found.test.files)


@pytest.mark.parametrize("text", ["3", "0/5", "6/5", "1/1", "a/b", ""])
def test_a_fold_is_a_number_of_a_count(text):
    with pytest.raises(UsageError, match="fold: must be"):
        Options(fold=text)
