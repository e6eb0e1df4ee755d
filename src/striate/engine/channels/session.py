"""Inference with channels in the lanes, ready to run."""

from __future__ import annotations

import numpy as np

from striate.engine.analysis import analyse
from striate.engine.channels.plan import lower
from striate.engine.memory import Sizes, check_least
from striate.engine.program import PACK
from striate.engine.session import InferenceSession, Session, check_dtype
from striate.machine import available_threads, default_lanes
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
        facts = analyse(network, sizes, dtype, winograd=winograd)
        threads = threads or available_threads()
        program, self.products = lower(facts, lanes or default_lanes(), threads)
        most = max(len(phase.tasks) for phase in program.phases if phase.rows[0].section != PACK)
        Session.__init__(self, facts, program, batch_size, min(threads, most))
