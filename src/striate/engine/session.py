"""Plans that are ready to run: a training step, and inference."""

from __future__ import annotations

import math
import threading
from collections.abc import Collection
from contextlib import nullcontext
from functools import cached_property
from typing import Any, NoReturn

import numpy as np

from striate.engine import graph
from striate.engine.forks import follow
from striate.engine.halves import Halves
from striate.engine.layout import Arena
from striate.engine.losses import Results
from striate.engine.lowering import Lowering
from striate.engine.memory import Samples, Sizes, Vectors, aligned, check_least, check_room
from striate.engine.plan import (
    emit_load,
    emit_loss,
    emit_store,
    lower_backward,
    lower_forward,
    shard_tasks,
    update_phase,
)
from striate.engine.program import ARENA, OUTPUTS, Place, Program, Row
from striate.engine.team import Team
from striate.errors import ShapeError, UsageError
from striate.layers.base import format_shape
from striate.losses import Loss
from striate.machine import available_threads, default_lanes
from striate.network import Network
from striate.reference.random import layer_key


class Session:
    """What training and inference share: samples go in by number, shards run on threads.

    Several Python threads may use a session; they take turns.
    """

    def __init__(
        self,
        network: Network,
        batch_size: int,
        vectors: Vectors,
        sizes: Sizes,
        target_count: int,
        dtype: np.dtype,
        winograd: bool,
    ) -> None:
        self.network, self.batch_size, self.vectors, self.sizes = network, batch_size, vectors, sizes
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.uint8, np.float32):
            raise UsageError(
                f"{network.name}: a plan reads uint8 or float32; got {self.dtype}. Convert the samples."
            )
        self.target_count = target_count
        self.output_count = math.prod(network.output_shape)
        self.samples = Samples(sizes, target_count, self.output_count, network.input_shape[0])
        self.program = Program(sizes.lanes)
        self.lowering = Lowering(
            network,
            self.program,
            Arena(sizes.lanes, sizes.blocks),
            vectors.theta,
            training=target_count > 0,
            vectors=vectors,
            samples=self.samples,
            winograd=winograd,
        )

    first: Row
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

    def _finish(self, threads: int | None) -> None:
        self.after_fork()
        follow(self)
        self._check_memory(threads or available_threads())
        self.tables = self.program.assemble()
        own = 0 if self.lowering.parts else self.lowering.arena.size
        self.team = Team(self.tables, threads or available_threads(), own)

    def _check_memory(self, threads: int) -> None:
        """Refuse what does not fit, before the buffers are touched."""
        arenas = self.sizes.shards if self.lowering.parts else threads
        vectors = self.vectors
        needed = 4 * (self.lowering.arena.size * arenas + vectors.shards.size + 3 * vectors.padded)
        check_room(self.network, self.batch_size, needed)

    def _add_shards(self) -> None:
        """Append the phases of the shards; a shard that stops at a barrier needs buffers of its own."""
        lowering, tasks = self.lowering, self._shard_tasks()
        once: dict[int, int] = {}
        if lowering.parts:
            room = aligned(lowering.arena.size * self.sizes.shards)
            self.program.kept.append(room)
            once = {ARENA: room.ctypes.data}
            for shard, task in enumerate(tasks):
                task[ARENA] = room.ctypes.data + 4 * lowering.arena.size * shard
        self.program.side_by_side(lowering.packs, once)
        self.shard_phases = []
        for rows, between in [*lowering.parts, (lowering.rows, [])]:
            self.shard_phases.append(len(self.program.phases))
            self.program.phase(rows, tasks)
            for row in between:
                row.arguments.update({k: v(lowering.arena.size) for k, v in row.arguments.items() if callable(v)})
            if between:
                self.program.side_by_side(between, once)
        self._add_tables_by_shards()

    def _add_tables_by_shards(self) -> None:
        """Make the tables that change with the number of shards that a batch fills."""
        size, most = self.lowering.arena.size, self.sizes.shards
        self._by_shards: list[tuple[Row, str, list[np.ndarray]]] = []
        for row, name, make in self.lowering.by_shards:
            tables = [self.program.table(make(size, shards)) for shards in range(1, most + 1)]
            row.arguments[name] = tables[-1]
            self._by_shards.append((row, name, tables))

    def _shard_tasks(self) -> list[dict[int, int]]:
        return shard_tasks(self.sizes, self.vectors, self.target_count, self.output_count)

    def _select(self, inputs: np.ndarray, index: np.ndarray) -> int:
        """Point the program at the samples ``index`` of ``inputs``; returns the number of shards they fill.

        ``inputs`` must stay as they are until the run ends.
        """
        index = self._checked(index, len(inputs))
        count = len(index)
        if inputs.dtype != self.dtype or inputs.shape[1:] != self.network.input_shape:
            raise ShapeError(
                f"{self.network.name}: this plan takes {self.dtype} samples of "
                f"{format_shape(self.network.input_shape)}; got {inputs.dtype}, {format_shape(inputs.shape[1:])}. "
                "Convert them."
            )
        if not inputs.flags.c_contiguous:  # the kernels read samples that lie as one; a copy of the batch does
            inputs, index = np.ascontiguousarray(inputs[index]), np.arange(count)
        self.team.rest()
        self._inputs = inputs
        self.tables.patch(self.first, "x", inputs.ctypes.data)
        self.samples.index[:count] = index
        self.samples.index[count:] = -1
        self.samples.present[:count] = 1.0
        self.samples.present[count:] = 0.0
        shards = -(-count // self.sizes.samples)
        self.samples.count[:2] = count, shards
        self.tables.phases[self.shard_phases, 1] = shards
        for row, name, tables in self._by_shards:
            self.tables.patch(row, name, tables[shards - 1].ctypes.data)
        return shards

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
        self.samples.offset[:] = -np.asarray(mean, np.float64) / np.asarray(scale, np.float64)


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
        self.frozen = frozenset(frozen)
        target_count = self._target_count(network)
        sizes = Sizes.of(batch_size, lanes or default_lanes(), network.parameter_count)
        check_least(network, batch_size, sizes, training=True)
        vectors = Vectors(network.parameter_count, sizes.shards, network.initial_states())
        super().__init__(network, batch_size, vectors, sizes, target_count, dtype, winograd)
        self.results = Results(self.samples.weights, self.samples.losses, self.samples.correct)
        self.auxiliary = tuple(_room_for_results(sizes) for _ in network.auxiliary)
        self._lower()
        self._add_shards()
        self._total = update_phase(self.program, vectors, sizes, optimizer, self.lowering.summed)
        self._finish(threads)

    def _target_count(self, network: Network) -> int:
        """Return how many numbers a target has; all outputs must want the same."""
        shapes = {network.output_shape, *(network.step(name).shape for name in network.auxiliary)}
        if len(shapes) > 1:
            raise ShapeError(
                f"{network.name}: auxiliary outputs have the shape of the output, whose targets they learn; "
                f"got {', '.join(map(format_shape, sorted(shapes)))}. Change their last layers."
            )
        return self.loss.target_count(network.output_shape)

    def _lower(self) -> None:
        """Emit the rows of a shard: forward, the losses of all outputs, backward."""
        network, lowering = self.network, self.lowering
        names = (network.steps[-1].name, *network.auxiliary)
        outputs = [self.loss.reads(network, name) for name in names]
        lowering.fused, lowering.masked = graph.fusions(network, outputs)
        lowering.margins = graph.margins(network, lowering.fused, lowering.training)
        lowering.needed = graph.needed_gradients(network, frozen=self.frozen)
        self.first = emit_load(lowering, self.samples, self.dtype)
        lower_forward(lowering, outputs)
        for name, results in zip(outputs, (self.results, *self.auxiliary), strict=True):
            emit_loss(lowering, name, self.loss, results)
        lower_backward(lowering)

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
            with nullcontext() if update else self._halves.gradient():
                self.team.run()
            n = len(index)
            return self.samples.losses[:n].copy(), self.samples.correct[:n].copy()

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
        shards = self._select(inputs, index)
        self.tables.patch(self._total, "shard_count", shards)
        self.vectors.numbers[: len(numbers)] = numbers
        self.samples.run = (seed, number)
        for i, name in enumerate(self.lowering.random_layers):
            self.samples.keys[i] = layer_key(seed, number, name)
        targets = np.asarray(targets)
        self.samples.weights[:n] = self.loss.sample_weights(targets) if weights is None else weights
        self.samples.weights[n:] = 0.0
        for results in self.auxiliary:
            results.weights[:] = self.samples.weights * np.float32(self.auxiliary_weight)
        self._put_targets(targets.astype(np.float32), n)

    def update(self) -> None:
        """Let the optimizer take its step with ``vectors.gradient`` and the numbers of the last ``step``."""
        with self._lock:
            self._halves.update()

    @cached_property
    def _halves(self) -> Halves:
        return Halves(self.tables, self.team)

    def _put_targets(self, targets: np.ndarray, n: int) -> None:
        if self.target_count == 1:
            self.samples.targets[:n] = targets.reshape(n)
            return
        lanes = self.sizes.lanes
        room = np.zeros((len(self.samples.weights), self.target_count), np.float32)
        room[:n] = targets.reshape(n, -1)
        blocks = room.reshape(-1, lanes, self.target_count).transpose(0, 2, 1)
        self.samples.targets[:] = blocks.ravel()


def _room_for_results(sizes: Sizes) -> Results:
    return Results(*(aligned(sizes.samples * sizes.shards) for _ in range(3)))


class InferenceSession(Session):
    """The forward pass of one network, compiled for one batch size."""

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
        sizes = Sizes.of(batch_size, lanes or default_lanes())
        check_least(network, batch_size, sizes, training=False)
        vectors = Vectors(network.parameter_count, 0, network.initial_states())
        super().__init__(network, batch_size, vectors, sizes, 0, dtype, winograd)
        last = network.steps[-1].name
        lowering = self.lowering
        lowering.fused, lowering.masked = graph.fusions(network, [last])
        lowering.margins = graph.margins(network, lowering.fused, lowering.training)
        self.first = emit_load(lowering, self.samples, self.dtype)
        lower_forward(lowering, [last])
        emit_store(lowering, lowering.values[last], Place(self.samples.outputs.ctypes.data, OUTPUTS))
        self._add_shards()
        self._finish(threads)

    def run(self, inputs: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Return float32[n, *output_shape] for the samples ``index`` (int64[n], n <= batch_size) of ``inputs``.

        ``inputs`` and errors as in ``TrainingSession.step``.
        """
        with self._lock:
            self._select(inputs, index)
            self.team.run()
            n = len(index)
            return self.samples.outputs[: n * self.output_count].reshape(n, *self.network.output_shape).copy()


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether two float32 vectors hold the same bits."""
    return bool((a.view(np.int32) == b.view(np.int32)).all())
