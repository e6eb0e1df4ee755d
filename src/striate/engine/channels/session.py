"""Inference with channels in the lanes, ready to run."""

from __future__ import annotations

import math

import numpy as np

from striate.engine.channels import plan
from striate.engine.channels.context import ChannelLowering
from striate.engine.forks import follow
from striate.engine.memory import Sizes, Vectors, aligned, check_least, check_room
from striate.engine.program import INDEX, OUTPUTS, Place, Program
from striate.engine.session import Session
from striate.engine.team import Team
from striate.errors import ShapeError
from striate.layers.base import format_shape
from striate.machine import available_threads, default_lanes
from striate.network import Network


class ChannelSession(Session):
    """The forward pass of one network for a few samples.

    Parameters
    ----------
    network : Network
    batch_size : int
        The largest batch; smaller ones may follow.
    dtype : dtype
        uint8 or float32: of the samples.
    threads, lanes : int, optional
        The processor's by default. The number of threads changes no bit of the result.
    winograd : bool
        Let 3x3 convolutions use Winograd's algorithm where it is faster; it rounds more (docs/engine.md).
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
        self.network, self.batch_size, self.dtype = network, batch_size, np.dtype(dtype)
        check_least(network, batch_size, Sizes(1, batch_size, 1), training=False)
        self.vectors = Vectors(network.parameter_count, 0, network.initial_states())
        self.output_count = math.prod(network.output_shape)
        self.mean, self.scale = (np.full(network.input_shape[0], value, np.float32) for value in (0.0, 1.0))
        self.index = aligned(batch_size, np.int64)
        self.outputs = aligned(batch_size * self.output_count)
        self.program = Program(lanes or default_lanes())
        lowering = self._lower(winograd)
        self.products = lowering.products()
        self._packers = lowering.packers
        stride = -(-lowering.arena.size // 64) * 64 + 64  # so that samples do not collide in the caches
        check_room(network, batch_size, 4 * stride * batch_size)
        self._room = aligned(stride * batch_size)
        self._phases = plan.deal(lowering, self._room, stride, self.output_count)
        self.tables = self.program.assemble()
        self._packing = self._pack_team(lowering)
        most = max(len(phase.tasks) for phase in self.program.phases)
        self.team = Team(self.tables, min(threads or available_threads(), most), 0)
        self.after_fork()
        follow(self)

    def _lower(self, winograd: bool) -> ChannelLowering:
        network, last = self.network, self.network.steps[-1].name
        lowering = plan.lower(network, self.program, self.batch_size, [last], self.vectors, winograd)
        index = Place(self.index.ctypes.data, INDEX)
        self.first = plan.emit_load(lowering, index, self.mean, self.scale, self.dtype)
        plan.emit_store(lowering, last, Place(self.outputs.ctypes.data, OUTPUTS))
        return lowering

    def _pack_team(self, lowering: ChannelLowering) -> Team | None:
        """Return what packs the weights of layers without a rule of their own."""
        if not lowering.pack_rows:
            return None
        program = Program(lowering.lanes)
        program.share(self.program)
        program.side_by_side(lowering.pack_rows, {})
        return Team(program.assemble(), 1, 0)

    def pack(self) -> None:
        """Bring the weights into the order of the kernels; to be called when ``vectors`` have changed."""
        for array, packer in self._packers:
            array[:] = packer(self.vectors.theta, self.vectors.states)
        if self._packing is not None:
            self._packing.run()

    def normalise(self, mean: np.ndarray, scale: np.ndarray) -> None:
        """Let every sample become ``(x - mean) / scale``, per channel."""
        self.mean[:] = mean
        self.scale[:] = 1.0 / np.asarray(scale, np.float64)

    def run(self, inputs: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Return float32[n, *output_shape] for the samples ``index`` (int64[n], n <= batch_size) of ``inputs``.

        ``inputs`` and errors as in ``TrainingSession.step``.
        """
        index = self._checked(index, len(inputs))
        if inputs.dtype != self.dtype or inputs.shape[1:] != self.network.input_shape:
            raise ShapeError(
                f"{self.network.name}: this plan takes {self.dtype} samples of "
                f"{format_shape(self.network.input_shape)}; got {inputs.dtype}, {format_shape(inputs.shape[1:])}. "
                "Convert them."
            )
        n = len(index)
        if not inputs.flags.c_contiguous:
            inputs, index = np.ascontiguousarray(inputs[index]), np.arange(n)
        with self._lock:
            self.team.rest()
            self._inputs = inputs  # a worker may look at it until the next run
            self.index[:n] = index
            self.tables.patch(self.first, "x", inputs.ctypes.data)
            for phase, parts in self._phases:
                self.tables.phases[phase, 1] = n * parts
            self.team.run()
            return self.outputs[: n * self.output_count].reshape(n, *self.network.output_shape).copy()
