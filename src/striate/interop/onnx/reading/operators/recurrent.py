"""Recurrent layers: a layer for a series, sums and products for a single position."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from striate import layers
from striate.interop.onnx.reading.importer import Importer, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import add, as_value, multiply, scaled
from striate.interop.onnx.reading.operators.dense import dense
from striate.interop.onnx.reading.operators.shapes import concatenated, part
from striate.interop.onnx.reading.values import Unsupported, Value, of_one_sample
from striate.layers.base import Layer

MOST_UNROLLED = 64
"""Positions that become sums and products of their own, where no layer does what is asked for."""
ORDERS = {"RNN": [0], "LSTM": [0, 2, 3, 1], "GRU": [1, 0, 2]}
"""Which gate of ONNX each of striate's gates is."""
USUAL = {"RNN": ["Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}
Found = list[Value | None]


@dataclass(frozen=True)
class Direction:
    """What one direction of a recurrent operator needs; gates in striate's order along the first axis."""

    kind: str
    weight: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray
    recurrent_bias: np.ndarray
    reset_after: bool
    activation: str
    reverse: bool
    peepholes: np.ndarray | None = None
    """Of an LSTM: what the cell adds to the sums of the gates i, o and f, [3, H]."""

    @property
    def features(self) -> int:
        """Size of the state."""
        return int(self.recurrent.shape[1])

    def parts(self, array: np.ndarray) -> list[np.ndarray]:
        """Return one part of ``array`` for each gate."""
        return np.split(array, len(ORDERS[self.kind]))


def _directions(node: Operator) -> list[Direction]:
    """Return the directions of an operator; raises Unsupported for what no layer here has."""
    way = node.get("direction", "forward")
    count = 2 if way == "bidirectional" else 1
    if way not in ("forward", "reverse", "bidirectional"):
        raise Unsupported(f"the direction {way!r} is not known")
    activations = [str(item) for item in node.get("activations", USUAL[node.kind] * count)]
    each = len(activations) // count
    known = USUAL[node.kind] if node.kind != "RNN" or activations[0] != "Relu" else ["Relu"]
    if activations != known * count or node.get("clip", 0) or node.get("input_forget", 0):
        raise Unsupported(f"it has other activations ({', '.join(activations)}), a clip, or coupled gates")
    peepholes = node.constant(7) if node.kind == "LSTM" else None
    order, found = ORDERS[node.kind], []
    for number in range(count):
        weight, recurrent = node.needed(1)[number], node.needed(2)[number]
        bias = node.constant(3)
        both = np.zeros((2, len(weight))) if bias is None else bias[number].reshape(2, -1)
        w, r, b, rb = (
            np.concatenate([np.split(array, len(order))[gate] for gate in order])
            for array in (weight, recurrent, *both)
        )
        after = bool(node.get("linear_before_reset", 0))
        reverse = way == "reverse" or number == 1
        peep = peepholes[number].reshape(3, -1) if peepholes is not None and np.any(peepholes) else None
        found.append(Direction(node.kind, w, r, b, rb, after, activations[number * each].lower(), reverse, peep))
    return found


@operator("RNN", "LSTM", "GRU")
def recurrent(graph: Importer, node: Operator) -> Found:
    """Y [T, directions, N, H], Y_h and Y_c [directions, N, H]."""
    first = bool(node.get("layout", 0))
    series = _with_samples_second(node.value().transposed((1, 0, 2)) if first else node.value())
    length = series.shape[0]
    lengths = node.constant(4)
    if lengths is not None and np.any(lengths != length):
        raise Unsupported("its series have different lengths")
    ways = _directions(node)
    states = [_state(node, graph, number, series, first) for number in (5, 6)]
    cells = len(node.outputs) > 2 and bool(node.outputs[2])
    if length == 1 or any(states) or cells or any(way.peepholes is not None for way in ways):
        if length > MOST_UNROLLED:
            raise Unsupported(f"its states, cells or peepholes need series of at most {MOST_UNROLLED} positions")
        found = _positions(graph, ways, series, states)
    else:
        found = _series_layers(graph, ways, series)
    if not first:
        return found
    turned = [(2, 0, 1, 3), (1, 0, 2), (1, 0, 2)]
    return [value and value.transposed(order) for value, order in zip(found, turned, strict=True)]


def _with_samples_second(value: Value) -> Value:
    """Return three axes with samples along the second; a single sample may be along any."""
    if value.batch != 1:
        whole = value.whole().straight()
        if whole.batch is None and whole.count == 1 and len(whole.base) == 3 and whole.base[1] == 1:
            value = Value(whole.node, (whole.base[0], whole.base[2]), (0, 1), 1, 1)
    if value.rank != 3 or value.batch != 1:
        raise Unsupported("the samples of its series and states are not along the second axis")
    return value


def _state(node: Operator, graph: Importer, number: int, like: Value, first: bool) -> Value | None:
    """Return a state [directions, N, H] to begin with; None for zeros."""
    found = node.inputs[number] if number < len(node.inputs) else None
    if found is None or (isinstance(found, np.ndarray) and not np.any(found)):
        return None
    if isinstance(found, np.ndarray):
        turned = found.transpose(1, 0, 2) if first else found
        return as_value(graph, np.expand_dims(of_one_sample(turned, like), 1), like)
    return _with_samples_second(found.transposed((1, 0, 2)) if first else found)


def _series_layers(graph: Importer, ways: list[Direction], series: Value) -> Found:
    """Return what a layer for each direction makes of a series; cells stay inside."""
    outputs, lasts = [], []
    for way in ways:
        node, _ = graph.grouped(series, [series.axis(2)])  # [C, T]
        layer, arrays = _layer(way)
        found = graph.apply(layer, node, **arrays)
        value = Value(found, (1, *found.shape), (2, 0, 1), 2, series.count)  # [T, 1, N, H]
        outputs.append(value)
        lasts.append(_without_first(part(graph, value, 0, 0 if way.reverse else found.shape[1] - 1, 1)))
    return [_joined(graph, outputs, 1), _joined(graph, lasts, 0), None]


def _layer(way: Direction) -> tuple[Layer, dict[str, np.ndarray]]:
    """Return the layer of a direction, and its parameters."""
    size, arrays = way.features, {"weight": way.weight, "recurrent_weight": way.recurrent}
    arrays["bias"] = way.bias + way.recurrent_bias
    if way.kind == "RNN":
        return layers.RNN(size, way.reverse, activation=way.activation), arrays
    if way.kind == "LSTM":
        return layers.LSTM(size, way.reverse), arrays
    if way.reset_after:
        arrays["bias"][2 * size :] = way.bias[2 * size :]
        arrays["recurrent_bias"] = way.recurrent_bias[2 * size :]
    return layers.GRU(size, way.reverse, reset_after=way.reset_after), arrays


def _without_first(value: Value) -> Value:
    """Return [1, 1, N, H] as [1, N, H]."""
    straight = value.straight()
    return replace(straight, base=straight.base[1:], order=tuple(range(len(straight.base) - 1)), batch=1)


def _joined(graph: Importer, values: list[Value], axis: int) -> Value:
    return values[0] if len(values) == 1 else concatenated(graph, values, axis)


def _positions(graph: Importer, ways: list[Direction], series: Value, states: list[Value | None]) -> Found:
    """Return the sums and products of every position."""
    positions = [part(graph, series, 0, place, 1) for place in range(series.shape[0])]
    outputs, hs, cs = [], [], []
    for number, way in enumerate(ways):
        h, c = (state and part(graph, state, 0, number, 1) for state in states)
        found: list[Value] = []
        for x in positions[::-1] if way.reverse else positions:
            h, c = _CELLS[way.kind](graph, way, x, h, c)
            found.append(h)
        assert h is not None
        assert c is not None
        hs.append(h)
        cs.append(c)
        outputs.append(_joined(graph, found[::-1] if way.reverse else found, 0))  # [T, N, H]
    spread = []
    for value in map(Value.straight, outputs):
        length, size = value.base
        spread.append(replace(value, base=(length, 1, size), order=(0, 1, 2), batch=2))
    return [_joined(graph, spread, 1), _joined(graph, hs, 0), _joined(graph, cs, 0)]


def _sum(graph: Importer, way: Direction, gate: int, x: Value, h: Value | None) -> Value:
    """Return what one gate sums, [1, N, H]."""
    weight, bias = way.parts(way.weight)[gate], way.parts(way.bias + way.recurrent_bias)[gate]
    total = dense(graph, x, weight, bias)
    return total if h is None else add(graph, total, dense(graph, h, way.parts(way.recurrent)[gate]))


def _rnn_cell(graph: Importer, way: Direction, x: Value, h: Value | None, c: Value | None) -> tuple[Value, Value]:
    layer = layers.Tanh() if way.activation == "tanh" else layers.ReLU()
    found = graph.each(layer, _sum(graph, way, 0, x, h))
    return found, found


def _lstm_cell(graph: Importer, way: Direction, x: Value, h: Value | None, c: Value | None) -> tuple[Value, Value]:
    sums = [_sum(graph, way, gate, x, h) for gate in range(4)]
    i, f = (graph.each(layers.Sigmoid(), _peeked(graph, way, sums[k], c, p)) for k, p in ((0, 0), (1, 2)))
    cell = multiply(graph, i, graph.each(layers.Tanh(), sums[2]))
    if c is not None:
        cell = add(graph, cell, multiply(graph, f, c))
    o = graph.each(layers.Sigmoid(), _peeked(graph, way, sums[3], cell, 1))
    return multiply(graph, o, graph.each(layers.Tanh(), cell)), cell


def _peeked(graph: Importer, way: Direction, total: Value, cell: Value | None, place: int) -> Value:
    """Return what a gate sums, with what it sees of the cell."""
    if way.peepholes is None or cell is None:
        return total
    return add(graph, total, multiply(graph, cell, way.peepholes[place]))


def _gru_cell(graph: Importer, way: Direction, x: Value, h: Value | None, c: Value | None) -> tuple[Value, Value]:
    reset, update = (graph.each(layers.Sigmoid(), _sum(graph, way, gate, x, h)) for gate in (0, 1))
    own, bias = way.parts(way.recurrent)[2], way.parts(way.recurrent_bias)[2]
    total = dense(graph, x, way.parts(way.weight)[2], way.parts(way.bias)[2])
    if way.reset_after:
        inner = multiply(graph, reset, bias) if h is None else multiply(graph, reset, dense(graph, h, own, bias))
        total = add(graph, total, inner)
    else:
        total = add(graph, total, bias)
        if h is not None:
            total = add(graph, total, dense(graph, multiply(graph, reset, h), own))
    found = multiply(graph, scaled(graph, update, -1.0, 1.0), graph.each(layers.Tanh(), total))
    if h is not None:
        found = add(graph, found, multiply(graph, update, h))
    return found, found


_CELLS = {"RNN": _rnn_cell, "LSTM": _lstm_cell, "GRU": _gru_cell}
