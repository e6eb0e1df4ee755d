"""Cross-validation: a data set cut into folds, each of which is held out once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from striate.data.options import TEST_SEED, Fold
from striate.data.splits import Splits, count_groups, shuffled, strata_of, with_validation
from striate.errors import DataError


def in_fold(labels: np.ndarray, groups: np.ndarray | None, fold: Fold, name: str) -> np.ndarray:
    """Return which samples a fold holds (bool[N]).

    Every sample is in one fold, whatever the seed of a run. Classes have the same share in each fold, or differ by
    one sample; where there are groups, a group lies in one fold and the shares are met as nearly as that allows.

    Parameters
    ----------
    labels : int64[N]
        What is kept in proportion: class numbers.
    groups : int64[N], optional
    fold : Fold
    name : str
        Of the data set, for messages.

    Raises
    ------
    DataError
        If there are fewer samples of a class, or fewer groups, than folds.
    """
    strata = np.unique(labels, return_inverse=True)[1]
    least, what = int(np.bincount(strata).min()), "samples of every class"
    if groups is not None:
        least, what = len(np.unique(groups)), "groups"
    if least < fold.count:
        raise DataError(f"{name}: {fold.count} folds need at least {fold.count} {what}; got {least}. Use fewer.")
    numbers = _of_samples(strata, fold.count) if groups is None else _of_groups(strata, groups, fold.count)
    return np.asarray(numbers == fold.number - 1)


def hold_out(splits: Splits, fold: Fold, seed: int, validation_fraction: float) -> Splits:
    """Return splits whose test split is a fold of the training samples; the source's own test split is not used.

    Parameters
    ----------
    splits : Splits
        Without a validation split that was cut from the training samples.
    fold : Fold
    seed : int
        Draws the validation split, where the source has none.
    validation_fraction : float
    """
    learn = splits.train
    held = in_fold(strata_of(learn.targets), learn.groups, fold, learn.name)
    rest, test = learn.take(np.flatnonzero(~held)), learn.take(np.flatnonzero(held))
    if splits.validation is not None:
        return replace(splits, train=rest, test=test)
    found = with_validation(rest, test, seed, validation_fraction)
    return replace(splits, train=found.train, validation=found.validation, test=test)


def _of_samples(labels: np.ndarray, count: int) -> np.ndarray:
    """Deal the samples out class by class, in shuffled order, so that folds differ by one sample at most."""
    order = shuffled(len(labels), TEST_SEED)
    order = order[np.argsort(labels[order], kind="stable")]
    numbers = np.empty(len(labels), np.int64)
    numbers[order] = np.arange(len(labels)) % count
    return numbers


def _of_groups(labels: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """Assign each group, the largest first, to the fold that keeps the shares of the classes most even.

    The sum of squares of all shares grows by ``2 held . shares + shares^2``, so the least product decides.
    """
    group_of, counts = count_groups(labels, groups)
    shares = counts / counts.sum(axis=0)
    order = shuffled(len(counts), TEST_SEED)
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    held, numbers = np.zeros((count, shares.shape[1])), np.zeros(len(counts), np.int64)
    for group in order:
        fold = np.lexsort((held.sum(axis=1), held @ shares[group]))[0]
        held[fold] += shares[group]
        numbers[group] = fold
    return np.asarray(numbers[group_of])
