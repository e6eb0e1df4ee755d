"""Plans that are ready to run: a training step, and inference."""

from __future__ import annotations

import math
import threading
from collections.abc import Collection, Sequence
from typing import Any, NoReturn

import numpy as np

from striate.engine.analysis import Facts, analyse
from striate.engine.binding import Bound
from striate.engine.forks import follow
from striate.engine.memory import Samples, Sizes, Vectors, check_least, check_room, sums_of_squares
from striate.engine.plan import lower
from striate.engine.program import BACKWARD, FORWARD, INPUTS, LOSS, PACK, UPDATE, Program
from striate.engine.team import Team
from striate.errors import ShapeError, UsageError
from striate.layers.base import format_shape
from striate.losses import Loss
from striate.machine import available_threads, default_lanes
from striate.network import Network
from striate.reference.random import layer_key

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
        """Take over parameters, float32[parameter_count], and states, float32[state_count], where they differ."""
        vectors = self.vectors
        own = vectors.theta[: len(theta)], vectors.states[: len(states)]
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
        """Let every sample become ``(x - mean) / scale``, per channel."""
        self.samples.scale[:] = 1.0 / np.asarray(scale, np.float64)
        self.samples.mean[:] = mean


class TrainingSession(Session):
    """A training step of one network, compiled for one batch size.

    Parameters
    ----------
    network : Network
    vectors : Vectors
        The parameters, which every step changes, and the optimizer's state.
    batch_size : int
        The largest batch; smaller ones may follow.
    loss : str or Loss
        A name of ``striate.losses.LOSSES``, or one with options.
    optimizer : str
        A kernel of ``striate.kernels.update``.
    dtype : dtype
        uint8 or float32: of the samples.
    auxiliary_weight : float
        What the losses of the network's auxiliary outputs count beside that of its output.
    frozen : collection of str
        Layers that do not learn: below the first one that does, no gradient is computed.
    threads, lanes : int, optional
        The processor's by default. The number of threads changes no bit of the result.
    winograd : bool
        Let 3x3 convolutions use Winograd's algorithm where it is faster; it rounds more (docs/engine.md).

    Attributes
    ----------
    auxiliary : tuple of Results
        Of each auxiliary output, for every sample of the last step.
    """

    def __init__(
        self,
        network: Network,
        *,
        batch_size: int,
        loss: str | Loss,
        optimizer: str,
        dtype: np.dtype,
        auxiliary_weight: float = 0.3,
        frozen: Collection[str] = (),
        threads: int | None = None,
        lanes: int | None = None,
        winograd: bool = True,
    ) -> None:
        self.loss, self.auxiliary_weight = Loss.of(loss), auxiliary_weight
        check_dtype(network, dtype)
        _check_outputs(network)
        self.loss.target_count(network.output_shape)
        sizes = Sizes.of(batch_size, lanes or default_lanes(), network.parameter_count)
        check_least(network, batch_size, sizes, training=True)
        facts = analyse(
            network, sizes, dtype, loss=self.loss, optimizer=optimizer, frozen=frozen, winograd=winograd
        )
        super().__init__(facts, batch_size, threads)
        self.results, *auxiliary = self.samples.results
        self.auxiliary = tuple(auxiliary)

    def step(
        self,
        inputs: np.ndarray,
        index: np.ndarray,
        targets: np.ndarray,
        numbers: tuple[float, ...],
        weights: np.ndarray | None = None,
        *,
        seed: int = 0,
        number: int = 0,
        update: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take one step of gradient descent on the mean loss of a batch.

        Parameters
        ----------
        inputs : uint8 or float32 [*, C, *space]
            The plan's dtype; contiguous arrays are read where they lie, of others the batch is copied.
        index : int64[n]
            The samples of the batch, n <= batch_size.
        targets : int64[n] or float32[n, T]
        numbers : tuple of float
            What the optimizer's kernel reads.
        weights : float32[n], optional
            What the loss of each sample counts, by default so that their sum is the mean: 1/n without class
            weights and ignored labels.
        seed, number : int
            The seed of the run and the number of this step; together they fix all random numbers.
        update : bool
            Whether the optimizer takes its step; without, ``vectors.gradient`` may be changed before ``update``.

        Returns
        -------
        losses, correct : float32[n]
            The loss of each sample before the step, and whether it was classified rightly; auxiliary outputs
            are not in them.

        Raises
        ------
        ShapeError
            If the samples are not of the network's input shape and the plan's dtype.
        UsageError
            If ``index`` holds too many numbers, or one of no sample.
        """
        with self._lock:
            self._prepare(inputs, index, targets, numbers, weights, seed, number)
            self._compute(update)
            n = len(index)
            return self.results.losses[:n].copy(), self.results.correct[:n].copy()

    def _compute(self, update: bool) -> None:
        """Run the program, up to the gradient or to the end."""
        self.team.run(None if update else GRADIENT_RUN)

    def _prepare(
        self,
        inputs: np.ndarray,
        index: np.ndarray,
        targets: np.ndarray,
        numbers: tuple[float, ...],
        weights: np.ndarray | None,
        seed: int,
        number: int,
    ) -> None:
        """Put in place what a step reads."""
        n = len(index)
        self._select(inputs, index)
        self.vectors.numbers[: len(numbers)] = numbers
        self.bound.memory.run = (seed, number)
        for i, name in enumerate(self.program.random_layers):
            self.samples.keys[i] = layer_key(seed, number, name)
        targets = np.asarray(targets)
        own = self.results.weights
        own[:n] = self.loss.sample_weights(targets) if weights is None else weights
        own[n:] = 0.0
        for results in self.auxiliary:
            results.weights[:] = own * np.float32(self.auxiliary_weight)
        self._put_targets(targets.astype(np.float32), n)

    def update(self) -> None:
        """Let the optimizer take its step with ``vectors.gradient`` and the numbers of the last ``step``."""
        with self._lock:
            self._take_step()

    def _take_step(self) -> None:
        self.team.run((UPDATE,))

    def announce(self, numbers: tuple[float, ...], number: int) -> None:
        """Say that a step begins: to nobody here; see `striate.distributed`."""

    def collect(self) -> None:
        """Complete ``vectors``: here they always are."""

    def spread(self) -> None:
        """Hand out ``vectors`` after they were changed: here nobody else has any."""

    def squares(self, gradient: np.ndarray) -> np.ndarray:
        """Return ``sums_of_squares`` of the gradient."""
        return sums_of_squares(gradient)

    def _put_targets(self, targets: np.ndarray, n: int) -> None:
        count = self.facts.target_count
        if count == 1:
            self.samples.targets[:n] = targets.reshape(n)
            return
        room = np.zeros((len(self.results.weights), count), np.float32)
        room[:n] = targets.reshape(n, -1)
        blocks = room.reshape(-1, self.facts.sizes.lanes, count).transpose(0, 2, 1)
        self.samples.targets[:] = blocks.ravel()


def check_dtype(network: Network, dtype: np.dtype) -> None:
    """Raise UsageError unless the kernels read such samples."""
    if np.dtype(dtype) not in (np.uint8, np.float32):
        raise UsageError(f"{network.name}: a plan reads uint8 or float32; got {dtype}. Convert the samples.")


def _check_outputs(network: Network) -> None:
    """Raise ShapeError unless all outputs want the same targets."""
    shapes = {network.output_shape, *(network.step(name).shape for name in network.auxiliary)}
    if len(shapes) > 1:
        raise ShapeError(
            f"{network.name}: auxiliary outputs have the shape of the output, whose targets they learn; "
            f"got {', '.join(map(format_shape, sorted(shapes)))}. Change their last layers."
        )


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
            self._select(inputs, index)
            self.team.run(None if self.version is None else (FORWARD,))  # weights are packed by ``load``
            n = len(index)
            return self.samples.outputs[: n * self.output_count].reshape(n, *self.network.output_shape).copy()

    def outputs_view(self) -> np.ndarray:
        """Return float32[batch_size, *output_shape], where every run leaves its outputs."""
        whole = self.samples.outputs[: self.batch_size * self.output_count]
        return whole.reshape(self.batch_size, *self.network.output_shape)

    def run_first(self, x: np.ndarray, count: int) -> None:
        """Compute the first ``count`` samples of a contiguous array of the plan's dtype and shape."""
        if count != self._first:
            self._select(x, np.arange(count))
            self._first = count
        else:
            self._inputs = x
            self.bound.attach(INPUTS, x.ctypes.data)
        self.team.run(_FORWARD)

    _first = 0


_FORWARD = (FORWARD,)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether two float32 vectors hold the same bits."""
    return bool((a.view(np.int32) == b.view(np.int32)).all())
