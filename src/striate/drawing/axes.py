"""Shared by all drawings with matplotlib."""

from __future__ import annotations

import base64
import io
from functools import cache
from textwrap import wrap
from typing import TYPE_CHECKING

from striate.drawing.html import Markup, element, empty_element

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def new_axes(
    axes: Axes | None, vertical: str = "", horizontal: str = "", size: tuple[float, float] = (6.4, 4.8)
) -> Axes:
    """Return `axes`, or the axes of a new figure of `size` inches, with labels.

    The figure does not belong to pyplot: no window opens and nothing has to be closed. Notebooks show it.
    """
    from matplotlib.figure import Figure

    if axes is None:
        axes = Figure(figsize=size, layout="constrained").add_subplot(axes_class=_shown_axes())
    axes.set_ylabel(vertical)
    axes.set_xlabel(horizontal)
    return axes


@cache
def _shown_axes() -> type[Axes]:
    """Return axes that notebooks show as the figure they are on."""
    from matplotlib.axes import Axes

    class Drawing(Axes):
        """Axes that are shown as a picture."""

        def _repr_html_(self) -> str:
            return as_image(self, self.get_title() or "drawing")

    return Drawing


def set_title(axes: Axes, title: str, size: int = 10) -> None:
    """Set a title in as many lines as the width of the figure needs."""
    inches = axes.figure.bbox.width / axes.figure.dpi
    characters = max(16, int(inches * 128 / size))  # a character is about 0.56 of the size wide
    axes.set_title("\n".join(line for part in title.split("\n") for line in wrap(part, characters)), fontsize=size)


def whole_ticks(axes: Axes, which: str = "xy") -> None:
    """Put ticks at whole numbers only, on both axes or one, for positions in a grid."""
    from matplotlib.ticker import MaxNLocator

    for name in which:
        getattr(axes, f"{name}axis").set_major_locator(MaxNLocator(integer=True))


def as_image(axes: Axes, title: str) -> Markup:
    """Return the figure of axes as an SVG image inside a page, in a box that scrolls."""
    from matplotlib import rc_context

    room, figure = io.BytesIO(), axes.get_figure(root=True)
    assert figure is not None
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "striate"}):
        figure.savefig(room, format="svg", metadata={"Date": None, "Creator": None})
    source = "data:image/svg+xml;base64," + base64.b64encode(room.getvalue()).decode()
    return element("div", empty_element("img", src=source, alt=title), class_="diagram")
