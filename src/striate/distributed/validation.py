"""The outputs for a validation set; every rank computes a part of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.distributed.group import Group
from striate.model import Model
from striate.model.core import BATCH_SIZE


def shared_scores(group: Group, model: Model, inputs: np.ndarray, loss: Any) -> np.ndarray:
    """Return ``model.scores`` with the bits that one rank gives: batches are the same, and no batch is parted."""
    batches = -(-len(inputs) // BATCH_SIZE)
    ends = [min(len(inputs), batches * (rank + 1) // group.size * BATCH_SIZE) for rank in range(group.size)]
    begins = [0, *ends[:-1]]
    begin, end = begins[group.rank], ends[group.rank]
    before = min(begin, BATCH_SIZE) if end - begin < BATCH_SIZE else 0  # a short batch alone would get another plan
    own = model.scores(inputs[begin - before : end], loss=loss)[before:] if begin < end else None
    shape = group.gather(None if own is None else own.shape[1:])
    width = next(found for found in shape if found is not None)
    scores = np.empty((len(inputs), *width), np.float32)
    if own is not None:
        scores[begin:end] = own
    features = int(np.prod(width, dtype=np.int64))
    group.all_parts(scores.reshape(-1), [b * features for b in begins], [e * features for e in ends])
    return scores
