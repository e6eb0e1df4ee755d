"""Other processes that take part in a training; see ``striate.distributed``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

if TYPE_CHECKING:
    from striate.data.dataset import Dataset
    from striate.model import Model
    from striate.training.batches import Batches
    from striate.training.job import Job
    from striate.training.state import TrainingState

T = TypeVar("T")


class Ranks(Protocol):
    """The processes of a training: one leads, the others follow it step by step."""

    leads: bool
    size: int

    def threads(self, wanted: int | None) -> int:
        """Return the threads of a process: those that are wanted, else its share of this machine's."""

    def begin_run(self, config: dict[str, Any]) -> None:
        """Let the others read the data of a run, which ``RunConfig.to_dict`` described."""

    def meet(self, state: TrainingState, job: Job) -> None:
        """Let the others train with this state; raises StriateError if they cannot."""

    def session(self, network: Any, *, threads: int | None, **settings: Any) -> Any:
        """Return the session of this process."""

    def together(self, make: Callable[[], T]) -> T:
        """Return what ``make`` returns; raises what it raises in any process."""

    def batches(self, batches: Batches, session: Any) -> Batches:
        """Return batches that the others see too."""

    def scores(self, model: Model, inputs: np.ndarray, loss: Any) -> np.ndarray:
        """Return ``model.scores``, of which every process computes a part."""

    def end(self) -> None:
        """Let the others end the training."""

    def follow(self, train: Dataset, validation: Dataset | None) -> TrainingState:
        """Take part in the training that another process leads; return where it ended."""


current: Ranks | None = None
"""Set by ``striate.distributed.join``."""
