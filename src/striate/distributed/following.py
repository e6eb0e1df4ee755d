"""The ranks other than 0, which follow its commands."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from striate.data.dataset import Dataset
from striate.distributed import commands
from striate.distributed.group import Group
from striate.distributed.meeting import Notes, compare
from striate.distributed.session import RankSession
from striate.distributed.validation import shared_scores
from striate.errors import StriateError
from striate.training.batches import Batch, Batches
from striate.training.fingerprint import fingerprint
from striate.training.job import Job, plan_job
from striate.training.run.build import load_splits
from striate.training.run.config import RunConfig
from striate.training.run.start import starting_model
from striate.training.session import batches_for, stepper_for
from striate.training.state import TrainingState
from striate.training.stepper import Stepper


class Left(StriateError):
    """Rank 0 has ended and reported why."""


def serve(group: Group) -> None:
    """Take part in all runs that rank 0 leads until it ends: ``striate train`` on the other ranks."""
    with _deaf(), _all_or_none(group):
        while int(group.command([])[0]) == commands.RUN:
            splits, problem = None, None
            try:
                config = RunConfig.from_dict(group.share())
                splits = load_splits(config, starting_model(config.model))
            except (StriateError, OSError) as error:
                problem = str(error)
            try:
                train, validation = (splits.train, splits.validation) if splits else (None, None)
                follow(group, train, validation, problem)
            except Left:
                return
            except StriateError:
                continue  # which rank 0 reports


def follow(
    group: Group, train: Dataset | None, validation: Dataset | None, problem: str | None = None
) -> TrainingState:
    """Take part in the training that rank 0 leads; return where it ended.

    Parameters
    ----------
    train, validation : Dataset or None
    problem : str, optional
        Why there are no data.

    Raises
    ------
    StriateError
        If the ranks cannot train together, or rank 0 ends before it begins.
    """
    from striate.distributed.ranks import together

    with _deaf(), _all_or_none(group):
        if int(group.command([])[0]) != commands.MEET:
            raise Left("ranks: rank 0 has ended before the training began.")
        compare(group.gather(Notes.of(None if train is None else fingerprint(train), problem)))
        assert train is not None
        state: TrainingState
        state, weights = group.share()
        job = replace(plan_job(state, train, validation, None, False), weights=weights)
        batches = batches_for(state, job)
        stepper = together(group, lambda: stepper_for(state, job, batches))
        _Follower(group, state, job, replace(batches, own=stepper.session.own_samples), stepper).run()
        return state


class _Follower:
    """One training of a rank that follows."""

    def __init__(self, group: Group, state: TrainingState, job: Job, batches: Batches, stepper: Stepper) -> None:
        self.group, self.state, self.job, self.batches, self.stepper = group, state, job, batches, stepper
        self.session: RankSession = stepper.session
        self.session.active = True
        self.coming: Iterator[Batch] = iter(())
        self.single: Batch | None = None

    def run(self) -> None:
        """Follow until the training ends."""
        actions: dict[int, Callable[..., None]] = {
            commands.EPOCH: self.begin_epoch,
            commands.BATCH: self.take_batch,
            commands.STEP: self.step,
            commands.SPREAD: lambda *_: self.session.receive(),
            commands.COLLECT: lambda *_: self.session.collect(),
            commands.SCORES: self.score,
        }
        while True:
            command, *numbers = self.group.command([])
            if command in (commands.END, commands.LEAVE):
                self.state.synchronise()
                self.session.active = False
                return
            actions[int(command)](*numbers)

    def begin_epoch(self, epoch: float, size: float, first: float, *_: float) -> None:
        order = self.batches.order(int(epoch))
        self.coming, self.single = self.batches.of_epoch(order, int(epoch), int(size), int(first)), None

    def take_batch(self, epoch: float, *_: float) -> None:
        self.single = self.batches.batch(self.group.share(), int(epoch))

    def step(self, number: float, count: float, *numbers: float) -> None:
        batch, self.single = self.single or next(self.coming), None
        with suppress(StriateError):  # which all ranks raise, and rank 0 reports
            self.stepper.step(batch, tuple(numbers[: int(count)]), int(number))

    def score(self, *_: float) -> None:
        assert self.job.validation is not None
        self.state.synchronise()
        shared_scores(self.group, self.state.model, self.job.validation.inputs, self.job.loss)


@contextmanager
def _all_or_none(group: Group) -> Iterator[None]:
    """End all ranks if this one fails in a way that the others cannot notice."""
    try:
        yield
    except StriateError:
        raise
    except BaseException:
        traceback.print_exc()
        group.abort()


@contextmanager
def _deaf() -> Iterator[None]:
    """Ignore the signals that ask to stop: rank 0 gets them too and decides when."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
