"""The history of a training, epoch by epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from striate.errors import UsageError, unknown_name


@dataclass(frozen=True)
class EpochRecord:
    """The record of one epoch.

    Parameters
    ----------
    epoch : int
        Counted from 1.
    loss, accuracy : float
        Means over the epoch, each batch before its step; accuracy None for regression.
    val_loss, val_accuracy : float, optional
        After the epoch; None without a validation split.
    learning_rate : float
        Of the last step.
    steps : int
        Steps taken since training began.
    seconds : float
        With validation.
    samples_per_second : float
        Without validation.
    """

    epoch: int
    loss: float
    accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    steps: int
    seconds: float
    samples_per_second: float

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> EpochRecord:
        """Return the record that ``to_dict`` described, of earlier versions too."""
        renamed = {"images_per_second": "samples_per_second"}
        return cls(**{renamed.get(key, key): value for key, value in record.items()})


@dataclass(repr=False)
class History:
    """The epochs of a training.

    Parameters
    ----------
    records : list of EpochRecord
    interrupted : bool
        The user stopped it (Ctrl-C).
    stop_reason : str, optional
        Why it ended before the last epoch.
    signal : int, optional
        That interrupted it.
    """

    records: list[EpochRecord] = field(default_factory=list)
    interrupted: bool = False
    stop_reason: str | None = None
    signal: int | None = None

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, key: str) -> list[Any]:
        """Return one metric of every epoch, such as ``history["val_loss"]``.

        Raises
        ------
        UsageError
            If no metric has this name.
        """
        if not isinstance(key, str):
            raise UsageError(
                f"history: needs the name of a metric; got {key!r}. "
                f"Write history['loss'], or history.records[{key!r}] for an epoch."
            )
        known = [field.name for field in dataclasses.fields(EpochRecord)]
        if key not in known:
            raise unknown_name("history", key, known)
        return [getattr(record, key) for record in self.records]

    def __repr__(self) -> str:
        if not self.records:
            return "<History, no epochs>"
        last = self.records[-1]
        scores = {"loss": last.loss, "val_loss": last.val_loss, "val_accuracy": last.val_accuracy}
        shown = ", ".join(f"{name} {value:.4g}" for name, value in scores.items() if value is not None)
        return f"<History, {len(self)} epoch{'s' * (len(self) != 1)}: {shown}>"

    def _repr_html_(self) -> str:
        """Return the curves of loss and accuracy, for notebooks."""
        from striate.drawing.html import element
        from striate.drawing.notebook import shown
        from striate.drawing.svg import curves

        charts = []
        for key in ("loss", "accuracy"):
            series = {}
            for name, label in ((key, "training"), (f"val_{key}", "validation")):
                found = zip(self["epoch"], self[name], strict=True)
                series[label] = [(float(x), float(y)) for x, y in found if y is not None]
            charts.append(curves(key, "epoch", series))
        return shown(element("p", repr(self)[1:-1]), *charts)

    def plot(self, axes: Any = None) -> Any:
        """Draw loss and accuracy over the epochs with matplotlib; return the axes.

        Parameters
        ----------
        axes : two matplotlib Axes, optional
            Those of a new figure by default.
        """
        from striate.training.plotting import plot_history

        return plot_history(self, axes)
