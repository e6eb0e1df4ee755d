"""What the lowering of one network knows and collects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from striate.engine.layout import NO_MARGIN, Arena, Buffer, Margin, canonical_shape
from striate.engine.memory import Samples, Vectors, aligned
from striate.engine.program import ARENA, GRADIENT, CallBack, Place, Program, Row
from striate.layers.base import Layer
from striate.network import Network, Step

STRIDE = int
"""As an argument of ``Lowering.once``: the floats from one shard's buffers to the next's."""
ByShards = Callable[[int, int], np.ndarray]
"""A table that depends on the floats from one shard's buffers to the next's, and on the number of shards."""


@dataclass
class Lowering:
    """Rows, buffers and packed weights of one network for one shard.

    Parameters
    ----------
    network : Network
    program : Program
    arena : Arena
    theta : float32[parameter_count, padded]
        The flat parameter vector.
    vectors, samples
        The flat vectors, and the arrays of one batch.
    training : bool
        Keep what the backward pass needs.
    winograd : bool
        Let 3x3 convolutions use Winograd's algorithm.
    """

    network: Network
    program: Program
    arena: Arena
    theta: np.ndarray
    training: bool
    vectors: Vectors
    samples: Samples
    winograd: bool = True
    rows: list[Row] = field(default_factory=list)
    packs: list[Row] = field(default_factory=list)
    parts: list[tuple[list[Row], list[Row]]] = field(default_factory=list)
    by_shards: list[tuple[Row, str, ByShards]] = field(default_factory=list)
    summed: list[tuple[int, int]] = field(default_factory=list)
    random_layers: list[str] = field(default_factory=list)
    memos: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Buffer] = field(default_factory=dict)
    gradients: dict[str, Buffer] = field(default_factory=dict)
    margins: dict[str, Margin] = field(default_factory=dict)
    fused: dict[str, str] = field(default_factory=dict)
    masked: set[str] = field(default_factory=set)
    needed: set[str] = field(default_factory=set)

    def emit(self, kernel: str, constants: tuple = (), /, **arguments: Any) -> None:
        """Append a kernel call to the shard's program."""
        self.rows.append(self.program.row(kernel, constants, **arguments))

    def call_back(self, function: CallBack, places: list[Place]) -> None:
        """Append a call of a Python function with the addresses of ``places``."""
        self.rows.append(Row(None, {f"place{i}": place for i, place in enumerate(places)}, function))

    def barrier(self) -> None:
        """Let every shard come here before any goes on: between, rows of ``once`` may follow."""
        self.parts.append((self.rows, []))
        self.rows = []

    def once(self, kernel: str, constants: tuple = (), /, **arguments: Any) -> None:
        """Append a call that runs once, beside others, after the last barrier and before what follows it.

        Its buffers are those of the first shard; an argument that is a function gets the number of floats from one
        shard's buffers to the next's.
        """
        self.parts[-1][1].append(self.program.row(kernel, constants, **arguments))

    def random_key(self, step: Step) -> Place:
        """Return where the key of a layer's random numbers lies in every run."""
        if step.name not in self.random_layers:
            self.random_layers.append(step.name)
        return Place(self.samples.keys.ctypes.data + 8 * self.random_layers.index(step.name))

    def place(self, buffer: Buffer) -> Place:
        """Return where ``buffer`` begins, in whichever thread's arena."""
        return Place(4 * buffer.offset, ARENA)

    def parameter(self, step: Step, name: str) -> Place | None:
        """Return where a parameter of ``step`` begins, or None if it has none of that name."""
        for slot in step.parameters:
            if slot.spec.name == name:
                return Place(self.theta.ctypes.data + 4 * slot.offset)
        return None

    def parameter_gradient(self, step: Step, name: str) -> Place:
        """Return where the shard's gradient of a parameter begins."""
        return Place(0, GRADIENT) + self.parameter_offset(step, name)

    def parameter_offset(self, step: Step, name: str) -> int:
        """Return where a parameter of ``step`` begins in the flat vectors, in floats."""
        return next(slot.offset for slot in step.parameters if slot.spec.name == name)

    def state(self, step: Step, name: str) -> Place:
        """Return where a state of ``step`` begins."""
        offset = next(slot.offset for slot in step.states if slot.spec.name == name)
        return Place(self.vectors.states.ctypes.data + 4 * offset)

    def pack(self, index: np.ndarray, step: Step, name: str = "weight") -> Place:
        """Return a copy of a parameter in the order of ``index``, made anew at the start of every run."""
        packed = aligned(index.size + 64)
        self.packs.append(gather(self.program, self.parameter(step, name), packed, index))
        return Place(packed.ctypes.data)

    def constant(self, value: float, count: int) -> np.ndarray:
        """Return ``count`` times ``value``, float32, kept as long as the program."""
        array = np.full(count, value, np.float32)
        self.program.kept.append(array)
        return array

    def allocate(self, step: Step, like: Buffer | None = None) -> Buffer:
        """Return a new buffer for the value of ``step``, with the margins that its readers need."""
        shape = step.shape if like is None else like.shape
        buffer = self.arena.allocate(shape, self.margins.get(step.name, NO_MARGIN))
        self.values[step.name] = buffer
        return buffer

    def clear(self, place: Place, count: int) -> None:
        """Emit zeros for ``count`` values."""
        self.emit("elementwise.fill", out=place, count=count, value=0.0)

    def rows_of(self, value: Buffer, features: np.ndarray | None = None) -> Buffer:
        """Return a new buffer with the features of ``value`` sample by sample: [sample][feature].

        ``features`` gives their places in another order than that of Flatten.
        """
        features = value.features() if features is None else features
        rows = self.arena.allocate((len(features),))
        self.emit(
            "batch.store_rows",
            x=self.place(value),
            out=self.place(rows),
            features=self.program.table(features),
            count=len(features),
            blocks=value.blocks,
            x_block=value.block,
        )
        return rows

    def compact(self, name: str) -> Buffer:
        """Return the value ``name`` with one channel for each channel of its shape.

        A flattened value whose buffer keeps a space is seen anew, or copied where margins lie between.
        """
        buffer, shape = self.values[name], canonical_shape(self.network.step(name).shape)
        if buffer.shape == shape:
            return buffer
        if buffer.margin == NO_MARGIN:
            return replace(buffer, shape=shape, block_stride=buffer.block)
        out = self.arena.allocate(shape)
        pairs = np.stack([buffer.features(), out.features()], axis=1)
        self.emit(
            "elementwise.move",
            x=self.place(buffer),
            out=self.place(out),
            channels=self.program.table(np.zeros((1, 2))),
            channel_count=1,
            pairs=self.program.table(pairs),
            pair_count=len(pairs),
            blocks=buffer.blocks,
            x_block=buffer.block,
            out_block=out.block,
            accumulate=0,
        )
        return out

    def compact_gradient(self, name: str) -> tuple[Buffer, int]:
        """Return ``gradient_into(name)`` with one channel for each channel of the value's shape."""
        buffer, accumulate = self.gradient_into(name)
        shape = canonical_shape(self.network.step(name).shape)
        return (buffer if buffer.shape == shape else replace(buffer, shape=shape)), accumulate

    def gradient_into(self, name: str) -> tuple[Buffer, int]:
        """Return the gradient buffer of the value ``name``, and 1 if a reader has written to it already."""
        if name in self.gradients:
            return self.gradients[name], 1
        value = self.values[name]
        self.gradients[name] = self.arena.allocate(value.shape)
        return self.gradients[name], 0


