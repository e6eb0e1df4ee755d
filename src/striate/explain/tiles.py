"""Probabilities of many windows at once: a fully convolutional network, computed tile by tile."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from striate.errors import ShapeError
from striate.model import Model
from striate.model.fully_convolutional import fully_convolutional

SIDE = 512  # pixels of a tile: the memory and the plan of the network do not grow with the picture


def compute_tiles(
    model: Model, raw: np.ndarray, starts: tuple[np.ndarray, np.ndarray], out: np.ndarray, missing: np.ndarray
) -> Iterator[int]:
    """Compute the windows that the network reaches as a fully convolutional one, and yield their number.

    Those are the windows that begin at a multiple of its stride. Neighbouring tiles overlap by what two windows
    share, so every window lies within one tile.

    Parameters
    ----------
    model : Model
    raw : array [C, rows, columns]
    starts : int64[R], int64[S]
        First rows and first columns of the windows.
    out : float32[K, R, S]
        Receives the probabilities.
    missing : bool[R, S]
        Set to False where they are known. All stay missing if the network treats the edge of a window in another
        way than its middle, or if a window is computed with less work by itself.
    """
    window = model.input_shape[1:]
    try:
        _, jump = fully_convolutional(model, window)
    except ShapeError:
        return
    reached = [at % step == 0 for at, step in zip(starts, jump, strict=True)]
    if reached[0].sum() * reached[1].sum() * np.prod(window) < raw[0].size:
        return  # few windows, far apart: most of the map would not be used
    axes = list(zip(raw.shape[1:], window, jump, strict=True))
    sides = [_side(*axis) for axis in axes]
    wide, _ = fully_convolutional(model, sides)
    if wide.network.output_shape[0] != len(out):
        return  # one output for two classes has no map of both
    downs, acrosses = (_corners(length, side, *rest) for side, (length, *rest) in zip(sides, axes, strict=True))
    for top in downs:
        for left in acrosses:
            rows, columns = (
                np.flatnonzero(on & (at >= corner) & (at <= corner + side - size))
                for on, at, corner, side, size in zip(reached, starts, (top, left), sides, window, strict=True)
            )
            if not rows.size * columns.size:
                continue
            answers = wide.predict_proba(raw[None, :, top : top + sides[0], left : left + sides[1]], 1)[0]
            places = ((starts[0][rows] - top) // jump[0], (starts[1][columns] - left) // jump[1])
            every = np.arange(len(out))
            out[np.ix_(every, rows, columns)] = answers[np.ix_(every, *places)]
            missing[np.ix_(rows, columns)] = False
            yield int(missing.size - missing.sum())


def _side(length: int, window: int, jump: int) -> int:
    """Return the pixels of a tile: a window and whole steps."""
    return window + max(0, min(length, SIDE) - window) // jump * jump


def _corners(length: int, side: int, window: int, jump: int) -> list[int]:
    """Return where tiles begin, so that every window at a multiple of ``jump`` lies within one."""
    last, step = (length - side) // jump * jump, side - window + jump
    return [*range(0, last, step), last]
