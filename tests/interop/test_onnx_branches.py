"""Graphs with branches, and with constants and shapes that are given when they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from striate.errors import ModelFileError, UsageError
from striate.interop.onnx.messages import Graph, TensorType, Type, ValueInfo
from striate.interop.onnx.messages import Model as Message
from striate.interop.protobuf import encode
from support.onnx_graphs import kinds, message, node, read, value
from support.onnx_runtime import agree, run_onnx

BOOL = 9


def branch(*nodes: object) -> Graph:
    """Return a graph that ends in the value "out"."""
    kind = Type(tensor_type=TensorType(elem_type=1))
    return Graph(node=list(nodes), name="branch", output=[ValueInfo(name="out", type=kind)])


def test_a_constant_condition_takes_one_branch(tmp_path: Path) -> None:
    nodes = [
        node("Shape", "x", "sides"), node("Size", "sides", "rank"), node("Equal", "rank three", "is_three"),
        node("Relu", "x", "r"),
        node("If", "is_three", "y", then_branch=branch(node("Mul", "r three_f", "out")),
             else_branch=branch(node("NonZero", "r", "out"))),
        node("Neg", "y", "out"),
    ]  # fmt: skip
    content = message(nodes, "n", 4, 5, three=np.int64(3), three_f=np.float32(3))
    model = read(tmp_path / "m.onnx", content)
    x = np.random.default_rng(0).normal(size=(2, 4, 5)).astype(np.float32)
    np.testing.assert_allclose(model.outputs(x), -3 * np.maximum(x, 0), rtol=1e-6)
    assert kinds(model) == {"InputLayer": 1, "ReLU": 1, "Scale": 1}


def test_a_condition_of_one_sample_chooses_between_both_branches(tmp_path: Path) -> None:
    nodes = [
        node("ReduceMax", "x", "top", keepdims=0), node("Greater", "top one", "high"),
        node("If", "high", "y", then_branch=branch(node("Mul", "x half", "out")),
             else_branch=branch(node("Neg", "x", "out"))),
        node("Relu", "y", "out"),
    ]  # fmt: skip
    content = message(nodes, 1, 6, one=np.float32(1), half=np.float32(0.5))
    model = read(tmp_path / "m.onnx", content)
    x = np.linspace(-1, 0.9, 6, dtype=np.float32)[None]
    for sample in (x, 2 * x):
        agree(model.outputs(sample), run_onnx(encode(content), sample), 1e-6)


def test_branches_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    def content(yes: Graph, sides: int | str) -> bytes:
        nodes = [
            node("ReduceMax", "x", "top", axes=[1], keepdims=0), node("Greater", "top one", "high"),
            node("If", "high", "y", then_branch=yes, else_branch=branch(node("Neg", "x", "out"))),
        ]  # fmt: skip
        return message(nodes, sides, 6, one=np.float32(1))

    for yes, sides, reason in [
        (
            branch(node("NonZero", "x", "out")),
            1,
            "NonZero 'the_out': there is no such operator; If 'the_y': one",
        ),
        (branch(node("ReduceMax", "x", "out")), 1, r"its branches give \[1, 1\] and \[1, 6\]"),
        (branch(node("Neg", "x", "out")), "n", "its condition differs from sample to sample"),
        (Graph(node=[node("Neg", "x", "out")], name="none"), 1, "its branches must have 1 outputs; got 0"),
        (branch(node("Neg", "nothing", "out")), 1, "the value 'nothing' is read but never computed"),
    ]:
        with pytest.raises(ModelFileError, match=reason):
            read(tmp_path / "m.onnx", content(yes, sides))


def test_a_bound_may_depend_on_the_sample(tmp_path: Path) -> None:
    nodes = [
        node("ReduceMax", "x", "top", keepdims=0), node("Sub", "top three", "low"), node("Clip", "x low", "out"),
    ]  # fmt: skip
    content = message(nodes, 1, 4, 5, three=np.float32(1))
    x = np.random.default_rng(0).normal(size=(1, 4, 5)).astype(np.float32)
    agree(read(tmp_path / "m.onnx", content).outputs(x), run_onnx(encode(content), x), 1e-6)


def test_zeros_made_for_every_sample_are_one_constant(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=4).astype(np.float32)
    nodes = [
        node("Shape", "x", "sides"), node("Gather", "sides zero", "n", axis=0),
        node("Concat", "n three", "state_sides", axis=0), node("ConstantOfShape", "state_sides", "state"),
        node("Gemm", "state w b", "from_state", transB=1), node("Gemm", "x w", "from_x", transB=1),
        node("Add", "from_state from_x", "sum"),
        node("Concat", "n zero", "no_sides", axis=0), node("ConstantOfShape", "no_sides", "none"),
        node("Concat", "sum none", "out", axis=1),
    ]  # fmt: skip
    content = message(nodes, "n", 3, w=weight, b=bias, zero=np.array([0]), three=np.array([3]))
    model = read(tmp_path / "m.onnx", content)
    x = rng.normal(size=(5, 3)).astype(np.float32)
    agree(model.outputs(x), run_onnx(encode(content), x), 1e-6)


def test_shapes_and_constants_are_given_by_name(tmp_path: Path) -> None:
    content = message([node("Mul", "x y", "product"), node("Add", "product rate", "out")], "n", "t")
    content.graph.input += [value("y", "n", "t"), value("rate")]  # type: ignore[union-attr]
    path = tmp_path / "m.onnx"
    wanted = r"'x' \(\?\), 'y' .* --input x=224 --input y=224 .*'rate' has no axis"
    with pytest.raises(ModelFileError, match=wanted):
        read(path, content)
    shapes = {"x": (4,), "y": (4,)}
    with pytest.raises(ModelFileError, match=r"'rate' has no axis of samples; .* such as --constant rate=1 "):
        read(path, content, input_shape=shapes)
    with pytest.raises(UsageError, match="there is no input 'z'; known: x, y, rate"):
        read(path, content, input_shape={"z": (4,)})
    with pytest.raises(UsageError, match="the input 'x' has open sides; give an array"):
        read(path, content, input_shape={"y": (4,)}, constants={"x": 1, "rate": 2})
    model = read(path, content, input_shape=shapes, constants={"rate": 2})
    x, y = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)
    np.testing.assert_allclose(model.outputs(np.concatenate([x, y], axis=1)), x * y + 2, rtol=1e-6)


def nested(depth: int) -> Graph:
    inner = branch(node("Neg", "x", "out"))
    for _ in range(depth):
        inner = branch(node("If", "yes", "out", then_branch=inner, else_branch=branch()))
    return inner


def test_branches_within_branches(tmp_path: Path) -> None:
    def content(depth: int) -> Message:
        nodes = [node("If", "yes", "y", then_branch=nested(depth), else_branch=branch()), node("Relu", "y", "out")]
        return message(nodes, "n", 4, yes=np.array([True]))

    assert kinds(read(tmp_path / "m.onnx", content(8)))["ReLU"] == 1
    with pytest.raises(ModelFileError, match="its branches are nested more than 16 deep"):
        read(tmp_path / "m.onnx", content(40))
