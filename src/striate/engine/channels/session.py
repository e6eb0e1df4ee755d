"""Inference with channels in the lanes, ready to run."""

from __future__ import annotations

import math

import numpy as np

from striate.engine import segments
from striate.engine.channels.plan import lower
from striate.engine.inference_session import InferenceSession
from striate.engine.memory import Sizes
from striate.engine.program import Program


class ChannelSession(InferenceSession):
    """The forward pass of one network for a few samples; arguments as those of ``InferenceSession``, and one more.

    Parameters
    ----------
    observed : sequence of str
        Layers whose values are kept too, of a single sample: ``batch_size`` must be 1.

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

    def value(self, name: str) -> np.ndarray:
        """Return the value of an observed layer in the last run, a view of float32[*shape]."""
        shape = self.network.step(name).shape
        return self.bound.memory[segments.of_value(name)][: math.prod(shape)].reshape(shape)
