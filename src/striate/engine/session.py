"""Programs that are ready to run: what training and inference share."""

from __future__ import annotations

import math
import threading
from typing import Any, NoReturn

import numpy as np

from striate.engine.analysis import Facts
from striate.engine.binding import Bound
from striate.engine.forks import follow
from striate.engine.memory import Samples, Vectors, check_room
from striate.engine.plan import lower
from striate.engine.program import BACKWARD, FORWARD, INPUTS, LOSS, PACK, Program
from striate.engine.team import Team
from striate.errors import ShapeError, UsageError
from striate.layers.base import format_shape
from striate.machine import available_threads
from striate.network import Network

GRADIENT_RUN = (PACK, FORWARD, LOSS, BACKWARD)


class Session:
    """What training and inference share: samples go in by number, shards run on threads.

    Several Python threads may use a session; they take turns.
    """

    def __init__(self, facts: Facts, batch_size: int, threads: int | None) -> None:
        self.facts, self.network, self.batch_size = facts, facts.network, batch_size
        network = facts.network
        self.output_count = math.prod(network.output_shape)
        threads = threads or available_threads()
        self.program = self._lower(threads)
        threads = min(threads, self.program.most_tasks)  # more would hold buffers for nothing
        check_room(network, batch_size, self.program.bytes(threads))
        self.bound = Bound(self.program)
        memory = self.bound.memory.arrays
        self.vectors, self.samples = Vectors(memory, network.parameter_count), Samples(memory, len(facts.outputs))
        self.vectors.states[: network.state_count] = network.initial_states()
        self.team = Team(self.bound, threads)
        self.after_fork()
        follow(self)

    def _lower(self, threads: int) -> Program:
        """Return the program of ``facts``."""
        return lower(self.facts, threads)

    version: object = None
    """What the owner of the parameters last told this session; see ``load``."""
    normalisation: object = None

    def load(self, theta: np.ndarray, states: np.ndarray) -> None:
        """Take over parameters, float32[parameter_count], and states, float32[state_count], where they differ.

        Raises
        ------
        ShapeError
            If an array has another length, as one whose owner has resized it.
        """
        counts = self.network.parameter_count, self.network.state_count
        if (theta.shape, states.shape) != ((counts[0],), (counts[1],)):
            raise ShapeError(
                f"{self.network.name}: needs vectors of {counts[0]} parameters and {counts[1]} states; got shapes "
                f"{list(theta.shape)} and {list(states.shape)}. Use vectors of these lengths."
            )
        own = self.vectors.theta[: counts[0]], self.vectors.states[: counts[1]]
        if self.version is None or not (_same(own[0], theta) and _same(own[1], states)):
            own[0][:], own[1][:] = theta, states
            self.pack()

    def pack(self) -> None:
        """Prepare what depends on the parameters alone."""
        with self._lock:
            self.team.run((PACK,))

    def after_fork(self) -> None:
        """Replace the lock, which a thread of the parent process may have held."""
        self._lock = threading.Lock()

    def __reduce__(self) -> NoReturn:
        raise UsageError(
            f"{self.network.name}: sessions hold addresses and can be neither pickled nor copied; "
            f"got {type(self).__name__}. Pickle or copy the Model or the Trainer."
        )

    def __deepcopy__(self, memo: Any) -> NoReturn:
        self.__reduce__()

    def _select(self, inputs: np.ndarray, index: np.ndarray) -> None:
        """Point the program at the samples ``index`` of ``inputs``.

        ``inputs`` must stay as they are until the run ends.
        """
        index = self._checked(index, len(inputs))
        count = len(index)
        if inputs.dtype != self.facts.dtype or inputs.shape[1:] != self.network.input_shape:
            raise ShapeError(
                f"{self.network.name}: this plan takes {self.facts.dtype} samples of "
                f"{format_shape(self.network.input_shape)}; got {inputs.dtype}, {format_shape(inputs.shape[1:])}. "
                "Convert them."
            )
        if not inputs.flags.c_contiguous:  # the kernels read samples that lie as one; a copy of the batch does
            inputs, index = np.ascontiguousarray(inputs[index]), np.arange(count)
        self.team.rest()
        self._inputs = inputs
        self.bound.attach(INPUTS, inputs.ctypes.data)
        self.samples.index[:count] = index
        self.samples.index[count:] = index[-1]  # zeros might be a pole of some layer
        self.samples.present[:count] = 1.0
        self.samples.present[count:] = 0.0
        shards = -(-count // self.facts.sizes.samples)
        self.samples.count[:2] = count, shards
        self.bound.choose(shards)

    def _checked(self, index: np.ndarray, samples: int) -> np.ndarray:
        """Return ``index`` as int64[n]; raises UsageError if the kernels would read what is not there."""
        index = np.asarray(index)
        where = f"{self.network.name}: numbers of samples"
        if index.ndim != 1 or not 0 < len(index) <= self.batch_size or index.dtype.kind not in "iu":
            raise UsageError(
                f"{where}: must be 1 to {self.batch_size} integers, the batch that this plan was made for; "
                f"got {index.dtype}, shape {list(index.shape)}. Split the batch, or make a plan for larger ones."
            )
        least, largest = int(index.min()), int(index.max())
        if least < 0 or largest >= samples:
            wrong = least if least < 0 else largest
            raise UsageError(f"{where}: must be 0 to {samples - 1}; got {wrong}. Use numbers of existing samples.")
        return index

    def normalise(self, mean: np.ndarray, scale: np.ndarray) -> None:
        """Normalise every sample as ``(x - mean) / scale``, per channel."""
        self.samples.scale[:] = 1.0 / np.asarray(scale, np.float64)
        self.samples.mean[:] = mean


def check_dtype(network: Network, dtype: np.dtype) -> None:
    """Raise UsageError unless the kernels read samples of this type."""
    if np.dtype(dtype) not in (np.uint8, np.float32):
        raise UsageError(f"{network.name}: a plan reads uint8 or float32; got {dtype}. Convert the samples.")


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether two float32 vectors hold the same bits."""
    return bool((a.view(np.int32) == b.view(np.int32)).all())
