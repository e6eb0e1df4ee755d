"""What the lowering of one network knows and collects."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from striate.engine.layout import NO_MARGIN, Arena, Buffer, Margin, canonical_shape
from striate.engine.program import BUFFERS, FORWARD, GRADIENT, PACK, CallBack, Place, Program, Row
from striate.engine.rules import SAMPLES, find
from striate.engine.segments import GRADIENTS, KEYS, PACKED, PARAMETERS, STATES
from striate.layers.base import Layer
from striate.network import Network, Step

if TYPE_CHECKING:
    from striate.engine.analysis import Facts

ByStride = Callable[[int], Any]
"""An argument that depends on the floats from one shard's buffers to the next's, which are known last of all."""
STRIDE: ByStride = int
"""This number itself."""


@dataclass
class Lowering:
    """A program under construction: the rows of one shard, and where its values lie.

    Parameters
    ----------
    facts : Facts
    program : Program
    arena : Arena
    threads : int
        That run the program. More than there are shards share the calls of a shard.

    Attributes
    ----------
    groups : int
        How many groups of independent rows there are so far.
    chains : int or None
        How many chains the group at work has so far; None outside a group. See ``Row.beside``.
    section : str
        What the next rows belong to.
    rows : list of Row
        Of the shard, since the last barrier.
    packs : list of Row
        Run side by side before everything else.
    parts : list of (rows, rows, seen)
        The rows up to each barrier, those that run once after it, and what these read in every shard.
    values, gradients : dict of str to Buffer
    memos : dict
        What the forward pass of a layer leaves to its backward pass.
    summed : list of (first, end)
        The parts of the gradient that no longer need a sum over the shards.
    """

    facts: Facts
    program: Program
    arena: Arena
    threads: int = 1
    groups: int = 0
    chains: int | None = None
    section: str = FORWARD
    where: str = ""
    rows: list[Row] = field(default_factory=list)
    packs: list[Row] = field(default_factory=list)
    parts: list[tuple[list[Row], list[Row], list[tuple[int, int]]]] = field(default_factory=list)
    summed: list[tuple[int, int]] = field(default_factory=list)
    memos: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Buffer] = field(default_factory=dict)
    gradients: dict[str, Buffer] = field(default_factory=dict)

    @property
    def network(self) -> Network:
        """The network that is lowered."""
        return self.facts.network

    @property
    def gang(self) -> int:
        """How many threads share a shard."""
        return -(-self.threads // self.facts.sizes.shards)

    @property
    def training(self) -> bool:
        """Whether the backward pass follows."""
        return self.facts.training

    @property
    def needed(self) -> set[str]:
        """The values whose gradients are needed."""
        return self.facts.needed

    def floor(self, step: Step) -> float:
        """Return 0 if a ReLU that follows is left to ``step``, else minus infinity."""
        return 0.0 if step.name in self.facts.clipped else -math.inf

    def row(self, kernel: str, constants: tuple[Any, ...] = (), /, **arguments: Any) -> Row:
        """Return a kernel call of the section and layer at work."""
        return self.program.row(self.section, kernel, constants, where=self.where, **arguments)

    def emit(self, kernel: str, constants: tuple[Any, ...] = (), /, **arguments: Any) -> None:
        """Append a kernel call to the shard's program."""
        self.rows.append(self.row(kernel, constants, **arguments))

    @contextmanager
    def independent(self) -> Iterator[None]:
        """Let the sums of products that are emitted in the block not depend on each other."""
        self.groups, self.chains = self.groups + 1, 0
        yield
        self.chains = None

    def next_chain(self) -> tuple[int, int] | None:
        """Return the group at work and a new chain of it."""
        if self.chains is None:
            return None
        self.chains += 1
        return self.groups, self.chains

    def call_back(self, function: CallBack, places: list[Place]) -> None:
        """Append a call of a Python function with the addresses of ``places``."""
        arguments = {f"place{i}": place for i, place in enumerate(places)}
        self.rows.append(Row(None, arguments, self.section, function, self.where))

    def emit_pack(self, kernel: str, constants: tuple[Any, ...] = (), /, **arguments: Any) -> None:
        """Append a call that depends on parameters and states alone; it runs before all others."""
        self.packs.append(self.program.row(PACK, kernel, constants, where=self.where, **arguments))

    def barrier(self, *seen: tuple[Buffer, int]) -> None:
        """Let every shard come here before any goes on: between, rows of ``once`` may follow.

        Of the buffers of every shard these may read the ``seen``, each up to so many floats.
        """
        self.parts.append((self.rows, [], [(buffer.offset, floats) for buffer, floats in seen]))
        self.rows = []

    def once(self, kernel: str, constants: tuple[Any, ...] = (), /, **arguments: Any) -> None:
        """Append a call that runs once, beside others, after the last barrier and before what follows it.

        Its buffers are those of the first shard, those of the others follow; an argument may be a ``ByStride``.
        """
        self.parts[-1][1].append(self.row(kernel, constants, **arguments))

    def random_key(self, step: Step) -> Place:
        """Return where the key of a layer's random numbers lies in every run."""
        layers = self.program.random_layers
        if step.name not in layers:
            layers.append(step.name)
        return Place(KEYS, 8 * layers.index(step.name))

    def place(self, buffer: Buffer) -> Place:
        """Return where ``buffer`` begins, in whichever thread's arena."""
        return Place(BUFFERS, 4 * buffer.offset)

    def parameter(self, step: Step, name: str) -> Place | None:
        """Return where a parameter of ``step`` begins, or None if it has none of that name."""
        for slot in step.parameters:
            if slot.spec.name == name:
                return Place(PARAMETERS, 4 * slot.offset)
        return None

    def parameter_gradient(self, step: Step, name: str) -> Place:
        """Return where the shard's gradient of a parameter begins."""
        return Place(GRADIENTS, 4 * self.parameter_offset(step, name), GRADIENT)

    def parameter_offset(self, step: Step, name: str) -> int:
        """Return where a parameter of ``step`` begins in the flat vectors, in floats."""
        return next(slot.offset for slot in step.parameters if slot.spec.name == name)

    def state(self, step: Step, name: str) -> Place:
        """Return where a state of ``step`` begins."""
        offset = next(slot.offset for slot in step.states if slot.spec.name == name)
        return Place(STATES, 4 * offset)

    def pack(self, index: np.ndarray, step: Step, name: str = "weight") -> Place:
        """Return a copy of a parameter in the order of ``index``, made anew whenever the parameters change."""
        packed = self.program.room(PACKED, index.size + 64)
        for first in range(0, index.size, PIECE):
            part = index.ravel()[first : first + PIECE]
            self.emit_pack(GATHER, **gather(self.program, self.parameter(step, name), packed + first, part))
        return packed

    def scratch(self, floats: int) -> Buffer:
        """Return room for so many floats for each thread of a gang."""
        return self.arena.allocate((-(-self.gang * floats // (self.arena.lanes * self.arena.blocks)),))

    def constant(self, value: float, count: int) -> Place:
        """Return a place where ``value`` stands ``count`` times."""
        return self.program.array(np.full(count, value, np.float32))

    def allocate(self, step: Step, like: Buffer | None = None) -> Buffer:
        """Return a new buffer for the value of ``step``, with the margins that its readers need."""
        shape = step.shape if like is None else like.shape
        buffer = self.arena.allocate(shape, self.facts.margins.get(step.name, NO_MARGIN))
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
            feature_count=len(features),
            row=len(features),
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


GATHER, PIECE = "batch.gather", 2**17  # floats that one call puts in order


def gather(program: Program, x: Any, out: Any, index: np.ndarray) -> dict[str, Any]:
    """Return the arguments of ``GATHER`` for ``out[i] = x[index[i]]``."""
    pairs = np.resize(index.ravel().astype(np.uint32), -(-index.size // 2) * 2)
    return {"x": x, "out": out, "index": program.table(pairs.view(np.int64)), "count": index.size}


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


def rule(layer: Layer) -> Rule | None:
    """Return how ``layer`` is lowered, or None if it has no kernels."""
    found: Rule | None = find(SAMPLES, layer)
    return found