def gather(program: Program, x: Any, out: Any, index: np.ndarray) -> Row:
    """Return the call that makes ``out[i] = x[index[i]]``."""
    pairs = np.resize(index.ravel().astype(np.uint32), -(-index.size // 2) * 2)
    return program.row("batch.gather", x=x, out=out, index=pairs.view(np.int64), count=index.size)


class Forward(Protocol):
    """Emit the rows that compute the value of a step."""

    def __call__(self, lowering: Lowering, step: Step) -> None:
        """Set ``lowering.values[step.name]``."""
        ...


Backward = Forward
"""Emit the rows that turn ``gradients[step.name]`` into gradients of parameters and of needed inputs."""


@dataclass(frozen=True)
class Rule:
    """How a layer is lowered.

    Parameters
    ----------
    forward, backward : functions of (lowering, step)
    margin : function of a step, optional
        The margin that the layer wants around its input.
    floor : function of a step, optional
        Whether the forward pass can clip its result at 0, so that a ReLU after it costs nothing.
    transparent : function of (step, training), optional
        Whether the value of the step lies where that of its input lies.
    assigns : bool
        The backward pass sets the gradients of the parameters; otherwise it adds to zeros.
    """

    forward: Forward
    backward: Backward
    margin: Callable[[Step], Margin] | None = None
    floor: Callable[[Step], bool] | None = None
    transparent: Callable[[Step, bool], bool] | None = None
    assigns: bool = False


def always(step: Step, training: bool = True) -> bool:
    """Say yes: for rules that hold for every step of a layer."""
    return True


RULES: dict[type[Layer], Rule] = {}


def rule(layer: Layer) -> Rule | None:
    """Return how ``layer`` is lowered, or None if it has no kernels."""
    for cls in type(layer).__mro__:
        if cls in RULES:
            return RULES[cls]
    return None
