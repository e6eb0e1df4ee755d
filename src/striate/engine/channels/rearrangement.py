"""Layers whose outputs are inputs at other places: a chain of them is places alone until another layer reads it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from striate.engine.channels.buffers import Channels
from striate.engine.channels.context import ChannelLowering, ChannelRule
from striate.engine.layout import NO_MARGIN, Margin, canonical_shape
from striate.engine.lowering.shape import sources_of
from striate.engine.program import BUFFERS, Place
from striate.engine.rules import CHANNELS, RULES
from striate.layers.arithmetic import Concatenate
from striate.layers.base import Shape
from striate.layers.padding import Crop
from striate.layers.rearrangement import Rearrangement
from striate.layers.shape import Reshape, Upsample
from striate.network import Step


def settle(lowering: ChannelLowering, name: str) -> None:
    """Give the value ``name`` a buffer, if it is places so far: a part of another one, or a copy."""
    if name not in lowering.places:
        return
    places, bases = lowering.places.pop(name), lowering.bases[name]
    shape, margin = lowering.network.step(name).shape, lowering.margins.get(name, NO_MARGIN)
    for base in bases:
        found = _as_part(base, shape, margin, places)
        if found is not None:
            lowering.values[name] = found
            return
    lanes = {base.lanes for base in bases}
    out = lowering.arena.of_channels(shape, margin, lanes.pop() if len(lanes) == 1 else lowering.program.lanes)
    lanes_at_work, lowering.lanes = lowering.lanes, out.lanes
    _copy(lowering, places, out)
    lowering.lanes = lanes_at_work
    lowering.values[name], lowering.bases[name] = out, (out,)


def _as_part(base: Channels, shape: Shape, margin: Margin, places: np.ndarray) -> Channels | None:
    """Return the part of ``base`` whose values, in the order of ``shape``, lie at ``places``, if there is one."""
    count, depth, height, width = canonical_shape(shape)
    if any(
        a < b for own, wanted in zip(base.margin, margin, strict=True) for a, b in zip(own, wanted, strict=True)
    ):
        return None
    offset = int(places[0]) - base.origin
    form = (-(-count // base.lanes), depth, height, width)
    same = form[1:] == base.shape[1:] or (
        base.margin == NO_MARGIN and math.prod(form[1:]) == math.prod(base.shape[1:])
    )
    if not same or (offset - base.offset) % base.lanes:
        return None
    found = replace(base, offset=offset, shape=form, count=count)
    return found if np.array_equal(found.offset + found.features(), places) else None


def _copy(lowering: ChannelLowering, places: np.ndarray, out: Channels) -> None:
    """Emit copies to ``out``: of vectors where the channels of a block lie side by side, else of numbers."""
    lanes, channels = out.lanes, out.count
    by_channel = places.reshape(channels, -1)
    goals = (out.offset + out.features()).reshape(channels, -1)
    vectors, numbers = [], []
    for first in range(0, channels, lanes):
        own = by_channel[first : first + lanes]
        beside = (own - own[:1] == np.arange(len(own))[:, None]).all()
        if beside and (len(own) == lanes or (own[0] % lanes == 0).all()):
            vectors.append(np.stack([own[0], goals[first]], axis=1))
        else:
            numbers.append(np.stack([own.ravel(), goals[first : first + lanes].ravel()], axis=1))
    if numbers:
        lowering.clear_rest(out)
    if vectors:
        _emit(lowering, "elementwise.copy", np.concatenate(vectors), (lanes, lanes))
    if numbers:
        _emit(lowering, "channels.move", np.concatenate(numbers))


def _emit(lowering: ChannelLowering, kernel: str, pairs: np.ndarray, step: tuple[int, int] | None = None) -> None:
    """Append a copy from the first place to the second of each pair: of vectors with a step, of numbers without."""
    runs, length, (x_step, out_step) = runs_of(pairs, step)
    moves = {"x_step": x_step, "out_step": out_step}
    lowering.emit(
        kernel,
        x=Place(BUFFERS),
        out=Place(BUFFERS),
        runs=lowering.program.table(runs),
        run_count=len(runs),
        length=length,
        **({"blocks": 1, "x_block": 0, "out_block": 0, "accumulate": 0} if step else moves),
    )


def runs_of(pairs: np.ndarray, step: tuple[int, int] | None = None) -> tuple[np.ndarray, int, tuple[int, int]]:
    """Return where the runs of equal length and ``step`` begin that ``pairs`` consist of, the length and the step.

    Without a step, it is the commonest one.

    Examples
    --------
    >>> runs_of(np.array([[0, 0], [2, 1], [4, 2], [6, 3], [9, 4], [11, 5]]))
    (array([[0, 0],
           [4, 2],
           [9, 4]]), 2, (2, 1))
    """
    steps = np.diff(pairs, axis=0)
    if step is None:
        kinds, counts = np.unique(steps, axis=0, return_counts=True)
        step = tuple(map(int, kinds[counts.argmax()])) if len(kinds) else (0, 0)  # type: ignore[assignment]
    begins = np.append(0, np.flatnonzero((steps != step).any(axis=1)) + 1)
    length = int(np.gcd.reduce(np.diff(np.append(begins, len(pairs)))))
    return pairs[::length], length, step  # type: ignore[return-value]


def _rearrange(lowering: ChannelLowering, step: Step) -> None:
    layer: Rearrangement = step.layer  # type: ignore[assignment]
    sources = np.asarray(layer.sources(step.input_shapes[0])).ravel()
    lowering.put_places(step, lowering.places_of(step.inputs[0])[sources])


def _reshape(lowering: ChannelLowering, step: Step) -> None:
    lowering.put_places(step, lowering.places_of(step.inputs[0]))


def _choose(lowering: ChannelLowering, step: Step) -> None:
    places = lowering.places_of(step.inputs[0]).reshape(step.input_shapes[0])
    channels = np.arange(step.shape[0])
    lowering.put_places(step, places[np.ix_(channels, *sources_of(step))].ravel())


def _concatenate(lowering: ChannelLowering, step: Step) -> None:
    lowering.put_places(step, np.concatenate([lowering.places_of(name) for name in step.inputs]))


def _nearest(step: Step) -> bool:
    return isinstance(step.layer, Upsample) and step.layer.mode == "nearest"


RULES[CHANNELS, Rearrangement] = ChannelRule(_rearrange, places=True)
RULES[CHANNELS, Reshape] = ChannelRule(_reshape, places=True)
RULES[CHANNELS, Crop] = ChannelRule(_choose, places=True)
RULES[CHANNELS, Upsample] = ChannelRule(_choose, fits=_nearest, places=True)
RULES[CHANNELS, Concatenate] = ChannelRule(_concatenate, places=True)
