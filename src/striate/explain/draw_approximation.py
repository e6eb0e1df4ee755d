"""Draw networks that approximate a function: side by side, or as an animation of their training."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.axes import new_axes
from striate.explain.approximation import Approximation, Fit
from striate.layers.arguments import real

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PIECES = 12  # units whose parts of the sum are drawn
FIT, TRUTH, DOTS, PIECES = "#d55e00", "#6b6b6b", "#0072b2", "#9fb4c7"


def draw_approximation(found: Approximation, frame: int = -1) -> Axes:
    """Draw what each network learnt, and the errors over the number of units."""
    figure: Any = new_axes(None, size=(3.1 * (len(found.fits) + 1), 3.3)).figure
    figure.clear()
    *panels, last = figure.subplots(1, len(found.fits) + 1)
    for axes, fit in zip(panels, found.fits, strict=True):
        _draw_fit(axes, found, fit, frame)
    panels[0].set_ylabel("y")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, loc="outside lower center", ncols=len(labels))
    units = [fit.units for fit in found.fits]
    last.loglog(units, [fit.train_error for fit in found.fits], "o-", color=DOTS, label="samples")
    last.loglog(units, [fit.new_error for fit in found.fits], "s--", color=FIT, label="new samples")
    last.set_xticks(units, [str(n) for n in units])
    last.minorticks_off()
    last.set(xlabel="hidden units", ylabel="mean squared error")
    last.grid(color="#e0e0e0", linewidth=0.6)
    last.legend(fontsize=7)
    first: Axes = panels[0]
    return first


def _draw_fit(axes: Any, found: Approximation, fit: Fit, frame: int) -> Any:
    if fit.units <= MOST_PIECES and frame == -1:
        for n, piece in enumerate(fit.pieces):
            axes.plot(found.grid, piece, color=PIECES, linewidth=0.7, label="" if n else "one unit")
    axes.plot(found.x, found.y, ".", color=DOTS, markersize=4, alpha=0.7, label="samples", zorder=3)
    axes.plot(found.grid, found.truth, "--", color=TRUTH, linewidth=1.0, label="function")
    (line,) = axes.plot(found.grid, fit.curves[frame], color=FIT, linewidth=1.8, label="network")
    low, high = min(found.y.min(), found.truth.min()), max(found.y.max(), found.truth.max())
    room = 0.25 * ((high - low) or 1.0)
    axes.set_ylim(low - room, high + room)
    axes.set_xlabel("x")
    axes.set_title(f"{fit.units} unit{'s' * (fit.units > 1)}", fontsize=9)
    return line


def animated_approximation(found: Approximation, seconds: float = 0.15) -> bytes:
    """Return the networks as they learn, ``seconds`` for each frame, as the bytes of an endless GIF."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure: Any = new_axes(None, size=(2.7 * len(found.fits), 2.8)).figure
    figure.clear()
    panels = np.ravel(figure.subplots(1, len(found.fits)))
    lines = [_draw_fit(axes, found, fit, 0) for axes, fit in zip(panels, found.fits, strict=True)]
    panels[0].set_ylabel("y")
    title = figure.suptitle("", fontsize=9)
    canvas, images = FigureCanvasAgg(figure), []
    for frame, epoch in enumerate(found.frames):
        title.set_text(f"epoch {epoch}")
        for line, fit in zip(lines, found.fits, strict=True):
            line.set_ydata(fit.curves[frame])
        canvas.draw()
        images.append(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").quantize(64))
    room = io.BytesIO()
    times = [round(1000 * real(seconds, "seconds", above=0))] * (len(images) - 1) + [2000]
    images[0].save(room, "GIF", save_all=True, append_images=images[1:], duration=times, loop=0)
    return room.getvalue()
