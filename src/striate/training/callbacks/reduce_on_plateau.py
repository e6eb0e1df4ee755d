"""Lower the learning rate when a figure no longer improves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.layers.arguments import integer, real
from striate.training.callbacks.base import Callback
from striate.training.callbacks.monitor import Monitor

if TYPE_CHECKING:
    from striate.training.history import EpochRecord
    from striate.training.trainer import Trainer


class ReduceOnPlateau(Callback):
    """Multiply the learning rate by ``factor`` after ``patience`` epochs without an improvement.

    Parameters
    ----------
    monitor : {"val_loss", "val_accuracy", "loss", "accuracy"}
    factor : float
        Above 0 and below 1.
    patience : int
    min_delta : float
        A smaller change does not count.
    mode : {"auto", "min", "max"}
    cooldown : int
        Epochs after a reduction in which nothing is counted.
    floor : float
        The learning rate is not brought below this.
    """

    name = "reduce_on_plateau"

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 1e-4,
        mode: str = "auto",
        cooldown: int = 0,
        floor: float = 0.0,
    ) -> None:
        self.monitor = Monitor(monitor, mode, min_delta, "reduce on plateau")
        self.factor = real(factor, "reduce on plateau: factor", above=0, below=1)
        self.patience = integer(patience, "reduce on plateau: patience", minimum=0)
        self.cooldown = integer(cooldown, "reduce on plateau: cooldown", minimum=0)
        self.floor = real(floor, "reduce on plateau: floor", above=0, closed=True)
        self.best: float | None = None
        self.waited = 0
        self.cooling = 0

    def check(self, trainer: Trainer) -> None:
        """Raise UsageError if the training does not have the figure."""
        self.monitor.check(trainer.figures)

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Compare the epoch with the best one."""
        value = self.monitor.value(record)
        if self.cooling:
            self.cooling -= 1
            self.waited = 0
        if self.monitor.improves(value, self.best):
            self.best, self.waited = value, 0
        elif not self.cooling:
            self.waited += 1
            if self.waited >= self.patience and record.learning_rate > self.floor:
                reduced = max(self.factor, self.floor / record.learning_rate)
                trainer.learning_rate_factor *= reduced
                self.cooling, self.waited = self.cooldown, 0

    def state(self) -> dict[str, Any]:
        """Return the best value, and how long there has been no better one."""
        return {"best": self.best, "waited": self.waited, "cooling": self.cooling}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what ``state`` returned."""
        self.best, self.waited, self.cooling = state["best"], state["waited"], state["cooling"]
