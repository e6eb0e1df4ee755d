"""Models of other programs: round trips, what is recognised, and files that are refused."""

from __future__ import annotations

import math
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.errors import ModelFileError, StriateError
from striate.interop import onnx
from striate.interop.onnx.messages import Graph, OperatorSet, Text
from striate.interop.onnx.messages import Model as Message
from striate.interop.protobuf import encode
from striate.model import Model
from striate.models import MODELS
from support.onnx_graphs import kinds, message, node, read, value
from support.onnx_runtime import agree, run_onnx


@pytest.mark.parametrize(
    ("name", "shape"),
    [("lenet5", (1, 32, 32)), ("resnet18", (3, 32, 32)), ("googlenet", (3, 32, 32)), ("signal_cnn", (2, 64))],
)
def test_what_is_written_comes_back(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    network = MODELS[name](5, shape)
    rng = np.random.default_rng(0)
    model = Model(network, rng.normal(0, 0.1, network.parameter_count), network.initial_states(), tuple("abcde"))
    back = onnx.load(model.to_onnx(tmp_path / "model.onnx"))
    x = rng.normal(size=(2, *shape)).astype(np.float32)
    agree(back.outputs(x), model.outputs(x), 1e-5)
    assert back.classes == model.classes
    if not network.auxiliary:  # whose heads stay behind
        assert back.network.parameter_count == network.parameter_count
    saved = Model.save(back, tmp_path / "model.safetensors")
    assert saved.exists()


def test_activations_that_were_taken_apart_are_recognised(tmp_path: Path) -> None:
    nodes = [
        node("Sigmoid", "x", "s"), node("Mul", "x s", "silu"),
        node("Add", "silu three", "a"), node("Clip", "a zero six", "c"), node("Mul", "silu c", "m"),
        node("Div", "m six", "swish"),
        node("Div", "swish root", "d"), node("Erf", "d", "e"), node("Add", "e one", "p"),
        node("Mul", "swish p", "q"), node("Mul", "q half", "gelu"),
        node("Softplus", "gelu", "sp"), node("Tanh", "sp", "t"), node("Mul", "gelu t", "mish"),
    ]  # fmt: skip
    numbers = {"three": 3.0, "six": 6.0, "half": 0.5, "one": 1.0, "root": math.sqrt(2), "zero": 0.0}
    constants = {name: np.float32(number) for name, number in numbers.items()}
    content = message(nodes, "n", 7, **constants)
    model = read(tmp_path / "m.onnx", content)
    assert kinds(model) == {"InputLayer": 1, "SiLU": 1, "HardSwish": 1, "GELU": 1, "Mish": 1}
    x = np.random.default_rng(0).normal(0, 3, (4, 7)).astype(np.float32)
    agree(model.outputs(x), run_onnx(encode(content), x), 1e-5)


def test_a_grid_that_the_network_computes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weight = (0.3 * rng.normal(size=(2, 3, 3, 3))).astype(np.float32)
    nodes = [
        node("Conv", "x w", "offsets", pads=[1, 1, 1, 1]), node("Transpose", "offsets", "grid", perm=[0, 2, 3, 1]),
        node("GridSample", "x grid", "warped", mode="bilinear", padding_mode="border", align_corners=1),
    ]  # fmt: skip
    content = message(nodes, "n", 3, 9, 7, w=weight)
    model = read(tmp_path / "m.onnx", content)
    assert kinds(model)["GridSample2d"] == 1
    x = rng.normal(size=(4, 3, 9, 7)).astype(np.float32)
    agree(model.outputs(x), run_onnx(encode(content), x), 1e-5)


@pytest.mark.parametrize("order", [0, 1])
def test_indices_of_a_max_pooling(order: int, tmp_path: Path) -> None:
    pool = node("MaxPool", "x", "y", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1], storage_order=order)
    pool.output.append("indices")
    nodes = [pool, node("Cast", "indices", "out", to=1)]
    content = message(nodes, 1, 3, 9, 7)
    x = np.random.default_rng(0).normal(size=(1, 3, 9, 7)).astype(np.float32)
    model = read(tmp_path / "m.onnx", content)
    np.testing.assert_array_equal(model.outputs(x), run_onnx(encode(content), x))


