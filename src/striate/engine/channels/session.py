"""Inference with channels in the lanes, ready to run."""

from __future__ import annotations

from striate.engine.channels.plan import lower
from striate.engine.memory import Sizes
from striate.engine.program import Program
from striate.engine.session import InferenceSession


class ChannelSession(InferenceSession):
    """The forward pass of one network for a few samples; arguments as those of ``InferenceSession``.

    Attributes
    ----------
    products : float
        What a sample costs, in multiplications.
    """

    def _sizes(self, batch_size: int) -> Sizes:
        return Sizes(1, 1, batch_size)

    def _lower(self, threads: int) -> Program:
        program, self.products = lower(self.facts, self._lanes, threads)
        return program
