"""Samples that are on both sides of a split, where a test would reward memorising them."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from striate.data.dataset import Dataset
from striate.data.splits import Splits


class Leak(NamedTuple):
    """Two samples with the same bytes: ``train_index`` in the training split, ``split_index`` in ``split``."""

    train_index: int
    split: str
    split_index: int

    def describe(self, splits: Splits) -> str:
        """Return the pair as one line, by file name where there is one."""
        other = splits.validation if self.split == "validation" else splits.test
        first = _name(splits.train, "train", self.train_index)
        return f"{first} is the same as {_name(other or splits.train, self.split, self.split_index)}"


def find_leaks(splits: Splits) -> list[Leak]:
    """Return every validation and test sample whose input, byte for byte, is also in the training split.

    Examples
    --------
    >>> import numpy as np
    >>> data = Dataset(np.arange(4, dtype=np.uint8).reshape(4, 1, 1) // 2, np.array([0, 1, 0, 1]), ("a", "b"))
    >>> find_leaks(Splits(data.take(np.array([0, 2])), None, data.take(np.array([1]))))
    [Leak(train_index=0, split='test', split_index=0)]
    """
    first_with = {digest: index for index, digest in reversed(list(enumerate(_digests(splits.train))))}
    leaks = []
    for split, dataset in (("validation", splits.validation), ("test", splits.test)):
        if dataset is None:
            continue
        for index, digest in enumerate(_digests(dataset)):
            if digest in first_with:
                leaks.append(Leak(first_with[digest], split, index))
    return leaks


def _digests(dataset: Dataset) -> list[bytes]:
    return [hashlib.blake2b(sample.tobytes(), digest_size=16).digest() for sample in dataset.inputs]


def _name(dataset: Dataset, split: str, index: int) -> str:
    return f"{split} sample {index}" if dataset.files is None else str(dataset.files[index])
