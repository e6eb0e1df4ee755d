"""The group as training sees it: rank 0 leads, the others follow its commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

from striate.data.dataset import Dataset
from striate.distributed import commands
from striate.distributed.following import follow
from striate.distributed.group import Group
from striate.distributed.meeting import Notes, compare
from striate.distributed.session import RankSession
from striate.distributed.validation import shared_scores
from striate.errors import StriateError
from striate.machine import available_threads
from striate.model import Model
from striate.training.batches import Batch, Batches
from striate.training.job import Job
from striate.training.state import TrainingState

T = TypeVar("T")


class Team:
    """A group as training sees it (`striate.training.ranks.Ranks`).

    Parameters
    ----------
    group : Group
    """

    def __init__(self, group: Group) -> None:
        self.group, self.leads, self.size = group, group.leads, group.size
        self._session: RankSession | None = None

    def threads(self, wanted: int | None) -> int:
        """Return the threads of a rank: the number asked for, else a share of this machine's."""
        return wanted or max(1, available_threads() // self.group.ranks_here)

    def session(self, network: Any, *, threads: int | None, **settings: Any) -> RankSession:
        """Return the session of this rank."""
        return RankSession(self.group, network, threads=self.threads(threads), **settings)

    def meet(self, state: TrainingState, job: Job) -> None:
        """Check that all ranks can train together, and send them the initial state; see `compare`."""
        self.group.command([commands.MEET])
        compare(self.group.gather(Notes.of(state.fingerprint)))
        self.group.share((portable(state), job.weights))

    def together(self, make: Callable[[], T]) -> T:
        """Return what ``make`` returns; raises what it raises on any rank."""
        return together(self.group, make)

    def batches(self, batches: Batches, session: RankSession) -> Batches:
        """Return batches that the other ranks see too."""
        session.active, self._session = True, session
        values = {field.name: getattr(batches, field.name) for field in fields(batches)}
        return _LeadingBatches(**values | {"own": session.own_samples}, group=self.group)

    def scores(self, model: Model, inputs: np.ndarray, loss: Any) -> np.ndarray:
        """Return ``model.scores``; every rank computes a part of it."""
        self.group.command([commands.SCORES])
        return shared_scores(self.group, model, inputs, loss)

    def end(self) -> None:
        """Let the others end the training."""
        self.group.command([commands.END])
        if self._session is not None:
            self._session.active = False

    def begin_run(self, config: dict[str, Any]) -> None:
        """Let the others read the data of a run."""
        self.group.command([commands.RUN])
        self.group.share(config)

    def follow(self, train: Dataset, validation: Dataset | None) -> TrainingState:
        """Take part in the training that rank 0 leads; return where it ended."""
        return follow(self.group, train, validation)


def together(group: Group, make: Callable[[], T]) -> T:
    """Return what ``make`` returns; raises what it raises on any rank."""
    made, failed = None, None
    try:
        made = make()
    except StriateError as error:
        failed = error
    found = group.gather(failed and str(failed))
    if failed is not None:
        raise failed
    for rank, text in enumerate(found):
        if text:
            raise StriateError(f"rank {rank}: {text}")
    return made  # type: ignore[return-value]


def portable(state: TrainingState) -> TrainingState:
    """Return a copy of a state without what belongs to rank 0 alone."""
    settings = state.settings
    if callable(settings.learning_rate):  # rank 0 says the rate of every step
        assert settings.optimizer is not None
        settings = settings.changed(learning_rate=settings.optimizer.learning_rate)
    return TrainingState(settings, state.model, state.factors)


@dataclass(frozen=True, eq=False)
class _LeadingBatches(Batches):
    """Batches of rank 0, which tells the others what comes next."""

    group: Group = None  # type: ignore[assignment]

    def of_epoch(self, order: np.ndarray, epoch: int, size: int, first: int) -> Iterator[Batch]:
        self.group.command([commands.EPOCH, epoch, size, first])
        yield from super().of_epoch(order, epoch, size, first)

    def batch(self, index: np.ndarray, epoch: int, *more: Any) -> Batch:
        if not more:  # not one of an epoch
            self.group.command([commands.BATCH, epoch])
            self.group.share(index)
        return super().batch(index, epoch, *more)
