"""Data sets by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from striate.data.digits import digits
from striate.data.mnist import fashion_mnist, mnist
from striate.data.splits import Splits
from striate.errors import unknown_name

Loader = Callable[[str | Path | None, int, float], Splits]


def _digits(folder: str | Path | None, seed: int, validation_fraction: float) -> Splits:
    return digits(seed, validation_fraction)


NAMES: dict[str, Loader] = {"digits": _digits, "mnist": mnist, "fashion-mnist": fashion_mnist}


def load(name: str, folder: str | Path | None = None, seed: int = 0, validation_fraction: float = 0.1) -> Splits:
    """Return a data set by name, split into train, validation and test.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    folder : path, optional
        Where the files are; without it they are downloaded into the cache. The embedded digits need none.
    seed : int
        Draws the validation part.
    validation_fraction : float
        Share of the training samples; 0 for no validation part.

    Raises
    ------
    UsageError
        If no data set has this name; the nearest names are given.
    DataError
        If its files cannot be had or read.

    Examples
    --------
    >>> splits = load("digits", seed=0)
    >>> len(splits.train), len(splits.validation), len(splits.test)
    (1294, 144, 359)
    """
    if name not in NAMES:
        raise unknown_name("data set", name, NAMES)
    return NAMES[name](folder, seed, validation_fraction)
