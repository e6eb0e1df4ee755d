"""Splits of a data set that depend on the seed alone: stratified by class, whole groups where there are any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.problems import BadFile
from striate.errors import DataError, UsageError

SPLITS = ("train", "validation", "test")
ROUNDS = 3  # more rounds bring the shares nearer by less than 0.1 percentage points (300 groups, 4 classes)


@dataclass(frozen=True, repr=False)
class Splits:
    """The splits of a data set: train on ``train``, choose by ``validation``, report on ``test``.

    ``validation`` and ``test`` are None where there is no such split; ``bad_files`` lists the files left out.
    ``preparation`` says, in values that JSON can hold, how files became inputs, for `read_unlabelled`.
    ``notes`` are lines that tell the user what was chosen or noticed when the data were read.
    """

    train: Dataset
    validation: Dataset | None = None
    test: Dataset | None = None
    bad_files: tuple[BadFile, ...] = ()
    preparation: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(split):,} {name}" for name, split in self._present().items())
        return f"<Splits of {self.train.name}: {counts}>"

    def _repr_html_(self) -> str:
        """Return the size of every split and its classes, with samples of the training split, for notebooks."""
        from striate.drawing.html import Markup, element, table
        from striate.drawing.notebook import shown

        classes = self.train.classes[:20]
        rows = []
        for name, split in self._present().items():
            counts = np.bincount(split.targets, minlength=len(split.classes)).tolist() if split.classes else []
            rows.append((name, len(split), *counts[: len(classes)]))
        counted = table(("split", "samples", *classes), rows)
        samples = self.train.html(self._input_names(), self._words())
        return shown(element("p", self.train.name), counted, Markup(samples))

    def _input_names(self) -> Sequence[str]:
        """Return the names of the numbers of a row of a table; none of others."""
        from striate.data.tables.schema import Schema

        table = self.preparation.get("table")
        return Schema.from_dict(table).features if table else ()

    def _words(self) -> Callable[[np.ndarray], str] | None:
        """Return what gives the words of symbols; None where inputs are not texts."""
        from striate.data.text import Vocabulary

        if not self.preparation.get("text"):
            return None
        vocabulary = Vocabulary.from_dict(self.preparation["text"])
        return lambda symbols: " ".join(filter(None, vocabulary.decode(np.ravel(symbols))))

    def _present(self) -> dict[str, Dataset]:
        splits = {"training": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in splits.items() if split is not None}


def shuffled(count: int, seed: int) -> np.ndarray:
    """Return a permutation of 0 to ``count - 1`` that depends on the seed alone (int64[count]).

    It sorts the raw words of a Philox generator, whose stream is fixed for good, while the
    algorithms behind ``numpy.random.Generator`` may change with a release of NumPy.
    """
    words = np.random.Philox(key=check_seed(seed)).random_raw(count)
    return np.argsort(words, kind="stable")


def split_validation(dataset: Dataset, fraction: float = 0.1, seed: int = 0) -> tuple[Dataset, Dataset]:
    """Cut a validation split out of a data set; return (rest, validation), both in the original order.

    Every class keeps its share on both sides. Where the set has groups, a group stays on one side
    and the shares are met as nearly as whole groups allow.

    Parameters
    ----------
    dataset : Dataset
    fraction : float
        Share of the samples to cut out, between 0 and 1, both excluded.
    seed : int
        The same seed gives the same split.

    Raises
    ------
    UsageError
        If the fraction is not between 0 and 1, or the seed is not an integer from 0.
    DataError
        If a class has a single sample, or all samples belong to one group.
    """
    cut_out = choose(strata_of(dataset.targets), dataset.groups, fraction, seed, dataset.name, dataset.classes)
    return dataset.take(np.flatnonzero(~cut_out)), dataset.take(np.flatnonzero(cut_out))


def choose(
    labels: np.ndarray,
    groups: np.ndarray | None,
    fraction: float,
    seed: int,
    name: str,
    classes: tuple[str, ...] = (),
) -> np.ndarray:
    """Return which samples a split cuts out (bool[N]); see `split_validation`.

    Parameters
    ----------
    labels : int64[N]
        What is kept in proportion: class numbers.
    groups : int64[N], optional
    fraction : float
    seed : int
    name, classes
        For messages: the data set and the names of the numbers.

    Raises
    ------
    DataError
        If classes or groups are too small to be split.
    """
    if not 0 < fraction < 1:
        raise UsageError(
            f"split: the fraction to cut out must lie between 0 and 1; got {fraction}. Use for example 0.1."
        )
    values, strata = np.unique(labels, return_inverse=True)
    if groups is not None:
        return _choose_groups(strata, groups, fraction, seed, name)
    rarest = int(np.bincount(strata).argmin())
    if np.count_nonzero(strata == rarest) < 2:
        value = values[rarest]
        shown = classes[value] if classes else str(value)
        raise DataError(
            f"{name}: every class needs at least 2 samples to be split; class {shown!r} "
            f"has 1. Add samples of it, or remove it{_or_numbers(classes)}."
        )
    return _choose_samples(strata, fraction, seed)


def _or_numbers(classes: tuple[str, ...]) -> str:
    """Return more advice for classes most of which begin with a digit: they may be numbers to predict."""
    numbers = sum(name.lstrip("-+ $€£")[:1].isdigit() for name in classes)
    if 2 * numbers <= len(classes):
        return ""
    return "; to predict numbers instead, write them without units, and use --task regression"


def with_validation(learn: Dataset, test: Dataset | None, seed: int, fraction: float) -> Splits:
    """Return the splits with a validation split cut from ``learn``; a fraction of 0 cuts none."""
    if fraction == 0:
        return Splits(learn, None, test)
    train, validation = split_validation(learn, fraction, seed)
    return Splits(train, validation, test)


def check_seed(seed: int) -> int:
    """Return the seed, or raise UsageError if it is not an integer from 0 to 2^64 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise UsageError(f"seed: must be an integer from 0 to 2^64 - 1; got {seed!r}. Use for example 0.")
    return int(seed)


