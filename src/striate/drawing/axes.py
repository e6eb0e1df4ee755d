"""What all drawings with matplotlib share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def new_axes(
    axes: Axes | None, vertical: str = "", horizontal: str = "", size: tuple[float, float] = (6.4, 4.8)
) -> Axes:
    """Return `axes`, or the axes of a new figure of `size` inches, with labels.

    The figure does not belong to pyplot: no window opens and nothing has to be closed.
    """
    from matplotlib.figure import Figure

    if axes is None:
        axes = Figure(figsize=size, layout="constrained").add_subplot()
    axes.set_ylabel(vertical)
    axes.set_xlabel(horizontal)
    return axes
