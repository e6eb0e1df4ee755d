"""Checks that the engine computes what the reference means, within bounds that come from arithmetic."""

from __future__ import annotations

from striate.machine import default_lanes
from striate.testing.comparisons import check_gradients, check_losses, check_output, check_states
from striate.testing.draws import Case
from striate.testing.experiments import Experiment, Setting, prepare
from striate.testing.operations import Operation
from striate.testing.probe import Fast, infer


def check_kernels(entry: Operation, case: Case, batch: int, seed: int) -> None:
    """Outputs and gradients on float32 numbers and, where sums of them are exact, on whole numbers."""
    lanes = default_lanes()
    if entry.above is not None:  # lanes without a sample hold zeros, where there are poles
        batch = -(-batch // lanes) * lanes
    for whole in (False, True) if entry.exact(case) else (False,):
        setting = Setting(batch, lanes, whole, seed, entry.winograd)
        experiment = prepare(entry, case, setting)
        check_output(experiment, infer(experiment))
        check_training(experiment)


def check_training(experiment: Experiment, less: int = 0) -> Fast:
    """Compare a step of training with the reference, and with one on two threads, bit by bit.

    Parameters
    ----------
    experiment : Experiment
    less : int
        Samples of a smaller batch that is run in between; it must leave nothing behind.
    """
    fast = Fast(experiment)
    losses, gradient = fast.run()
    check_states(experiment, fast)
    check_losses(experiment, losses)
    check_gradients(experiment, fast.result(gradient))
    if less:
        fast.run(less)
    again, same = fast.run(threads=2)
    for what, one, other in (("losses", losses, again), ("gradient", gradient, same)):
        if one.tobytes() != other.tobytes():
            raise AssertionError(f"{what}: two threads give other bits than one")
    return fast
