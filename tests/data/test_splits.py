from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data.dataset import Dataset
from striate.data.splits import shuffled, split_validation, with_validation
from striate.errors import DataError, UsageError


def labelled(targets: list[int] | np.ndarray, groups: list[int] | None = None) -> Dataset:
    """A data set whose single input value is the number of the sample."""
    labels = np.asarray(targets, np.int64)
    inputs = np.arange(len(labels), dtype=np.float32).reshape(-1, 1, 1)
    classes = tuple("abcdefgh"[: labels.max() + 1])
    return Dataset(inputs, labels, classes, "letters", None if groups is None else np.asarray(groups))


def numbers(dataset: Dataset) -> list[int]:
    return dataset.inputs.ravel().astype(int).tolist()


class TestStratified:
    @given(
        st.lists(st.integers(2, 60), min_size=1, max_size=8),
        st.floats(0.01, 0.99),
        st.integers(0, 2**64 - 1),
    )
    def test_every_sample_once_and_every_class_on_both_sides_in_its_share(self, counts, fraction, seed):
        data = labelled(np.repeat(np.arange(len(counts)), counts))
        rest, validation = split_validation(data, fraction, seed)
        assert sorted(numbers(rest) + numbers(validation)) == list(range(sum(counts)))
        held = np.bincount(validation.targets, minlength=len(counts))
        exact = np.array(counts) * fraction
        assert (np.clip(np.floor(exact), 1, None) <= held + (held == np.array(counts) - 1)).all()
        assert (held <= np.clip(np.ceil(exact), 1, np.array(counts) - 1)).all()

    def test_total_is_the_rounded_share_where_no_class_is_at_its_limit(self):
        _, validation = split_validation(labelled(np.repeat(np.arange(8), 15)), 0.1)
        assert len(validation) == 12

    def test_order_is_kept_and_targets_follow_their_samples(self):
        rng = np.random.default_rng(0)
        data = labelled(rng.integers(0, 4, 200))
        for part in split_validation(data, 0.3, 5):
            assert numbers(part) == sorted(numbers(part))
            assert np.array_equal(part.targets, data.targets[numbers(part)])

    def test_seed_alone_decides(self):
        data = labelled([0, 1] * 50)
        assert numbers(split_validation(data, 0.2, 3)[1]) == numbers(split_validation(data, 0.2, 3)[1])
        assert numbers(split_validation(data, 0.2, 3)[1]) != numbers(split_validation(data, 0.2, 4)[1])

    def test_the_permutation_of_a_seed_is_fixed_for_good(self):
        assert shuffled(8, 0).tolist() == [0, 2, 1, 5, 4, 3, 6, 7]

    def test_regression_is_split_at_random(self):
        data = Dataset(np.zeros((20, 1, 3), np.float32), np.arange(20, dtype=np.float32).reshape(20, 1))
        rest, validation = split_validation(data, 0.25)
        assert (len(rest), len(validation)) == (15, 5)

    def test_a_class_with_one_sample_is_an_error(self):
        with pytest.raises(
            DataError,
            match=r"every class needs at least 2 samples.*class 'b' has 1\. Add samples of it, or remove it\.$",
        ):
            split_validation(labelled([0, 0, 1, 2, 2]))

    @pytest.mark.parametrize("fraction", [0, 1, -0.1, float("nan")])
    def test_a_fraction_outside_0_and_1_is_an_error(self, fraction):
        with pytest.raises(UsageError, match="must lie between 0 and 1"):
            split_validation(labelled([0, 0]), fraction)

    @pytest.mark.parametrize("seed", [-1, 2**64, 0.5, True])
    def test_a_seed_that_is_none_is_an_error(self, seed):
        with pytest.raises(UsageError, match="seed: must be an integer"):
            split_validation(labelled([0, 0]), 0.5, seed)

    def test_fraction_0_gives_no_validation_part(self):
        splits = with_validation(labelled([0, 1]), None, 0, 0)
        assert splits.validation is None
        assert len(splits.train) == 2


class TestGroups:
    @given(st.integers(0, 2**32), st.integers(60, 200), st.integers(6, 30))
    def test_groups_stay_together(self, seed, count, groups):
        rng = np.random.default_rng(seed)
        data = labelled(rng.integers(0, 4, count), rng.integers(0, groups, count).tolist())
        rest, validation = split_validation(data, 0.2, seed)
        assert not set(rest.groups) & set(validation.groups)
        assert set(rest.targets) == set(data.targets)
        assert len(validation)

    def test_shares_are_nearly_met_with_many_small_groups(self):
        rng = np.random.default_rng(1)
        groups = rng.integers(0, 300, 3000)
        data = labelled(rng.integers(0, 4, 3000), groups.tolist())
        held = np.bincount(split_validation(data, 0.2, 0)[1].targets) / np.bincount(data.targets)
        assert np.abs(held - 0.2).max() < 0.02

    def test_groups_larger_than_the_share_still_give_a_validation_part(self):
        rest, validation = split_validation(labelled([0, 1] * 10, [0] * 12 + [1] * 8), 0.05)
        assert (len(rest), len(validation)) == (12, 8)

    def test_no_class_loses_its_last_group_to_validation(self):
        rest, _ = split_validation(labelled([0, 1] * 10, list(range(20))), 0.99)
        assert set(rest.targets) == {0, 1}

    def test_one_group_cannot_be_split(self):
        with pytest.raises(DataError, match="at least 2 groups; got 1"):
            split_validation(labelled([0, 0, 1, 1], [7, 7, 7, 7]))

    def test_classes_that_live_in_one_group_each_cannot_be_split(self):
        with pytest.raises(DataError, match="no group can be held out"):
            split_validation(labelled([0, 0, 1, 1], [0, 0, 1, 1]))
