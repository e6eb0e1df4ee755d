"""Operators that become several layers, against ONNX Runtime or arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.errors import ModelFileError
from striate.interop.protobuf import encode
from support.onnx_graphs import kinds, message, node, read, value
from support.onnx_runtime import agree, run_onnx

RNG = np.random.default_rng(0)
INTEGER = 7  # the element type


def numbers(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("equation", "sides", "others"),
    [
        ("bij,jk->bik", (4, 5), [(5, 3)]),
        ("bij, kj", (4, 5), [(3, 5)]),
        ("bhwc,hkc->bhwk", (4, 3, 5), [(4, 6, 5)]),
        ("bchw,bkhw->bck", (2, 3, 4), [None]),
        ("bhqd,bhkd->bhqk", (2, 3, 4), [None]),
        ("b...i,ij->b...j", (3, 2, 4), [(4, 5)]),
        ("bi,bj->bij", (4,), [None]),
        ("bij->bji", (4, 5), []),
        ("bij->bi", (4, 5), []),
        ("ij,bjk,kl->bil", (5, 3), [(4, 5), (3, 2)]),
        ("ij,jk,bk->bi", (3,), [(4, 5), (5, 3)]),
    ],
)
def test_summation_by_letters(
    equation: str, sides: tuple[int, ...], others: list[tuple[int, ...] | None], tmp_path: Path
) -> None:
    """Operands are constants; None is the input once more. The input stands where the letter b is first."""
    names = ["x" if "b" in term else "c" for term in equation.partition("->")[0].split(",")]
    arrays = {f"c{number}": numbers(*shape) for number, shape in enumerate(others) if shape}
    own = iter(arrays)
    inputs = " ".join(name if name == "x" else next(own) for name in names)
    content = message([node("Einsum", inputs, equation=equation)], "n", *sides, **arrays)
    x = numbers(3, *sides)
    agree(read(tmp_path / "m.onnx", content).outputs(x), run_onnx(encode(content), x), 1e-5)


@pytest.mark.parametrize(
    ("equation", "reason"),
    [("bii->bi", "'bii' does not name 3 axes once each"), ("bij,bjk->bik", "is not about 1 operands"),
     ("bij->ij", "works along the axis of samples")],
)  # fmt: skip
def test_sums_that_are_refused(equation: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=reason):
        read(tmp_path / "m.onnx", message([node("Einsum", "x", equation=equation)], "n", 3, 3))


@pytest.mark.parametrize("kind", ["Div", "Mod"])
@pytest.mark.parametrize("computed", [False, True])
def test_whole_numbers_are_divided_without_a_fraction(kind: str, computed: bool, tmp_path: Path) -> None:
    """All quotients of small numbers, of both signs; some of them are rounded to below a whole number."""
    many = np.arange(-60, 61)
    some = many[many != 0]
    a, b = (grid.ravel() for grid in np.meshgrid(many, some))
    nodes = [node("Cast", "x", "a", to=INTEGER)]
    divisor = "y"
    if computed:
        nodes += [node("Cast", "y", "b", to=INTEGER)]
        divisor = "b"
    content = message([*nodes, node(kind, f"a {divisor}", "out")], "n", len(a), **({} if computed else {"y": b}))
    x = a[np.newaxis].astype(np.float32)
    if computed:
        content.graph.input.append(value("y", "n", len(a)))  # type: ignore[union-attr]
        x = np.concatenate([x, b[np.newaxis]], axis=1).astype(np.float32)
    wanted = np.mod(a, b) if kind == "Mod" else np.trunc(a / b)
    np.testing.assert_array_equal(read(tmp_path / "m.onnx", content).outputs(x)[0], wanted)


def test_casts_to_whole_numbers_drop_the_fraction(tmp_path: Path) -> None:
    content = message([node("Mul", "x one", "y"), node("Cast", "y", "i", to=INTEGER), node("Cast", "i", "f", to=1)],
                      "n", 7, one=np.full((1, 7), 1.5, np.float32))  # fmt: skip
    x = np.array([[-2, -1.9, -0.3, 0, 0.5, 1, 7.9]], np.float32)
    np.testing.assert_array_equal(read(tmp_path / "m.onnx", content).outputs(x)[0], np.trunc(1.5 * x[0]))


def test_casts_to_truth_values_are_1_for_all_but_0(tmp_path: Path) -> None:
    nodes = [node("Mul", "x two", "y"), node("Cast", "y", "b", to=9), node("Cast", "b", "f", to=1)]
    content = message(nodes, "n", 4, two=np.float32(2))
    x = np.array([[-0.2, 0, 0.5, 3]], np.float32)
    np.testing.assert_array_equal(read(tmp_path / "m.onnx", content).outputs(x), [[1, 0, 1, 1]])


def test_constants_are_computed_by_the_layers_that_read_them(tmp_path: Path) -> None:
    """A causal mask, cosines of positions, and a pooled constant: no part of the network afterwards."""
    nodes = [
        node("Trilu", "ones", "mask", upper=0), node("Einsum", "mask angles", "turned", equation="ij,jk->ik"),
        node("Softmax", "turned", "shares"), node("ArgMax", "shares", "best", axis=1, keepdims=0),
        node("Gather", "x best", "chosen", axis=1), node("MatMul", "shares x", "mixed"),
        node("Add", "chosen mixed", "out"),
    ]  # fmt: skip
    content = message(nodes, "n", 4, 5, ones=np.ones((4, 4), np.float32), angles=numbers(4, 4))
    model, x = read(tmp_path / "m.onnx", content), numbers(3, 4, 5)
    agree(model.outputs(x), run_onnx(encode(content), x), 1e-5)
    assert not {"Softmax", "Where", "MatMul"} & set(kinds(model))


@pytest.mark.parametrize(("table", "sides"), [((9, 4), (2, 3)), ((9,), (5,)), ((9, 2, 3), (4,)), ((9, 4), ())])
def test_tables_of_any_shape(table: tuple[int, ...], sides: tuple[int, ...], tmp_path: Path) -> None:
    nodes = [node("Cast", "x", "i", to=INTEGER), node("Gather", "table i", "out")]
    content = message(nodes, "n", *(sides or (1,)), table=numbers(*table))
    if not sides:
        content.graph.node[1:1] = [node("Squeeze", "i one", "s")]  # type: ignore[union-attr]
        content = message([nodes[0], node("Squeeze", "i axes", "s"), node("Gather", "table s", "out")],
                          "n", 1, table=numbers(*table), axes=np.array([1]))  # fmt: skip
    x = RNG.integers(0, 9, (6, *(sides or (1,)))).astype(np.float32)
    agree(read(tmp_path / "m.onnx", content).outputs(x), run_onnx(encode(content), x), 1e-6)


@pytest.mark.parametrize(
    ("kind", "constants", "options", "reason"),
    [
        ("CumSum", {"axis": np.array(1)}, {}, "it sums along an axis of 5,000, more than 4,096"),
        ("OneHot", {"depth": np.array(5000), "v": np.zeros(2)}, {}, "it marks one of 5,000 places; at most 4,096"),
        ("Trilu", {}, {}, "it needs matrices in every sample"),
        ("Mod", {"zero": np.zeros(1, np.float32)}, {}, "it divides by 0"),
    ],
)
def test_what_is_not_supported_says_why(
    kind: str, constants: dict[str, Any], options: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    content = message([node(kind, " ".join(["x", *constants]), "out", **options)], "n", 5000, **constants)
    with pytest.raises(ModelFileError, match=reason):
        read(tmp_path / "m.onnx", content)
