"""Plots of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.training.history import History
    from striate.training.learning_rate_finder import RateSearch


def pyplot() -> Any:
    """Return matplotlib.pyplot, imported when it is first needed."""
    import matplotlib.pyplot as plt

    return plt


def plot_history(history: History, axes: Any = None) -> Any:
    """Draw the curves of a history into two axes, loss and accuracy; return them."""
    from striate.drawing.axes import whole_ticks

    if axes is None:
        _, axes = pyplot().subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for panel, key in zip(axes, ("loss", "accuracy"), strict=True):
        for name, label in ((key, "training"), (f"val_{key}", "validation")):
            points = [(e, v) for e, v in zip(history["epoch"], history[name], strict=True) if v is not None]
            if points:
                panel.plot(*zip(*points, strict=True), marker="o", markersize=3, label=label)
        panel.set_xlabel("epoch")
        whole_ticks(panel, "x")
        panel.set_ylabel(key)
        if panel.lines:
            panel.legend(frameon=False)
    return axes


def plot_rates(search: RateSearch, axes: Any = None) -> Any:
    """Draw the loss over the learning rate into axes, cut off where it explodes; return them."""
    if axes is None:
        _, axes = pyplot().subplots(figsize=(5, 3.5), layout="constrained")
    axes.plot(search.rates, search.losses)
    axes.axvline(search.suggestion, linestyle=":", color="black", label=f"suggestion {search.suggestion:.2g}")
    axes.set_xscale("log")
    low, high = float(search.losses.min()), float(search.losses[: int(search.losses.argmin()) + 1].max())
    axes.set_ylim(low - 0.1 * (high - low), high + 0.5 * (high - low) or None)
    axes.set_xlabel("learning rate")
    axes.set_ylabel("loss, smoothed")
    axes.legend(frameon=False)
    return axes