def strata_of(targets: np.ndarray) -> np.ndarray:
    """Return the class of each sample (int64[N]); regression has a single one."""
    if targets.ndim == 1 and np.issubdtype(targets.dtype, np.integer):
        return targets
    return np.zeros(len(targets), np.int64)


def _choose_samples(labels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return which samples to cut out (bool[N]): the same share of every class, at least 1 sample and not all."""
    wanted = _share_out(np.bincount(labels), fraction)
    order = shuffled(len(labels), seed)
    cut_out = np.zeros(len(labels), bool)
    for label, count in enumerate(wanted):
        members = order[labels[order] == label]
        cut_out[members[:count]] = True
    return cut_out


def _share_out(counts: np.ndarray, fraction: float) -> np.ndarray:
    """Return ``counts * fraction`` in whole numbers by largest remainders, each from 1 to its count - 1."""
    exact = counts * fraction
    shares = np.floor(exact).astype(np.int64)
    missing = round(float(exact.sum())) - int(shares.sum())
    shares[np.argsort(shares - exact, kind="stable")[:missing]] += 1
    return np.clip(shares, 1, counts - 1)


def _choose_groups(labels: np.ndarray, groups: np.ndarray, fraction: float, seed: int, name: str) -> np.ndarray:
    """Return which samples to cut out (bool[N]): whole groups that bring every class nearest to its share.

    Groups are offered in seeded order, each taken (or put back) where that lessens ``sum over classes
    of (share cut out - fraction)^2``; never one that would leave a class without a sample to learn from.
    """
    group_of, counts = count_groups(labels, groups)
    if len(counts) < 2:
        raise DataError(f"{name}: a split by group needs at least 2 groups; got 1. Give a finer grouping, or none.")
    totals = counts.sum(axis=0)
    taken = np.zeros(len(counts), bool)
    held = np.zeros(len(totals), np.int64)
    for group in np.tile(shuffled(len(counts), seed), ROUNDS):
        moved = held - counts[group] if taken[group] else held + counts[group]
        closer = _distance(moved, totals, fraction) < _distance(held, totals, fraction)
        if closer and (moved < totals).all():
            taken[group], held = not taken[group], moved
    if not taken.any():
        taken[_smallest_removable(counts, totals, seed, name)] = True
    return np.asarray(taken[group_of])


def count_groups(labels: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each sample's group (int64[N]) and the number of samples per group and class (int64[G, K])."""
    _, group_of = np.unique(groups, return_inverse=True)
    counts = np.zeros((int(group_of.max()) + 1, int(labels.max()) + 1), np.int64)
    np.add.at(counts, (group_of, labels), 1)
    return group_of, counts


def _distance(held: np.ndarray, totals: np.ndarray, fraction: float) -> float:
    return float(np.sum((held / totals - fraction) ** 2))


def _smallest_removable(counts: np.ndarray, totals: np.ndarray, seed: int, name: str) -> int:
    """Return the smallest group that does not hold all samples of a class (all groups exceed the share)."""
    possible = [group for group in shuffled(len(counts), seed) if (counts[group] < totals).all()]
    if not possible:
        raise DataError(
            f"{name}: no group can be held out, since each holds all samples of some class. "
            "Give a finer grouping, or none."
        )
    return int(min(possible, key=lambda group: int(counts[group].sum())))
