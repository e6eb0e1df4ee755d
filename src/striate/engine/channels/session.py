"""Inference with channels in the lanes, ready to run."""

from __future__ import annotations

import numpy as np

from striate.engine.analysis import analyse
from striate.engine.channels.plan import lower
from striate.engine.memory import Sizes, check_least
from striate.engine.program import Program
from striate.engine.session import InferenceSession, Session, check_dtype
from striate.machine import default_lanes
from striate.network import Network


class ChannelSession(InferenceSession):
    """The forward pass of one network for a few samples; arguments as those of ``InferenceSession``.

    Attributes
    ----------
    products : float
        What a sample costs, in multiplications.
    """

    def __init__(
        self,
        network: Network,
        *,
        batch_size: int,
        dtype: np.dtype,
        threads: int | None = None,
        lanes: int | None = None,
        winograd: bool = True,
    ) -> None:
        check_dtype(network, dtype)
        sizes = Sizes(1, 1, batch_size)
        check_least(network, batch_size, sizes, training=False)
        self._lanes = lanes or default_lanes()
        Session.__init__(self, analyse(network, sizes, dtype, winograd=winograd), batch_size, threads)

    def _lower(self, threads: int) -> Program:
        program, self.products = lower(self.facts, self._lanes, threads)
        return program
