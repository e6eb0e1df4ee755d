"""Where random configurations take their choices from: a seed, or anything else that picks numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np


class Choices(Protocol):
    """What drawing a case needs."""

    def integer(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``."""
        ...

    def one_of(self, options: Sequence[Any]) -> Any:
        """Return one of ``options``."""
        ...


class Seeded:
    """Choices from a seed: the same configuration in every run."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def integer(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``."""
        return int(self.rng.integers(low, high + 1))

    def one_of(self, options: Sequence[Any]) -> Any:
        """Return one of ``options``."""
        return options[self.integer(0, len(options) - 1)]


class Small:
    """The choices of another, with sizes kept small: no number is more than ``reach`` above its least.

    Parameters
    ----------
    choices : Choices
    reach : int
    """

    def __init__(self, choices: Choices, reach: int = 3) -> None:
        self.choices, self.reach = choices, reach

    def integer(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, at most ``low + reach``."""
        return self.choices.integer(low, min(high, low + self.reach))

    def one_of(self, options: Sequence[Any]) -> Any:
        """Return one of ``options``."""
        return self.choices.one_of(options)
