"""Watch one metric of the epochs for improvement."""

from __future__ import annotations

import math
from collections.abc import Collection

from striate.errors import UsageError
from striate.training.history import EpochRecord


class Monitor:
    """Compares a metric with the best so far.

    Parameters
    ----------
    key : {"loss", "accuracy", "val_loss", "val_accuracy"}
    mode : {"auto", "min", "max"}
        Whether less or more is better; "auto" means more for an accuracy.
    min_delta : float
        What counts as an improvement.
    owner : str
        For messages.
    """

    def __init__(self, key: str, mode: str, min_delta: float, owner: str) -> None:
        self.key, self.owner = key, owner
        self.sign = 1.0 if mode == "max" or (mode == "auto" and "accuracy" in key) else -1.0
        self.min_delta = min_delta

    def check(self, metrics: Collection[str]) -> None:
        """Raise UsageError unless the metric is among those that the epochs of a training have."""
        if self.key not in metrics:
            raise UsageError(
                f"{self.owner}: watches {self.key}, which this training does not have; "
                f"got {', '.join(metrics)}. Give validation data, or watch another metric, such as loss."
            )

    def value(self, record: EpochRecord) -> float:
        """Return the metric of an epoch."""
        return float(getattr(record, self.key))

    def improves(self, value: float, best: float | None) -> bool:
        """Return whether ``value`` is better than ``best`` (None: none yet) by more than ``min_delta``."""
        return not math.isnan(value) and (best is None or self.sign * (value - best) > self.min_delta)
