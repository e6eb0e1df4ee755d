"""Where random configurations take their choices from: hypothesis, which shrinks them, or a seed, which is fast."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st


class Choices(Protocol):
    """What a draw needs."""

    def integer(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``."""
        ...

    def one_of(self, options: Sequence[Any]) -> Any:
        """Return one of ``options``."""
        ...


class Seeded:
    """Choices from a seed: the same configuration in every run, for benchmarks and for loops of many."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def integer(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def one_of(self, options: Sequence[Any]) -> Any:
        return options[self.integer(0, len(options) - 1)]


class Drawn:
    """Choices of hypothesis."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data

    def integer(self, low: int, high: int) -> int:
        return int(self.data.draw(st.integers(low, high)))

    def one_of(self, options: Sequence[Any]) -> Any:
        return self.data.draw(st.sampled_from(list(options)))


def examples(count: int) -> Any:
    """Draw the same ``count`` examples every time; STRIATE_TEST_EXAMPLES multiplies them and makes them new."""
    factor = float(os.environ.get("STRIATE_TEST_EXAMPLES", "1"))
    return settings(
        max_examples=max(1, int(count * factor)),
        deadline=None,
        derandomize=factor == 1,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
