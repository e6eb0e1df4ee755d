"""What all drawings with matplotlib share."""

from __future__ import annotations

from textwrap import wrap
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


def set_title(axes: Axes, title: str, size: int = 10) -> None:
    """Set a title in as many lines as the width of the figure needs."""
    inches = axes.figure.bbox.width / axes.figure.dpi
    characters = max(16, int(inches * 128 / size))  # a character is about 0.56 of the size wide
    axes.set_title("\n".join(line for part in title.split("\n") for line in wrap(part, characters)), fontsize=size)


def whole_ticks(axes: Axes) -> None:
    """Let the ticks of both axes be whole numbers, for places in a grid."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
