"""Choices of hypothesis, which shrinks them, and how many examples it draws."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from striate.testing import OPERATIONS, Case, Small


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


def small_case(data: st.DataObject, name: str | None = None) -> Case:
    """Draw a small case of the operation ``name``, or of any operation."""
    name = data.draw(st.sampled_from(list(OPERATIONS))) if name is None else name
    return OPERATIONS[name].draw(Small(Drawn(data)))