def test_conditions_may_be_cast_to_truth_values(tmp_path: Path) -> None:
    nodes = [
        node("Greater", "x half", "high"), node("Less", "x minus", "low"), node("Or", "high low", "either"),
        node("Cast", "either", "outside", to=9), node("Where", "outside x zero", "out"),
    ]  # fmt: skip
    numbers = {"half": np.float32(0.5), "minus": np.float32(-0.5), "zero": np.float32(0)}
    content = message(nodes, "n", 7, **numbers)
    x = np.random.default_rng(0).normal(size=(4, 7)).astype(np.float32)
    np.testing.assert_array_equal(read(tmp_path / "m.onnx", content).outputs(x), run_onnx(encode(content), x))


def test_parts_of_channels_and_space_keep_their_shape(tmp_path: Path) -> None:
    nodes = [
        node("Slice", "x one three axis", "channels"), node("Slice", "x zero one axis", "first"),
        node("Concat", "channels first", "joined", axis=1), node("Slice", "joined zero big rows two", "out"),
    ]  # fmt: skip
    numbers = {"zero": [0], "one": [1], "three": [3], "axis": [1], "big": [2**40], "rows": [2], "two": [2]}
    content = message(nodes, "n", 3, 9, 7, **{name: np.array(number) for name, number in numbers.items()})
    model = read(tmp_path / "m.onnx", content)
    assert kinds(model) == {"InputLayer": 1, "Slice": 3, "Concatenate": 1}
    x = np.random.default_rng(0).normal(size=(2, 3, 9, 7)).astype(np.float32)
    np.testing.assert_array_equal(model.outputs(x), run_onnx(encode(content), x))


def test_layer_normalisation_is_recognised(tmp_path: Path) -> None:
    nodes = [
        node("ReduceMean", "x", "m", axes=[-1]), node("Sub", "x m", "d"), node("Pow", "d two", "sq"),
        node("ReduceMean", "sq", "v", axes=[-1]), node("Add", "v eps", "ve"), node("Sqrt", "ve", "r"),
        node("Div", "d r", "n"), node("Mul", "n w", "nw"), node("Add", "nw b", "out"),
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    w, b = rng.normal(size=(2, 6)).astype(np.float32)
    content = message(nodes, "n", 4, 6, two=np.float32(2), eps=np.float32(1e-5), w=w, b=b)
    model = read(tmp_path / "m.onnx", content)
    assert kinds(model)["LayerNorm"] == 1
    assert not {"GlobalAvgPool", "Sqrt", "Power"} & set(kinds(model))
    x = rng.normal(size=(3, 4, 6)).astype(np.float32)
    agree(model.outputs(x), run_onnx(encode(content), x), 1e-5)


def test_channels_last_cancel_and_become_channels_first(tmp_path: Path) -> None:
    w = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)
    nodes = [
        node("Transpose", "x", "first", perm=[0, 3, 1, 2]), node("Conv", "first w", "c", pads=[1, 1, 1, 1]),
        node("Transpose", "c", "last", perm=[0, 2, 3, 1]), node("Relu", "last", "r"), node("Add", "r b", "rb"),
        node("Transpose", "rb", "again", perm=[0, 3, 1, 2]), node("GlobalAveragePool", "again", "g"),
        node("Flatten", "g", "out"),
    ]  # fmt: skip
    content = message(nodes, "n", 8, 9, 3, w=w, b=np.arange(4, dtype=np.float32))
    model = read(tmp_path / "m.onnx", content)
    assert model.input_shape == (3, 8, 9)
    assert "Permute" not in kinds(model)
    assert model.metadata["origin"]["inputs"] == [{"name": "x", "shape": [8, 9, 3], "layout": "channels last"}]
    x = np.random.default_rng(1).normal(size=(2, 8, 9, 3)).astype(np.float32)
    agree(model.outputs(np.moveaxis(x, -1, 1)), run_onnx(encode(content), x), 1e-5)


