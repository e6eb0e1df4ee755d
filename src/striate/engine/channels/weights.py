"""Weights in the order of the kernels: blocks of filters in the lanes."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.engine.channels.context import ChannelLowering
from striate.engine.channels.folding import Affine
from striate.engine.program import Place
from striate.engine.segments import PARAMETERS
from striate.network import Step


def _scale(after: Affine | None, first: int) -> dict[str, Any]:
    scale = Place(PARAMETERS) if after is None else after.scale + first
    return {"scale": scale, "scaled": int(after is not None)}


def packed_bias(lowering: ChannelLowering, step: Step, after: Affine | None, first: int, count: int) -> Place:
    """Return the bias of ``count`` filters from ``first`` on, completed to whole vectors."""
    found = [slot for slot in step.parameters if slot.spec.name == "bias"]
    out = lowering.room(-(-count // lowering.lanes) * lowering.lanes)
    lowering.pack(
        "channels.pack_bias",
        bias=Place(PARAMETERS, 4 * (found[0].offset + first) if found else 0),
        offset=Place(PARAMETERS) if after is None else after.offset + first,
        out=out,
        count=count,
        has_bias=int(bool(found)),
        **_scale(after, first),
    )
    return out


def packed_weights(
    lowering: ChannelLowering, weights: Place, filters: int, terms: int, after: Affine | None, first: int = 0
) -> Place:
    """Return ``filters`` filters of ``terms`` weights, which are those from ``first`` on of their layer."""
    out = lowering.room(-(-filters // lowering.lanes) * lowering.lanes * terms)
    lowering.pack("channels.pack_filters", w=weights, out=out, filters=filters, terms=terms, **_scale(after, first))
    return out


def in_place(lowering: ChannelLowering, index: np.ndarray) -> Place:
    """Return where weights lie one after the other, int64[..., terms] their places in the flat vector.

    They are gathered where a connection table leaves some out.
    """
    flat = index.ravel()
    if (np.diff(flat) == 1).all():
        return Place(PARAMETERS, 4 * int(flat[0]))
    out = lowering.room(flat.size)
    pairs = np.resize(flat.astype(np.uint32), -(-flat.size // 2) * 2)
    table = lowering.program.table(pairs.view(np.int64))
    lowering.pack("batch.gather", after_maps=False, x=Place(PARAMETERS), out=out, index=table, count=flat.size)
    return out


def winograd_weights(
    lowering: ChannelLowering, weights: Place, filters: int, channels: int, after: Affine | None
) -> Place:
    """Return the transformed 3x3 filters, ``G g G'``: [36][block of filters][channel][lane]."""
    out = lowering.room(36 * -(-filters // lowering.lanes) * lowering.lanes * channels)
    lowering.pack(
        "channels.pack_winograd",
        w=weights,
        out=out,
        filters=filters,
        channels=channels,
        scratch=lowering.room(18),
        **_scale(after, 0),
    )
    return out
