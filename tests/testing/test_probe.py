"""The comparison with references can fail: for every operation it sees a small error anywhere."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.test_operations import draw_experiment
from striate.testing.choices import Seeded
from striate.testing.comparisons import check_gradients, check_losses, check_output
from striate.testing.experiments import Experiment
from striate.testing.operations import OPERATIONS
from striate.testing.probe import Fast, infer

SEEDS = range(8)


def experiments(name: str) -> list[Experiment]:
    return [draw_experiment(OPERATIONS[name], Seeded(seed)) for seed in SEEDS]


def fails(check: object, *arguments: object) -> bool:
    try:
        check(*arguments)  # type: ignore[operator]
    except AssertionError:
        return True
    return False


def sees(experiment: Experiment, fast: Fast) -> bool:
    losses, gradient = fast.run()
    return fails(check_losses, experiment, losses) or fails(check_gradients, experiment, fast.result(gradient))


READING = [name for name, operation in OPERATIONS.items() if not operation.indices and name != "constant"]


@pytest.mark.parametrize("name", READING)
def test_other_inputs_are_seen(name: str) -> None:
    """One sample differs by a fiftieth, or by one in whole numbers."""
    found = []
    for experiment in experiments(name):
        fast = Fast(experiment)
        weight = fast.network.views(fast.session.vectors.theta)["source0.weight"]
        change = np.random.default_rng(0).choice([-1.0, 1.0], len(weight))
        weight[:, -1] += change * (1.0 if experiment.setting.whole else 0.02 * np.abs(weight).max())
        found.append(sees(experiment, fast))
    assert sum(found) >= len(found) / 2


@pytest.mark.parametrize("name", ["convolution", "linear", "transposed convolution", "batch norm", "subsampling"])
def test_one_other_weight_is_seen(name: str) -> None:
    found = []
    for experiment in experiments(name):
        if not experiment.values.parameters:
            continue
        fast = Fast(experiment)
        weight = fast.network.views(fast.session.vectors.theta)["probe.weight"].reshape(-1)
        weight[-1] += 1.0 if experiment.setting.whole else 0.1
        found.append(sees(experiment, fast))
    assert sum(found) >= 0.8 * len(found)


@pytest.mark.parametrize("name", OPERATIONS)
def test_one_wrong_number_is_seen(name: str) -> None:
    """A number that is off by twice its bound, or NaN, is found wherever it stands."""
    experiment = experiments(name)[0]
    output = infer(experiment)
    check_output(experiment, output)
    for wrong in (np.nan, 2.0 * np.abs(output).max() + 1.0):
        changed = output.copy()
        changed.flat[changed.size // 2] = wrong
        with pytest.raises(AssertionError):
            check_output(experiment, changed)
    fast = Fast(experiment)
    losses, gradient = fast.run()
    losses[-1] *= 1.1
    losses[-1] += 0.1
    with pytest.raises(AssertionError, match="loss"):
        check_losses(experiment, losses)
    result = fast.result(gradient)
    if not OPERATIONS[name].indices:
        largest = max(float(size.max(initial=1.0)) for size in experiment.size.inputs)
        for i in range(len(result.inputs)):
            inputs = [x.copy() for x in result.inputs]
            inputs[i].flat[-1] += largest
            with pytest.raises(AssertionError, match=f"gradient of input {i}"):
                check_gradients(experiment, dataclasses.replace(result, inputs=tuple(inputs)))
    for key, value in result.parameters.items():
        changed = value.copy()
        changed.flat[0] = np.nan
        with pytest.raises(AssertionError, match=f"gradient of {key}"):
            check_gradients(experiment, dataclasses.replace(result, parameters={**result.parameters, key: changed}))


def test_bounds_are_small() -> None:
    """Nothing is proved by a bound as large as the numbers themselves."""
    for name in OPERATIONS:
        for experiment in experiments(name):
            roundings = OPERATIONS[name].roundings(experiment.case, experiment.setting.batch)
            assert max(roundings.output, roundings.inputs, roundings.parameters) < 2**20, name
