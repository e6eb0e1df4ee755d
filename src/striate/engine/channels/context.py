"""What the lowering with channels in the lanes knows and collects."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.engine.channels.buffers import ChannelArena, Channels
from striate.engine.channels.tenants import Tenants
from striate.engine.layout import NO_MARGIN, Buffer, Margin, canonical_shape
from striate.engine.program import BUFFERS, FORWARD, PACK, Place, Program, Row
from striate.engine.rules import CHANNELS, find
from striate.engine.segments import PACKED
from striate.network import Network, Step

if TYPE_CHECKING:
    from striate.engine.analysis import Facts

WIDE = 16  # lanes of 512 bits


@dataclass(frozen=True)
class Work:
    """One call of a kernel for one sample, which threads may share.

    Parameters
    ----------
    row : Row
    products : int
        Multiplications and other passes over values: what the call costs.
    samples : bool
        The call computes all samples at once: some of its arguments are functions of the distance, in floats,
        from one sample's buffers to the next's.
    """

    row: Row
    products: int
    samples: bool = False


@dataclass(frozen=True)
class Chain:
    """Calls that follow each other, several times over: threads may share the times, not what is in one.

    Parameters
    ----------
    times : list of list of Work
    """

    times: list[list[Work]]


@dataclass
class ChannelLowering:
    """A program under construction with channels in the lanes: the calls for one sample, and where its values lie.

    Parameters
    ----------
    facts : Facts
        A shard is a sample.
    program : Program
    folded : dict
        Affine map -> the layer before it, into whose weights it disappears.
    activated : dict
        Activation -> the layer that takes it of its sums.

    Attributes
    ----------
    lanes : int
        Channels of a vector in the layer at work: as many as the program has, or half as many where a
        layer has few channels.
    places : dict
        Value -> int64[features], where its numbers lie in the arena, in the order of Flatten: what layers that only
        move numbers make of others. A copy is made when a layer reads it as a buffer.
    bases : dict
        Value of such a layer -> the buffers in which its numbers lie.
    tenants : Tenants
        The values in every buffer.
    map_of, activation_of : dict
        Layer -> the affine map, and the activation, that disappears into it: ``folded`` and ``activated`` from the
        other side.
    """

    facts: Facts
    program: Program
    folded: dict[str, str]
    activated: dict[str, str]
    arena: ChannelArena = field(init=False)
    stored: Channels = field(init=False)
    lanes: int = field(init=False)
    where: str = ""
    byte_products: str = "plain"
    works: list[Work | Chain] = field(default_factory=list)
    packs: list[list[Row]] = field(default_factory=lambda: [[], []])
    values: dict[str, Channels] = field(default_factory=dict)
    places: dict[str, np.ndarray] = field(default_factory=dict)
    bases: dict[str, tuple[Channels, ...]] = field(default_factory=dict)
    tenants: Tenants = field(default_factory=Tenants)
    map_of: dict[str, str] = field(init=False)
    activation_of: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.map_of = {into: name for name, into in self.folded.items()}
        fused = self.facts.fused
        self.activation_of = {into: name for name, into in self.activated.items() if name not in fused}
        self.arena = ChannelArena(self.program.lanes)
        self.lanes = self.program.lanes

    @property
    def samples(self) -> int:
        """The largest batch."""
        return self.facts.sizes.shards

    @property
    def network(self) -> Network:
        """The network that is lowered."""
        return self.facts.network

    @property
    def margins(self) -> dict[str, Margin]:
        """The zeros that the readers of each value want around it."""
        return self.facts.margins

    training = False

    def emit(self, kernel: str, constants: tuple[Any, ...] = (), /, **arguments: Any) -> None:
        """Append a call; what it costs is read off its arguments."""
        self.works.append(work_of(self._row(kernel, constants, arguments)))

    def call(self, kernel: str, constants: tuple[Any, ...], arguments: dict[str, Any], products: int) -> Work:
        """Return a call of a kernel with what it costs."""
        return Work(self._row(kernel, constants, arguments), products)

    def _row(self, kernel: str, constants: tuple[Any, ...], arguments: dict[str, Any]) -> Row:
        row = self.program.row(FORWARD, kernel, constants, where=self.where, **arguments)
        return with_lanes(row, self.lanes)

    def pack(self, kernel: str, *, after_maps: bool = True, **arguments: Any) -> None:
        """Append a call that depends on parameters and states alone; maps come before the weights they scale."""
        row = self.program.row(PACK, kernel, where=self.where, **arguments)
        self.packs[int(after_maps)].append(with_lanes(row, self.lanes))

    def room(self, floats: int) -> Place:
        """Return a place for numbers that depend on parameters and states alone."""
        return self.program.room(PACKED, floats + 64)  # a vector beyond the end may be read, never used

    def place(self, buffer: Buffer) -> Place:
        """Return where ``buffer`` begins, in whichever sample's part of the arena."""
        return Place(BUFFERS, 4 * buffer.offset)

    def constant(self, value: float, count: int) -> Place:
        """Return a place where ``value`` stands ``count`` times."""
        return self.numbers(*count * [value])

    def numbers(self, *values: float) -> Place:
        """Return a place where ``values`` stand one after the other."""
        return self.program.array(np.array(values, np.float32))

    def allocate(self, step: Step, like: Buffer | None = None) -> Channels:
        """Return a new buffer for the value of ``step``, with the margins that its readers need."""
        margin = self.margins.get(step.name, NO_MARGIN)
        if isinstance(like, Channels):
            found = self.arena.of_channels((like.count, *like.shape[1:]), margin, self.lanes)
        else:
            found = self.arena.of_channels(step.shape, margin, self.lanes)
        self.values[step.name] = found
        return found

    def compact(self, name: str) -> Channels:
        """Return the value ``name`` with one channel for each channel of its shape."""
        buffer, shape = self.values[name], canonical_shape(self.network.step(name).shape)
        if (buffer.count, *buffer.shape[1:]) == shape and buffer.lanes == self.lanes:
            return buffer
        out = self.arena.of_channels(shape, lanes=self.lanes)
        self.copy_features(buffer, out)
        return out

    def places_of(self, name: str) -> np.ndarray:
        """Return where the numbers of a value lie in the arena, in the order of Flatten."""
        if name in self.places:
            return self.places[name]
        return self.values[name].offset + self.values[name].features()

    def put_places(self, step: Step, places: np.ndarray) -> None:
        """Let the numbers of the value of ``step``, which its inputs hold, lie at ``places``."""
        self.places[step.name] = places
        self.bases[step.name] = tuple(dict.fromkeys(base for name in step.inputs for base in self.bases_of(name)))

    def bases_of(self, name: str) -> tuple[Channels, ...]:
        """Return the buffers that hold the numbers of a value."""
        return self.bases.get(name) or (self.values[name],)

    def in_lanes(self, name: str) -> Channels:
        """Return the value ``name`` with as many lanes as the layer at work has."""
        buffer = self.values[name]
        if buffer.lanes == self.lanes:
            return buffer
        shape = (buffer.count, *buffer.shape[1:])
        out = self.arena.of_channels(shape, self.margins.get(name, NO_MARGIN), self.lanes)
        self.copy_features(buffer, out)
        self.values[name] = out
        self.bases.pop(name, None)
        return out

    def copy_features(self, x: Channels, out: Channels) -> None:
        """Copy value by value, in the order of Flatten, between buffers of other shapes."""
        self.clear_rest(out)
        self.emit("channels.move", x=self.place(x), out=self.place(out), **move_arguments(self.program, x, out))

    def clear_rest(self, buffer: Channels) -> None:
        """Zero the last block of a buffer that is written channel by channel, if it has more lanes than channels.

        Those lanes are computed with and never used. Memory with margins is not reused, so they are zero there.
        """
        if buffer.margin == NO_MARGIN and buffer.count % buffer.lanes:
            last = replace(buffer, offset=buffer.offset + (buffer.shape[0] - 1) * buffer.strides[0])
            self.emit("elementwise.fill", out=self.place(last), count=buffer.strides[0], value=0.0)

    def products(self) -> float:
        """Return what a sample costs, in multiplications."""
        total = 0.0
        for work in self.works:
            for single in [work] if isinstance(work, Work) else itertools.chain(*work.times):
                total += single.products / (self.samples if single.samples else 1)
        return total

    def floor(self, step: Step) -> float:
        """Return 0 where the ReLU after ``step`` (or after what is folded into it) costs nothing, else -inf."""
        ends = (step.name, self.map_of.get(step.name))
        return -np.inf if self.facts.clipped.isdisjoint(ends) else 0.0