def test_shapes_that_the_graph_computes_are_folded(tmp_path: Path) -> None:
    nodes = [
        node("Shape", "x", "s"), node("Gather", "s zero", "batch", axis=0), node("Unsqueeze", "batch axes", "b1"),
        node("Concat", "b1 rest", "shape", axis=0), node("Reshape", "x shape", "out"),
    ]  # fmt: skip
    content = message(nodes, "n", 4, 6, zero=np.int64(0), axes=np.array([0]), rest=np.array([-1, 2, 3]))
    model = read(tmp_path / "m.onnx", content)
    assert model.network.output_shape == (4, 2, 3)


@pytest.mark.parametrize("opset", [7, 12, 13, 21, 28])
def test_softmax_means_what_it_meant_in_its_opset(opset: int, tmp_path: Path) -> None:
    model = read(tmp_path / "m.onnx", message([node("Softmax", "x")], "n", 2, 3, opset=opset))
    sums = model.outputs(np.random.default_rng(0).normal(size=(1, 2, 3)).astype(np.float32)).sum(axis=2)
    np.testing.assert_allclose(sums.sum() if opset < 13 else sums, 1.0, rtol=1e-5)


def test_all_that_is_not_supported_is_said_at_once(tmp_path: Path) -> None:
    nodes = [node("NonZero", "x", "a"), node("Relu", "x", "r"), node("STFT", "a", "b"), node("Add", "a b", "out")]
    match = r"m.onnx: 2 of 4 nodes are not supported; NonZero 'the_a': there is no such operator; STFT 'the_b'"
    with pytest.raises(ModelFileError, match=match):
        read(tmp_path / "m.onnx", message(nodes, "n", 3))


def test_open_sides_are_asked_for(tmp_path: Path) -> None:
    content = message([node("Relu", "x")], "n", 3, "h", "w")
    with pytest.raises(ModelFileError, match=r"the input 'x' \(3x\?x\?\) has open sides; give the shape"):
        read(tmp_path / "m.onnx", content)
    content.graph.input.append(value("y", "n", "t"))  # type: ignore[union-attr]
    with pytest.raises(ModelFileError, match=r"'x' \(.*'y' \(\?\) have .* --input x=3x224x224 --input y=224 \("):
        read(tmp_path / "m.onnx", content)
    content.graph.input.pop()  # type: ignore[union-attr]
    assert read(tmp_path / "m.onnx", content, input_shape=(3, 8, 8)).input_shape == (3, 8, 8)


def test_several_inputs_become_one_row(tmp_path: Path) -> None:
    content = message([node("Mul", "x y", "out")], "n", 4)
    content.graph.input.append(value("y", "n", 4))  # type: ignore[union-attr]
    model = read(tmp_path / "m.onnx", content)
    x, y = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)
    np.testing.assert_allclose(model.outputs(np.concatenate([x, y], axis=1)), x * y, rtol=1e-6)
    assert [item["name"] for item in model.metadata["origin"]["inputs"]] == ["x", "y"]


def no_outputs() -> Any:
    found = message([node("Relu", "x")], "n", 3)
    found.graph.output.clear()
    return found


