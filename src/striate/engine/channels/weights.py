"""Weights in the order of the kernels: blocks of filters in the lanes."""

from __future__ import annotations

import numpy as np

from striate.engine.channels.context import ChannelLowering
from striate.engine.channels.folding import Affine
from striate.network import Step


def in_blocks(weights: np.ndarray, lanes: int) -> np.ndarray:
    """Put float[filters, terms] in the order [block of filters][term][lane]; lanes without a filter get zeros."""
    filters, terms = weights.shape
    whole = np.zeros((-(-filters // lanes) * lanes, terms), weights.dtype)
    whole[:filters] = weights
    return whole.reshape(-1, lanes, terms).transpose(0, 2, 1)


def packed_bias(lowering: ChannelLowering, step: Step, after: Affine | None, first: int, count: int) -> np.ndarray:
    """Return the bias of ``count`` filters from ``first`` on, completed to whole vectors."""
    found = [slot for slot in step.parameters if slot.spec.name == "bias"]

    def pack(theta: np.ndarray, states: np.ndarray) -> np.ndarray:
        filters = step.shape[0]
        bias = theta[found[0].offset : found[0].offset + filters] if found else np.zeros(filters, np.float32)
        whole = np.zeros(-(-count // lowering.lanes) * lowering.lanes, np.float32)
        whole[:count] = (bias if after is None else after.offset(bias, theta, states))[first : first + count]
        return whole

    return lowering.packed(-(-count // lowering.lanes) * lowering.lanes, pack)


def packed_weights(lowering: ChannelLowering, index: np.ndarray, after: Affine | None, first: int) -> np.ndarray:
    """Return the weights at ``index`` (int64[filters, terms]) for filters from ``first`` on."""
    filters, terms = index.shape

    def pack(theta: np.ndarray, states: np.ndarray) -> np.ndarray:
        weights = theta[index]
        if after is not None:
            weights = weights * after.scale(theta, states)[first : first + filters, None]
        return in_blocks(weights, lowering.lanes).ravel()

    return lowering.packed(-(-filters // lowering.lanes) * lowering.lanes * terms, pack)