def with_lanes(row: Row, lanes: int) -> Row:
    """Return ``row`` with a kernel of so many lanes."""
    assert row.request is not None
    return replace(row, request=replace(row.request, lanes=lanes))


def move_arguments(program: Program, x: Channels, out: Channels) -> dict[str, Any]:
    """Return what ``channels.move`` copies between buffers of other shapes, in the order of Flatten."""
    runs, length, (x_step, out_step) = _common_runs(x, out)
    table = program.table(runs)
    return {"runs": table, "run_count": len(runs), "length": length, "x_step": x_step, "out_step": out_step}


def _common_runs(x: Channels, out: Channels) -> tuple[np.ndarray, int, tuple[int, int]]:
    """Return the places where runs of equal steps begin in both buffers, their length, and the steps."""
    pairs = np.stack([x.features(), out.features()], axis=1)
    for length in (len(pairs), int(np.prod(x.shape[1:])), x.shape[3]):
        if length > 1 and len(pairs) % length == 0:
            runs = pairs.reshape(-1, length, 2)
            step = runs[0, 1] - runs[0, 0]
            if (np.diff(runs, axis=1) == step).all():
                return runs[:, 0], length, (int(step[0]), int(step[1]))
    return pairs, 1, (0, 0)


def work_of(row: Row) -> Work:
    """Return a call with what it costs, as far as its arguments tell."""
    if row.request is None:
        return Work(row, 0)
    a, vectors = row.arguments, row.request.lanes * row.arguments.get("channel_count", 1)
    if "pair_count" in a:
        return Work(row, vectors * a["pair_count"])
    if row.request.module == "pooling":
        return Work(row, vectors * a["place_count"] * a["tap_count"])
    if "run_count" in a and "length" in a:
        return Work(row, vectors * a["run_count"] * a["length"])
    return Work(row, 0)