BROKEN: dict[str, tuple[Any, str]] = {
    "empty": (b"", "must be an ONNX file; it has no graph"),
    "text": (b"not a model at all, just text\n" * 9, "must be an ONNX file"),
    "endless number": (b"\x08" + b"\xff" * 50, "a number does not end within 10 bytes"),
    "claims more than there is": (b"\x3a\xff\xff\xff\xff\x07abc", "claims 2,147,483,647 bytes where 3 are left"),
    "old": (message([node("Relu", "x")], "n", 3, opset=5), "opsets 6 to 28 are supported; got 5"),
    "new": (message([node("Relu", "x")], "n", 3, opset=29), "opsets 6 to 28 are supported; got 29"),
    "cycle": (message([node("Add", "x b", "a"), node("Relu", "a", "b")], "n", 3), "its graph has a cycle"),
    "no outputs": (no_outputs(), "its graph has no outputs"),
    "twice": (message([node("Relu", "x", "a"), node("Relu", "x", "a")], "n", 3), "'a' is computed twice"),
    "never": (message([node("Relu", "y", "a")], "n", 3), "'y' is read but never computed"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_files_that_are_not_what_they_say(name: str, tmp_path: Path) -> None:
    content, reason = BROKEN[name]
    path = tmp_path / "m.onnx"
    path.write_bytes(content if isinstance(content, bytes) else encode(content))
    with pytest.raises(ModelFileError, match=reason) as caught:
        onnx.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def tensor_of(**fields: Any) -> Message:
    content = message([node("Add", "x c", "out")], "n", 3, c=np.ones(3, np.float32))
    tensor = content.graph.initializer[0]  # type: ignore[union-attr]
    for key, item in fields.items():
        setattr(tensor, key, item)
    return content


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"dims": [10**12]}, "'c' has 3 values for the shape"),
        ({"dims": [-3]}, "'c' has the negative shape"),
        ({"dims": [3] + 75 * [1]}, "'c' has 76 axes; at most 32"),
        ({"dims": 90_000 * [2**62]}, "'c' has 90,000 axes"),  # their product alone would take seconds
        ({"data_type": 14}, "'c' has the element type 14, which is not supported"),
        ({"raw_data": b"12345"}, "'c' has 5 bytes, not a whole number of values"),
        (
            {"external_data": [Text("location", "x.bin")], "data_location": 1},
            r"in another file; .*external_data=False",
        ),
    ],
)
def test_constants_that_disagree_with_themselves(fields: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=reason):
        read(tmp_path / "m.onnx", tensor_of(**fields))


def test_what_a_constant_claims_is_not_allocated(tmp_path: Path) -> None:
    content = message([node("ConstantOfShape", "s", "c"), node("Add", "x c", "out")], "n", 3, s=np.array([2**40]))
    tracemalloc.start()
    with pytest.raises(ModelFileError, match="a constant cannot have the shape"):
        read(tmp_path / "m.onnx", content)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


MANY = np.full(90_000, 2**62)  # multiplying them takes a minute


@pytest.mark.parametrize(
    ("nodes", "constants", "reason"),
    [
        ([node("Reshape", "x s", "out")], {"s": MANY}, "'what is reshaped' has 90,000 axes"),
        ([node("Reshape", "c s", "d")], {"s": MANY}, "'what is reshaped' has 90,000 axes"),
        ([node("Expand", "c s", "d")], {"s": MANY}, "'a constant' has 90,000 axes"),
        ([node("ConstantOfShape", "s", "d")], {"s": MANY}, "'a constant' has 90,000 axes"),
        ([node("Unsqueeze", "x s", "out")], {"s": np.arange(90_000)}, "has 90,000 axes"),
        ([node("Unsqueeze", "x s", "out")], {"s": np.array([1, 1])}, r"the axes \[1, 1\] are not all different"),
        ([node("Tile", "c s", "d")], {"s": np.array([2**27])}, "constants that the graph computes are too large"),
        ([node("Range", "z s u", "d")], {"s": np.array(2**28)}, "constants that the graph computes are too large"),
        ([node("Range", "z s u", "d")], {"s": np.array(2**29)}, "a range is too long"),
        (
            [node("ConstantOfShape", "s", "a"), node("Neg", "a", "d")],
            {"s": np.array([2**28])},
            "constants that the graph computes are too large",
        ),
        (
            [node("Split", "x s", "out more", axis=1)],
            {"s": np.array([1, 1])},
            r"the parts \[1, 1\] do not make up 3 places",
        ),
    ],
)
def test_shapes_and_sizes_are_bounded_before_anything_is_made(
    nodes: list[Any], constants: dict[str, np.ndarray], reason: str, tmp_path: Path
) -> None:
    if nodes[-1].output == ["d"]:
        nodes = [*nodes, node("Add", "x d", "out")]
    given = {"c": np.ones(2, np.float32), "z": np.array(0), "u": np.array(1), **constants}
    tracemalloc.start()
    with pytest.raises(ModelFileError, match=reason):
        read(tmp_path / "m.onnx", message(nodes, "n", 3, **given))
    assert tracemalloc.get_traced_memory()[1] < 100_000_000
    tracemalloc.stop()


