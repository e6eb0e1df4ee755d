"""Which samples of a source are used for training, and which are held out."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from striate.data.folds import in_fold
from striate.data.options import TEST_SEED, Fold
from striate.data.splits import SPLITS, choose, strata_of


def divide(
    labels: np.ndarray,
    groups: np.ndarray | None,
    given: Collection[str],
    test_fraction: float,
    validation_fraction: float,
    seed: int,
    name: str,
    classes: tuple[str, ...] = (),
    fold: Fold | None = None,
) -> np.ndarray:
    """Return the split of each sample that is not a test sample, as its place in `SPLITS` (int64[N]).

    The test split is the same for every ``seed``, and is cut only if the source has nothing but these samples.

    Parameters
    ----------
    labels, groups, name, classes
        As in `choose`; regression targets count as one class.
    given : collection of str
        The splits that the source has of its own.
    test_fraction, validation_fraction : float
        Shares of the samples, and of those left; 0 for none.
    seed : int
        Draws the validation split.
    fold : Fold, optional
        Held out as the test split in place of ``test_fraction``.
    """
    strata = strata_of(labels)
    split = np.zeros(len(labels), np.int64)
    if fold is not None:
        split[in_fold(strata, groups, fold, name)] = SPLITS.index("test")
    elif test_fraction and not set(given) & {"validation", "test"}:
        split[choose(strata, groups, test_fraction, TEST_SEED, name, classes)] = SPLITS.index("test")
    if validation_fraction and "validation" not in given:
        left = np.flatnonzero(split == 0)
        some = None if groups is None else groups[left]
        cut_out = choose(strata[left], some, validation_fraction, seed, name, classes)
        split[left[cut_out]] = SPLITS.index("validation")
    return split
