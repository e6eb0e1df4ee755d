"""RNN, LSTM and GRU of ONNX files against ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.errors import ModelFileError
from striate.interop.onnx.messages import Node
from striate.interop.protobuf import encode
from support.onnx_graphs import kinds, message, node, read, value
from support.onnx_runtime import agree, run_all

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
FEATURES, CHANNELS = 5, 3
CASES: list[tuple[str, dict[str, Any]]] = [
    ("RNN", {}),
    ("RNN", {"activations": ["Relu"]}),
    ("LSTM", {}),
    ("LSTM", {"direction": "reverse"}),
    ("LSTM", {"direction": "bidirectional"}),
    ("GRU", {"linear_before_reset": 1}),
    ("GRU", {"linear_before_reset": 0, "direction": "bidirectional"}),
]


def weights(kind: str, ways: int) -> dict[str, np.ndarray]:
    rng, rows = np.random.default_rng(0), GATES[kind] * FEATURES
    shapes = {"w": (ways, rows, CHANNELS), "r": (ways, rows, FEATURES), "b": (ways, 2 * rows)}
    return {name: rng.normal(0, 0.7, shape).astype(np.float32) for name, shape in shapes.items()}


def recurrent(kind: str, inputs: str, **options: Any) -> tuple[Node, int]:
    """Return a node with all its outputs, and the number of its directions."""
    found = node(kind, inputs, "y", hidden_size=FEATURES, **options)
    found.output += ["y_h", "y_c"] if kind == "LSTM" else ["y_h"]
    return found, 2 if options.get("direction") == "bidirectional" else 1


@pytest.mark.parametrize(("kind", "options"), CASES)
@pytest.mark.parametrize("name", ["y", "y_h"])
def test_a_series(kind: str, options: dict[str, Any], name: str, tmp_path: Path) -> None:
    inner, ways = recurrent(kind, "series w r b", **options)
    order = {"y": [2, 0, 1, 3], "y_h": [1, 0, 2]}[name]  # samples first
    nodes = [node("Transpose", "x", "series", perm=[1, 0, 2]), inner, node("Transpose", name, "out", perm=order)]
    content = message(nodes, "n", 7, CHANNELS, **weights(kind, ways))
    model = read(tmp_path / "m.onnx", content)
    assert kinds(model)[kind] == ways
    x = np.random.default_rng(1).normal(size=(4, 7, CHANNELS)).astype(np.float32)
    agree(model.outputs(x).reshape(-1), run_all(encode(content), x)[0].reshape(-1), 2e-6)


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_one_position_with_a_state_to_begin_with(kind: str, options: dict[str, Any], tmp_path: Path) -> None:
    states = "h c" if kind == "LSTM" else "h"
    inner, ways = recurrent(kind, "series w r b  ".rstrip() + " none " + states, **options)
    inner.input[4] = ""  # all series are equally long
    last = "y_c" if kind == "LSTM" else "y_h"
    nodes = [node("Unsqueeze", "x axis", "series"), inner, node("Transpose", last, "out", perm=[1, 0, 2])]
    content = message(nodes, "n", CHANNELS, axis=np.array([0]), **weights(kind, ways))
    content.graph.input += [value(state, ways, "n", FEATURES) for state in states.split()]  # type: ignore[union-attr]
    model = read(tmp_path / "m.onnx", content)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, CHANNELS)).astype(np.float32)
    given = [rng.normal(size=(ways, 4, FEATURES)).astype(np.float32) for _ in states.split()]
    rows = np.concatenate([x, *(state.swapaxes(0, 1).reshape(4, -1) for state in given)], axis=1)
    agree(model.outputs(rows), run_all(encode(content), x, *given)[0], 2e-6)
    places = [item.get("samples_axis", 0) for item in model.metadata["origin"]["inputs"]]
    assert places == [0, *(1 for _ in given)]


@pytest.mark.parametrize(("kind", "options"), CASES)
@pytest.mark.parametrize("peepholes", [False, True])
def test_a_series_with_states_cells_and_peepholes(
    kind: str, options: dict[str, Any], peepholes: bool, tmp_path: Path
) -> None:
    """What no layer does becomes sums and products of every position."""
    lstm = kind == "LSTM"
    inner, ways = recurrent(kind, "series w r b none h" + (" c p" if lstm and peepholes else ""), **options)
    inner.input[4] = ""
    last = "y_c" if lstm else "y_h"
    nodes = [node("Transpose", "x", "series", perm=[1, 0, 2]), inner,
             node("Add", f"y {last}", "sum"), node("Transpose", "sum", "out", perm=[2, 0, 1, 3])]  # fmt: skip
    rng = np.random.default_rng(1)
    states = {name: rng.normal(size=(ways, 1, FEATURES)).astype(np.float32) for name in "hc"[: 1 + lstm]}
    p = rng.normal(size=(ways, 3 * FEATURES)).astype(np.float32)
    content = message(nodes, "n", 6, CHANNELS, **weights(kind, ways), **states, **({"p": p} if lstm else {}))
    model = read(tmp_path / "m.onnx", content)
    x = rng.normal(size=(4, 6, CHANNELS)).astype(np.float32)
    one = np.concatenate([run_all(encode(content), row[np.newaxis])[0] for row in x])
    agree(model.outputs(x).reshape(-1), one.reshape(-1), 2e-6)


def test_series_along_the_first_axis_of_the_input(tmp_path: Path) -> None:
    inner, _ = recurrent("GRU", "x w r b", linear_before_reset=1)
    content = message(
        [inner, node("Squeeze", "y ways", "out")], 7, "n", CHANNELS, ways=np.array([1]), **weights("GRU", 1)
    )
    model = read(tmp_path / "m.onnx", content)
    x = np.random.default_rng(1).normal(size=(7, 4, CHANNELS)).astype(np.float32)
    agree(model.outputs(x.swapaxes(0, 1)), run_all(encode(content), x)[0].swapaxes(0, 1), 2e-6)
    assert model.metadata["origin"]["inputs"][0]["samples_axis"] == 1


@pytest.mark.parametrize(
    ("inputs", "options", "reason"),
    [
        ("series w r b none none none p", {}, "peepholes need series of at most 64 positions"),
        ("series w r b lengths", {}, "its series have different lengths"),
        ("series w r b", {"direction": "sideways"}, "the direction 'sideways' is not known"),
        ("series w r b none state", {}, "its states, cells or peepholes need series of at most 64"),
        ("series w r b", {"clip": 1.0}, "other activations .Sigmoid, Tanh, Tanh., a clip, or coupled gates"),
        ("series w r b", {"activations": ["Sigmoid", "Relu", "Tanh"]}, "other activations .Sigmoid, Relu, Tanh."),
    ],
)
def test_what_no_layer_does(inputs: str, options: dict[str, Any], reason: str, tmp_path: Path) -> None:
    inner, _ = recurrent("LSTM", inputs, **options)
    inner.input[:] = ["" if name == "none" else name for name in inner.input]
    nodes = [node("Transpose", "x", "series", perm=[1, 0, 2]), inner, node("Relu", "y", "out")]
    more = {"p": np.ones((1, 3 * FEATURES), np.float32), "lengths": np.array([3], np.int32)}
    more["state"] = np.ones((1, 1, FEATURES), np.float32)
    content = message(nodes, 1, 65, CHANNELS, **weights("LSTM", 1), **more)
    with pytest.raises(ModelFileError, match=reason):
        read(tmp_path / "m.onnx", content)