def test_inputs_with_more_sides_than_arrays_can_have_are_refused(tmp_path: Path) -> None:
    content = message([node("Relu", "x", "out")], "n", *70 * [1])
    with pytest.raises(ModelFileError, match="a TensorShape has more than 64 entries in 'dim'"):
        read(tmp_path / "m.onnx", content)
    content = message([node("Relu", "x", "out")], "n", *40 * [1])
    with pytest.raises(ModelFileError, match="'x' has 41 axes; at most 32"):
        read(tmp_path / "m.onnx", content)


def test_a_million_nodes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    one = encode(Graph(node=[node("Relu", "x", "a")]))
    path = tmp_path / "m.onnx"
    body = one * 1_000_000
    path.write_bytes(
        encode(Message(ir_version=8, opset_import=[OperatorSet(version=17)])) + b"\x3a" + size(len(body)) + body
    )
    with pytest.raises(ModelFileError, match="a message has more than 100,000 fields"):
        onnx.load(path)


def size(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def test_mutated_files_are_models_or_refused_in_one_line(tmp_path: Path) -> None:
    network = MODELS["lenet5"](3, (1, 16, 16))
    model = Model(network, np.random.default_rng(0).normal(0, 0.1, network.parameter_count))
    whole = np.frombuffer(model.to_onnx(tmp_path / "m.onnx").read_bytes(), np.uint8)
    rng, path = np.random.default_rng(0), tmp_path / "mutated.onnx"
    messages: list[str] = []
    for number in range(300):
        data = whole.copy()
        places = rng.integers(0, len(data) if number % 3 else 3000, rng.integers(1, 8))
        data[places] = rng.integers(0, 256, len(places))
        path.write_bytes(data[: rng.integers(1, len(data))].tobytes() if number % 5 == 0 else data.tobytes())
        try:
            onnx.load(path)
        except StriateError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert all("\n" not in text and len(text) < 2500 for text in messages)


def test_half_precision_is_read_as_the_numbers_it_stands_for(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(4, 2, 3, 3)).astype(np.float16)
    nodes = [node("Conv", "x w", "c"), node("Relu", "c", "r"), node("Cast", "r", "y", to=1)]
    half, full = message(nodes, "n", 2, 6, 6, w=weight), message(nodes, "n", 2, 6, 6, w=weight.astype(np.float32))
    half.graph.input[0].type.tensor_type.elem_type = 10
    x = np.random.default_rng(1).normal(size=(3, 2, 6, 6)).astype(np.float16).astype(np.float32)
    found = [read(tmp_path / "m.onnx", graph).outputs(x) for graph in (half, full)]
    np.testing.assert_array_equal(*found)


def test_a_choice_by_constants_of_many_axes(tmp_path: Path) -> None:
    sides = (2, 2, 3, 1, 2)
    rng = np.random.default_rng(0)
    chosen = rng.integers(0, 2, (1, *sides)).astype(bool)
    nodes = [
        node("Reshape", "x shape", "apart"), node("Where", "chosen apart other", "w"), node("Flatten", "w", "y"),
    ]  # fmt: skip
    constants = {"shape": np.array([0, *sides]), "chosen": chosen, "other": np.full((1, *sides), 7, np.float32)}
    x = rng.normal(size=(3, 24)).astype(np.float32)
    found = read(tmp_path / "m.onnx", message(nodes, "n", 24, **constants)).outputs(x)
    np.testing.assert_array_equal(found, np.where(chosen.reshape(1, 24), x, np.float32(7)))
