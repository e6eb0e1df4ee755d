from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from striate.search.pruning import FEWEST, WARM_UP, WHOLE, is_worse


@dataclass
class Trial:
    number: int
    values: list[float]
    state_name: str = "COMPLETE"
    user_attrs: dict[str, str] = field(default_factory=dict)

    @property
    def state(self):
        return SimpleNamespace(name=self.state_name)

    @property
    def intermediate_values(self):
        return dict(enumerate(self.values, 1))


def others(*values: float, state: str = "COMPLETE") -> list[Trial]:
    return [Trial(number, [0.0] * (WARM_UP - 1) + [value], state) for number, value in enumerate(values)]


@pytest.mark.parametrize("state", ["COMPLETE", "RUNNING"])
@pytest.mark.parametrize("maximise", [True, False])
def test_a_trial_is_compared_with_the_median_of_others(state, maximise):
    known = others(0.1, 0.2, 0.3, 0.4, 0.5, state=state)
    for value, low in ((0.29, True), (0.3, False), (0.31, False)):
        sign = 1 if maximise else -1
        trials = [*known, Trial(WHOLE, [value] * WARM_UP, "RUNNING")]
        turned = [Trial(t.number, [sign * v for v in t.values], t.state_name) for t in trials]
        assert is_worse(turned, WHOLE, WARM_UP, maximise) == low


def test_the_best_epoch_of_the_trial_counts():
    known = others(0.1, 0.2, 0.3, 0.4, 0.5)
    assert not is_worse([*known, Trial(WHOLE, [0.9, 0.0], "RUNNING")], WHOLE, WARM_UP, True)


def test_the_first_trials_and_the_first_epochs_are_safe():
    known = others(0.9, 0.9, 0.9, 0.9, 0.9)
    assert not is_worse([*known[:-1], Trial(WHOLE - 1, [0.0, 0.0], "RUNNING")], WHOLE - 1, WARM_UP, True)
    assert not is_worse([*known, Trial(WHOLE, [0.0], "RUNNING")], WHOLE, WARM_UP - 1, True)
    assert is_worse([*known, Trial(WHOLE, [0.0, 0.0], "RUNNING")], WHOLE, WARM_UP, True)


def test_trials_that_do_not_fit_are_not_among_the_first():
    known = others(0.9, 0.9, 0.9, 0.9, 0.9)
    known[0].user_attrs["misfit"], known[0].state_name = "too large", "PRUNED"
    assert not is_worse([*known, Trial(WHOLE, [0.0, 0.0], "RUNNING")], WHOLE, WARM_UP, True)


def test_running_trials_that_may_be_stopped_do_not_count():
    known = others(*[0.5] * WHOLE)
    late = [Trial(WHOLE + n, [0.9, 0.9], "RUNNING") for n in range(WHOLE + 2)]
    own = Trial(len(known) + len(late), [0.6, 0.6], "RUNNING")
    assert not is_worse([*known, *late, own], own.number, WARM_UP, True)
    finished = [Trial(trial.number, trial.values) for trial in late]
    assert is_worse([*known, *finished, own], own.number, WARM_UP, True)


def test_few_values_have_no_median():
    known = others(*[0.9] * WHOLE)
    for trial in known[FEWEST - 1 :]:
        trial.values = []
    own = Trial(WHOLE, [0.0, 0.0], "RUNNING")
    assert not is_worse([*known, own], WHOLE, WARM_UP, True)
    known[FEWEST - 1].values = [0.9, 0.9]
    assert is_worse([*known, own], WHOLE, WARM_UP, True)
