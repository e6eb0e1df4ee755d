"""A plan for inference: the outputs of batches up to one size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.engine.analysis import analyse
from striate.engine.memory import Sizes, check_least
from striate.engine.program import FORWARD, INPUTS
from striate.engine.session import Session, check_dtype
from striate.machine import default_lanes
from striate.network import Network


class InferenceSession(Session):
    """The forward pass of one network, compiled for one batch size.

    Parameters and states come in by ``load``, or into ``vectors``; after that, ``pack`` must be called.
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
        observed: Sequence[str] = (),
    ) -> None:
        check_dtype(network, dtype)
        self._lanes = lanes or default_lanes()
        sizes = self._sizes(batch_size)
        check_least(network, batch_size, sizes, training=False)
        facts = analyse(network, sizes, dtype, winograd=winograd, observed=observed)
        super().__init__(facts, batch_size, threads)

    def _sizes(self, batch_size: int) -> Sizes:
        return Sizes.of(batch_size, self._lanes)

    def run(self, inputs: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Return float32[n, *output_shape] for the samples ``index`` (int64[n], n <= batch_size) of ``inputs``.

        ``inputs`` and errors as in ``TrainingSession.step``.
        """
        with self._lock:
            self._first = 0  # the next call of ``run_first`` selects its samples again
            self._select(inputs, index)
            self.team.run(None if self.version is None else (FORWARD,))  # weights are packed by ``load``
            return self.outputs_view()[: len(index)].copy()

    def outputs_view(self) -> np.ndarray:
        """Return float32[batch_size, *output_shape], where every run leaves its outputs."""
        whole = self.samples.outputs[: self.batch_size * self.output_count]
        return whole.reshape(self.batch_size, *self.network.output_shape)

    def first(self, x: np.ndarray, count: int) -> np.ndarray:
        """Return what ``run`` returns for the first ``count`` samples of a contiguous array that fits the plan."""
        with self._lock:
            self.run_first(x, count)
            return self.outputs_view()[:count].copy()

    def run_first(self, x: np.ndarray, count: int) -> None:
        """Compute the first ``count`` samples of a contiguous array of the plan's dtype and shape."""
        if count != self._first:
            self._select(x, np.arange(count))
            self._first = count
        else:
            self._inputs = x
            self.bound.attach(INPUTS, x.ctypes.data)
        self.team.run((FORWARD,))

    _first = 0
