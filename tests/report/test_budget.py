from __future__ import annotations

import pytest

from striate.report import budget
from striate.report.budget import Budget


def test_it_is_over_when_another_like_the_last_would_come_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.5, 2.0, 3.1])
    monkeypatch.setattr(budget.time, "perf_counter", lambda: next(clock))
    found = Budget(4.0)
    assert [found.is_over() for _ in range(3)] == [False, False, True]  # a third would end at 4.2 s


def test_what_came_before_the_first_step_is_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 3.0, 3.5])
    monkeypatch.setattr(budget.time, "perf_counter", lambda: next(clock))
    found = Budget(4.5)
    found.begin()
    assert not found.is_over()  # half a second each, not three and a half