Forward = Callable[[ChannelLowering, Step], None]


@dataclass(frozen=True)
class ChannelRule:
    """How a layer is lowered with channels in the lanes.

    Parameters
    ----------
    forward : function of (lowering, step)
        Sets ``lowering.values[step.name]``.
    reads_single : bool
        The layer also reads values with a single lane: the network's input as it is stored.
    fits : function of a step, optional
        Whether the rule holds for this step; always by default.
    margin : function of a step, optional
        What the layer wants around its input, where the other layout has no rule that says so.
    places : bool
        The layer moves numbers only: it reads and writes ``lowering.places``.
    lanes : function of (lowering, step), optional
        How many lanes the layer's vectors have; by default as many as the program.
    """

    forward: Forward
    reads_single: bool = False
    fits: Callable[[Step], bool] | None = None
    margin: Callable[[Step], Margin] | None = None
    places: bool = False
    lanes: Callable[[ChannelLowering, Step], int] | None = None


def lanes_for(lowering: ChannelLowering, channels: int) -> int:
    """Return how many lanes suit so many channels.

    A vector of 8 costs half of one of 16 on processors that compute 512 bits in two halves, and no more on others.
    """
    whole = lowering.program.lanes
    return whole // 2 if whole == WIDE and channels <= whole // 2 else whole


def lanes_of_inputs(lowering: ChannelLowering, step: Step) -> int:
    """Return the lanes that all inputs of ``step`` have, where they have the same and enough."""
    whole = lowering.program.lanes
    inputs = [lowering.values[name] for name in step.inputs]
    narrow = all(lanes_for(lowering, x.count) == x.lanes for x in inputs)
    return inputs[0].lanes if narrow and len({x.lanes for x in inputs}) == 1 else whole


def rule(step: Step) -> ChannelRule | None:
    """Return how ``step`` is lowered with channels in the lanes, or None where it must be one channel at a time."""
    found: ChannelRule | None = find(CHANNELS, step.layer)
    return None if found is None or (found.fits is not None and not found.fits(step)) else found
