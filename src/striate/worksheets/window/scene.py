"""The shapes of the drawing: rectangles, lines and words in pixels, the same for SVG and GIF."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from textwrap import wrap
from typing import Any

from striate.numbers import format_number
from striate.worksheets.arithmetic.formula import filled
from striate.worksheets.window.geometry import Cell, Frame, SlidingWindow

INPUT, OUTPUT, TAP, DONE = "#bcd7f0", "#d5efe5", "#2f6ea8", "#1b9e77"
MOST_LETTERS = 96  # of a line of a written sum
INK, PALE, FRAME = "#1a1a1a", "#9aa5b1", "#d95f02"


@dataclass(frozen=True)
class Rectangle:
    """A rectangle; `fill` "" for none, `dashed` for cells that are not there."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str = "#ffffff"
    dashed: bool = False
    line: float = 1.0


@dataclass(frozen=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    stroke: str


@dataclass(frozen=True)
class Word:
    """Text whose middle is at (x, y), or whose left end is if `left`."""

    x: float
    y: float
    text: str
    size: float
    fill: str = INK
    left: bool = False


Shape = Rectangle | Line | Word


@dataclass(frozen=True)
class Grid:
    """Slices of cells side by side; (x, y) is the corner of the cell `start`."""

    x: float
    y: float
    start: Cell
    stop: Cell
    cell: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        slices = self.stop[0] - self.start[0] if len(self.start) == 3 else 1
        return slices * self._slice + (slices - 1) * self.cell * 0.6

    @property
    def height(self) -> float:
        """Height in pixels."""
        return (self.stop[-2] - self.start[-2] if len(self.start) > 1 else 1) * self.cell

    @property
    def _slice(self) -> float:
        return (self.stop[-1] - self.start[-1]) * self.cell

    def corner(self, at: Cell) -> tuple[float, float]:
        """Return the upper left corner of a cell."""
        x = self.x + (at[-1] - self.start[-1]) * self.cell
        if len(at) == 3:
            x += (at[0] - self.start[0]) * (self._slice + self.cell * 0.6)
        return x, self.y + (at[-2] - self.start[-2] if len(at) > 1 else 0) * self.cell

    def cells(self) -> list[Cell]:
        """Return every cell in reading order."""
        return list(product(*(range(a, b) for a, b in zip(self.start, self.stop, strict=True))))


@dataclass(frozen=True)
class Scene:
    """Size in pixels, the shapes that stay, the shapes of every frame, and what stays from the next one on."""

    width: int
    height: int
    still: list[Shape]
    frames: list[list[Shape]]
    lasting: list[list[Shape]]


def make_scene(window: SlidingWindow, only: Cell | None = None) -> Scene:
    """Return the drawing of a window at every position, or at one."""
    captions = _captions(window)
    source, target = _grids(window, top=14.0 + 19 * len(captions))
    still: list[Shape] = [Word(12, 18 + 19 * i, text, 12.5 - (i > 0), left=True) for i, text in enumerate(captions)]
    still += _input_cells(window, source)
    bottom = max(source.y + source.height, target.y + target.height)
    words, sums = max(len(text) for text in captions) * 6.6 + 24, 0
    frames: list[list[Shape]] = []
    lasting: list[list[Shape]] = []
    for frame in [window.frame(*only)] if only is not None else window.frames():
        written = [
            line
            for text in window.sum_text(frame).splitlines()
            for line in wrap(text, MOST_LETTERS, subsequent_indent="    ", break_on_hyphens=False)
        ]
        lines = [Word(14, bottom + 20 + 17 * n, text, 11.5, left=True) for n, text in enumerate(written)]
        frames.append([*_window(window, frame, source, target), *lines])
        words, sums = max([words, *(len(text) * 6.9 + 24 for text in written)]), max(sums, 17 * len(written))
        value = frame.value
        lasting.append([] if value is None else [_number(target, frame.position, value, INK)])
    still += [Rectangle(*target.corner(cell), target.cell, target.cell, OUTPUT) for cell in target.cells()]
    right = max(source.x + source.width, target.x + target.width)
    return Scene(round(max(right + 14, words)), round(bottom + 14 + sums), still, frames, lasting)


def _grids(window: SlidingWindow, top: float) -> tuple[Grid, Grid]:
    """Place the input and the output: side by side for pictures, below each other otherwise."""
    extent, output = window.extent, window.layer.output_size
    start, stop = tuple(a for a, _ in extent), tuple(b for _, b in extent)
    zero = (0,) * len(output)
    widest = max(stop[-1] - start[-1], output[-1])
    if len(output) == 3:
        widest = max((stop[0] - start[0]) * (stop[2] - start[2]), output[0] * output[2])
    cell = float(max(14, min(40, 900 // widest)))
    if len(output) == 2:
        source = Grid(14, top, start, stop, cell)
        target = Grid(14 + source.width + 2.2 * cell, top, zero, output, cell)
        return source, _moved(target, y=top + max(0.0, (source.height - target.height) / 2))
    source = Grid(14, top, start, stop, cell)
    target = Grid(14, top + source.height + 1.6 * cell, zero, output, cell)
    return source, _moved(target, x=14 + max(0.0, (source.width - target.width) / 2))


def _moved(grid: Grid, x: float | None = None, y: float | None = None) -> Grid:
    return Grid(grid.x if x is None else x, grid.y if y is None else y, grid.start, grid.stop, grid.cell)


def _captions(window: SlidingWindow) -> list[str]:
    layer = window.layer
    axes = layer.axes[1:] if window.channels else layer.axes
    kind = "transposed convolution" if layer.kind == "transposed" else layer.kind
    settings: list[tuple[str, list[Any], int | None]] = [
        ("kernel", [axis.kernel for axis in axes], None),
        ("stride", [axis.stride for axis in axes], 1),
        ("padding", [axis.padding[0] if len(set(axis.padding)) == 1 else axis.padding for axis in axes], 0),
        ("dilation", [axis.dilation for axis in axes], 1),
    ]
    parts = []
    for name, values, usual in settings:
        shown = str(values[0]) if all(value == values[0] for value in values) else " x ".join(map(str, values))
        if any(value != usual for value in values):
            parts.append(f"{name} {shown}")
    after = layer.output_size[1:] if window.channels else layer.output_size
    sizes = [" x ".join(map(str, size)) for size in (layer.input_size, after)]
    if window.channels:
        parts.insert(0, f"{layer.input_size[0]} channels")
    lines = [f"{kind}, {', '.join(parts)}: {sizes[0]} to {sizes[1]}"]
    lines += [f"{axis.name}: {filled(axis)}" for axis in axes]
    return lines


def _input_cells(window: SlidingWindow, grid: Grid) -> list[Shape]:
    shapes: list[Shape] = []
    later: list[Shape] = []
    for cell in grid.cells():
        corner = grid.corner(cell)
        if window.input_cell(cell) is not None:
            later.append(Rectangle(*corner, grid.cell, grid.cell, INPUT))
        elif all(a <= at < b for at, (a, b) in zip(cell, window.padded, strict=True)):
            shapes.append(Rectangle(*corner, grid.cell, grid.cell, "", PALE, dashed=True))
        value = window.value_at(cell)
        if value is not None:
            inside = window.input_cell(cell) is not None
            if inside or window.layer.kind != "pooling":
                later.append(_number(grid, cell, value, INK if inside else PALE))
    return shapes + later


def _window(window: SlidingWindow, frame: Frame, source: Grid, target: Grid) -> list[Shape]:
    """Return the taps, the frame around them, and the output cell with lines to it."""
    shapes: list[Shape] = []
    x, y = target.corner(frame.position)
    slices = sorted({tap[:-2] for tap in frame.taps})
    for part in slices:
        taps = [tap for tap in frame.taps if tap[:-2] == part]
        left, top = source.corner(taps[0])
        right, bottom = (edge + source.cell for edge in source.corner(taps[-1]))
        if len(frame.position) == 2:
            shapes += [Line(right, top, x, y, FRAME), Line(right, bottom, x, y + target.cell, FRAME)]
        else:
            shapes += [Line(left, bottom, x, y, FRAME), Line(right, bottom, x + target.cell, y, FRAME)]
        for tap in taps:
            shapes += _tap(window, frame, tap, source)
        shapes.append(Rectangle(left, top, right - left, bottom - top, "", FRAME, line=2.2))
    shapes.append(Rectangle(x, y, target.cell, target.cell, DONE, FRAME, line=2.2))
    if frame.value is not None:
        shapes.append(_number(target, frame.position, frame.value, "#ffffff"))
    return shapes


def _tap(window: SlidingWindow, frame: Frame, tap: Cell, grid: Grid) -> list[Shape]:
    inside = window.input_cell(tap) is not None
    corner = grid.corner(tap)
    shapes: list[Shape] = [Rectangle(*corner, grid.cell, grid.cell, TAP if inside else "#71889e")]
    value = window.value_at(tap)
    if value is not None and (inside or window.layer.kind != "pooling"):
        shapes.append(_number(grid, tap, value, "#ffffff"))
    if window.kernel is not None and grid.cell >= 24:
        weight = format_number(float(window.kernel.flat[frame.taps.index(tap)]))
        size = min(grid.cell * 0.3, grid.cell * 0.9 / (0.6 * len(weight)))
        x, y = corner[0] + grid.cell - 3 - size * 0.3 * len(weight), corner[1] + grid.cell - size * 0.62 - 1
        shapes.append(Word(x, y, weight, size, "#ffe08a"))
    return shapes


def _number(grid: Grid, cell: Cell, value: float, colour: str) -> Word:
    x, y = grid.corner(cell)
    text = f"{value + 0.0:.3g}"
    size = min(grid.cell * 0.42, grid.cell * 0.86 / (0.6 * len(text)))
    return Word(x + grid.cell / 2, y + grid.cell * 0.45, text, size, colour)
