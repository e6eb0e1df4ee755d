"""Data sets by name or path."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from striate.data.cifar import cifar10
from striate.data.digits import digits
from striate.data.eurosat import eurosat
from striate.data.mnist import fashion_mnist, mnist
from striate.data.options import Options
from striate.data.sources import load_path, with_fold
from striate.data.splits import Splits
from striate.errors import UsageError, suggestion
from striate.settings.signature import takes

Loader = Callable[[str | Path | None, int, float], Splits]


def _digits(folder: str | Path | None, seed: int, validation_fraction: float) -> Splits:
    return digits(seed, validation_fraction)


NAMES: dict[str, Loader] = {
    "digits": _digits,
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "cifar10": cifar10,
    "eurosat": eurosat,
}


@takes(Options)
def load(
    name: str | Path,
    folder: str | Path | None = None,
    seed: int = 0,
    validation_fraction: float = 0.1,
    options: Options | None = None,
    **settings: Any,
) -> Splits:
    """Return a data set by name, or from a folder or file, split into train, validation and test.

    Parameters
    ----------
    name : str or path
        One of `NAMES`, or a path; see `load_path` for what can be read. A name goes before a path:
        write ``./mnist`` for a folder of this name.
    folder : path, optional
        Where the files of a named set are; without it they are downloaded into the cache. The embedded
        digits need none.
    seed : int
        Draws the validation split.
    validation_fraction : float
        Share of the training samples; 0 for no validation split.
    options : Options, optional
        How a path is read.
    **settings
        The settings of `Options` by name, on top of ``options``, such as ``size=(64, 64)`` or ``label="status"``.

    Raises
    ------
    UsageError
        If no data set has this name and it is no path, or a setting is not known; the nearest names are given.
    DataError
        If its files cannot be had or read.

    Examples
    --------
    >>> splits = load("digits", seed=0)
    >>> len(splits.train), len(splits.validation), len(splits.test)
    (1294, 144, 359)
    """
    options = Options.of(options, settings)
    if name in NAMES:
        return with_fold(partial(NAMES[str(name)], folder), options, seed, validation_fraction)
    if isinstance(name, str) and not _looks_like_a_path(name):
        hint = suggestion(name, [*NAMES, *(entry for entry in os.listdir() if entry[0] != ".")])
        raise UsageError(
            f"data set: no file, folder or data set is called {name!r}{f'; {hint}' if hint else '.'} "
            f"Known data sets: {', '.join(sorted(NAMES))}."
        )
    return load_path(name, options, seed, validation_fraction)


def _looks_like_a_path(name: str) -> bool:
    separators = [mark for mark in (os.sep, os.altsep) if mark]
    return any(mark in name for mark in separators) or Path(name).suffix != "" or os.path.lexists(name)
