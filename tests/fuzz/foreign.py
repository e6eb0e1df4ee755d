"""Files of other programs: models of ONNX, PyTorch and Keras, series and tables of attributes."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import signal
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from random import Random
from typing import IO, Any, NoReturn

import numpy as np

from .mutate import spoil_bytes, spoil_tree

HOSTILE = (0, 1, -1, 2, 3, 7, 2**16, 2**31 - 1, -(2**31), 2**40, 2**62, -(2**63))


def make_onnx(folder: Path) -> str:
    """Write a network with branches, windows, a normalisation and a resize."""
    from striate.layers import (
        Add,
        AvgPool2d,
        BatchNorm,
        Conv2d,
        Flatten,
        Input,
        Linear,
        MaxPool2d,
        ReLU,
        Softmax,
        Upsample,
    )
    from striate.model import Model
    from striate.network import Network

    x = Input((2, 8, 8))
    y = ReLU()(BatchNorm()(Conv2d(4, 3, padding=1, bias=False)(x)))
    y = Add()(y, Upsample(2)(AvgPool2d(2)(y)))
    network = Network(Softmax()(Linear(3)(Flatten()(MaxPool2d(2)(y)))), "small")
    theta = np.random.default_rng(0).normal(0, 0.1, network.parameter_count)
    Model(network, theta, classes=("a", "b", "c")).to_onnx(folder / "m.onnx")
    return "m.onnx"


def make_recurrent_onnx(folder: Path) -> str:
    """Write an LSTM in both directions and a GRU over series of 7 values in 3 channels."""
    from striate.interop.protobuf import encode
    from support.onnx_graphs import message, node

    def weights(name: str, gates: int, ways: int, channels: int) -> dict[str, np.ndarray]:
        shapes = {"w": (ways, gates, channels), "r": (ways, gates, 2), "b": (ways, 2 * gates)}
        return {name + key: rng.normal(0, 0.5, shape).astype(np.float32) for key, shape in shapes.items()}

    rng = np.random.default_rng(0)
    nodes = [
        node("Transpose", "x", "series", perm=[1, 0, 2]),
        node("LSTM", "series lw lr lb", "both", hidden_size=2, direction="bidirectional"),
        node("Transpose", "both", "turned", perm=[0, 2, 1, 3]),
        node("Reshape", "turned joined", "merged"),
        node("GRU", "merged gw gr gb", "h", hidden_size=2, linear_before_reset=1),
        node("Transpose", "h", "out", perm=[2, 0, 1, 3]),
    ]
    arrays = {**weights("l", 8, 2, 3), **weights("g", 6, 1, 4), "joined": np.array([0, 0, 4])}
    (folder / "m.onnx").write_bytes(encode(message(nodes, "n", 7, 3, **arrays)))
    return "m.onnx"


def make_onnx_with_branches(folder: Path) -> str:
    """Write a graph whose branches depend on a shape and on the sample."""
    from striate.interop.onnx.messages import Graph, TensorType, Type, ValueInfo
    from striate.interop.protobuf import encode
    from support.onnx_graphs import message, node

    def branch(*nodes: Any) -> Any:
        out = ValueInfo(name="out", type=Type(tensor_type=TensorType(elem_type=1)))
        return Graph(node=list(nodes), name="branch", output=[out])

    inner = branch(node("Mul", "r half", "out")), branch(node("NonZero", "r", "out"))
    nodes = [
        node("Shape", "x", "sides"), node("Size", "sides", "rank"), node("Equal", "rank two", "flat"),
        node("Relu", "x", "r"), node("If", "flat", "y", then_branch=inner[0], else_branch=inner[1]),
        node("ReduceMax", "y", "top", keepdims=0), node("Greater", "top half", "high"),
        node("If", "high", "z", then_branch=branch(node("Mul", "y half", "out")),
             else_branch=branch(node("If", "flat", "out", then_branch=inner[0], else_branch=inner[1]))),
        node("Neg", "z", "out"),
    ]  # fmt: skip
    (folder / "m.onnx").write_bytes(encode(message(nodes, 1, 6, two=np.int64(2), half=np.float32(0.5))))
    return "m.onnx"


def make_quantised_onnx(folder: Path) -> str:
    """Write integer operators with fixed and with measured ranges, and numbers taken from and put at places."""
    from striate.interop.protobuf import encode
    from support.onnx_graphs import message, node

    rng = np.random.default_rng(0)
    nodes = [
        node("QuantizeLinear", "x s z", "q"), node("QLinearConv", "q s z w s zw s z b", "c", pads=[1, 1, 1, 1]),
        node("DequantizeLinear", "c s z", "f"), node("GatherElements", "f at", "g", axis=2),
        node("DynamicQuantizeLinear", "g", "d"), node("MatMulInteger", "d dw dz", "i"),
        node("Cast", "i", "j", to=1), node("Mul", "j ds", "k"),
        node("ScatterElements", "k where ones", "e", axis=3), node("Floor", "e", "out"),
    ]  # fmt: skip
    nodes[4].output = ["d", "ds", "dz"]
    arrays = {
        "s": np.float32(0.05), "z": np.uint8(128), "zw": np.int8(0), "b": np.arange(3, dtype=np.int32),
        "w": rng.integers(-128, 128, (3, 2, 3, 3)).astype(np.int8),
        "dw": rng.integers(-9, 9, (5, 4)).astype(np.int8),
        "at": np.full((2, 3, 4, 5), 3), "where": np.full((2, 3, 4, 1), 1),
        "ones": np.ones((2, 3, 4, 1), np.float32),
    }  # fmt: skip
    (folder / "m.onnx").write_bytes(encode(message(nodes, 2, 2, 5, 5, **arrays)))
    return "m.onnx"


def make_labels_onnx(folder: Path) -> str:
    """Write a classifier as skl2onnx does: a scaler, probabilities, and labels that are text."""
    from striate.interop.onnx.messages import Tensor
    from striate.interop.protobuf import encode
    from support.onnx_graphs import message, node, value

    nodes = [
        node("Scaler", "x", "scaled", offset=[1, 2, 3], scale=[1, 2, 1]),
        node("Normalizer", "scaled", "n", norm="L2"),
        node("LinearClassifier", "n", "first", coefficients=[1, 0, 2, 0, 1, 1], intercepts=[0, 1],
             classlabels_strings=["a", "b"], post_transform="SOFTMAX"),
        node("ArgMax", "scores", "best", axis=1), node("ArrayFeatureExtractor", "names best", "named"),
        node("Identity", "named", "label"), node("ZipMap", "scores", "out", classlabels_strings=["a", "b"]),
    ]  # fmt: skip
    nodes[2].output = ["first", "scores"]
    model = message(nodes, "n", 3)
    model.graph.initializer.append(Tensor(dims=[2], data_type=8, string_data=[b"oak", b"lime"], name="names"))
    model.graph.output.insert(0, value("label"))
    (folder / "m.onnx").write_bytes(encode(model))
    return "m.onnx"


def read_onnx(path: Path) -> object:
    """Load the model."""
    from striate.interop import onnx

    return onnx.load(path).network.describe()


def graph_meaning(name: str, data: bytes, rng: Random) -> bytes:
    """Change fields of the messages of an ONNX file: sizes, names, operators, attributes, constants."""
    from striate.interop.onnx.messages import Model
    from striate.interop.protobuf import decode, encode

    model = decode(Model, data)
    for _ in range(rng.randint(1, 3)):
        _spoil_field(rng.choice(_messages(model)), rng)
    try:
        return encode(model)
    except (TypeError, ValueError, struct.error, OverflowError, AttributeError):
        return spoil_bytes(data, rng)


def _messages(message: Any) -> list[Any]:
    found = [message]
    for item in dataclasses.fields(message):
        value = getattr(message, item.name)
        for part in value if isinstance(value, list) else (value,):
            if dataclasses.is_dataclass(part):
                found += _messages(part)
    return found


def _spoil_field(message: Any, rng: Random) -> None:
    """Replace one field of a message by what nobody expects there."""
    item = rng.choice(dataclasses.fields(message))
    value = getattr(message, item.name)
    if isinstance(value, np.ndarray):
        value = [entry.item() for entry in value]
    if isinstance(value, list):
        value = _spoilt_list(list(value), rng)
    elif isinstance(value, bool | int):
        value = rng.choice(HOSTILE)
    elif isinstance(value, float):
        value = rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e300))
    elif isinstance(value, str):
        value = rng.choice(("", "\0", "x" * 10_000, "Loop", "If", "Constant", "Reshape", "Conv", "\u202e"))
    elif isinstance(value, bytes | memoryview):
        value = _spoilt_graph(bytes(value), rng) if item.name == "g" else value[: rng.randrange(len(value) + 1)]
    else:
        value = None
    setattr(message, item.name, value)


def _spoilt_graph(data: bytes, rng: Random) -> bytes:
    """Change a field in the graph of a branch."""
    from striate.interop.onnx.messages import Graph
    from striate.interop.protobuf import decode, encode

    graph = decode(Graph, data)
    _spoil_field(rng.choice(_messages(graph)), rng)
    return encode(graph)


def _spoilt_list(values: list[Any], rng: Random) -> list[Any]:
    if not values:
        return values
    place = rng.randrange(len(values))
    how = rng.randrange(4)
    if how == 0:
        del values[place]
    elif how == 1:
        values.insert(place, values[rng.randrange(len(values))])
    elif how == 2 and isinstance(values[place], int):
        values[place] = rng.choice(HOSTILE)
    else:
        rng.shuffle(values)
    return values


def _pytorch(legacy: bool) -> Any:
    def make(folder: Path) -> str:
        import torch

        generator = torch.Generator().manual_seed(0)
        shapes = {"conv1.weight": (6, 1, 5, 5), "conv1.bias": (6,), "fc.weight": (4, 6), "fc.bias": (4,)}
        state = {key: torch.randn(shape, generator=generator) for key, shape in shapes.items()}
        state["half"], state["turned"] = state["fc.weight"].half(), state["fc.weight"].T
        torch.save(state, folder / "m.pt", _use_new_zipfile_serialization=not legacy)
        return "m.pt"

    return make


make_pytorch_zip, make_pytorch_stream = _pytorch(legacy=False), _pytorch(legacy=True)


def read_arrays(path: Path) -> object:
    """Read the arrays of a state dict."""
    from striate.interop.pytorch import read_state_dict

    return {name: (array.shape, array.tobytes()) for name, array in read_state_dict(path).items()}


def members(name: str, data: bytes, rng: Random) -> bytes:
    """Change a member of an archive, with sums that fit."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = {item: archive.read(item) for item in archive.namelist()}
    victim = rng.choice(sorted(content))
    changed = content[victim]
    if victim.endswith(".json") and rng.random() < 0.7:
        content[victim] = json.dumps(spoil_tree(json.loads(changed), rng)).encode()
    elif victim.endswith(".pkl") and rng.random() < 0.7:
        content[victim] = opcodes(victim, changed, rng)
    else:
        content[victim] = spoil_bytes(changed, rng)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for item, body in content.items():
            archive.writestr(item, body)
    return out.getvalue()


def opcodes(name: str, data: bytes, rng: Random) -> bytes:
    """Put, take or exchange opcodes of a pickle."""
    known = [value for key, value in vars(pickle).items() if key.isupper() and isinstance(value, bytes)]
    place = rng.randrange(max(1, len(data)))
    rest = rng.choice((b"", b"cos\nsystem\n", b"\xff\xff\xff\x7f", b"\x00" * 8))
    return data[:place] + rng.choice(known) + rest + data[place + rng.randrange(2) :]


def make_state_dict(folder: Path) -> str:
    """Write the weights of a network under torchvision's names."""
    from striate.interop.pytorch.weights import save_weights
    from striate.model import Model
    from striate.models import MODELS

    network = MODELS["lenet5"](10, (1, 28, 28))
    theta = np.random.default_rng(0).normal(0, 0.1, network.parameter_count)
    save_weights(Model(network, theta), folder / "m.safetensors")
    return "m.safetensors"


def read_state_dict_of_network(path: Path) -> object:
    """Fill a network with the weights."""
    from striate.interop.reading import Wish, read

    return len(read(path, Wish(network="lenet5", input_shape=(1, 28, 28))).model.theta)


def header(name: str, data: bytes, rng: Random) -> bytes:
    """Change the header of a safetensors file, and give it the length that fits, or another."""
    length = int.from_bytes(data[:8], "little")
    text = json.dumps(spoil_tree(json.loads(data[8 : 8 + length]), rng)).encode()
    claimed = rng.choice((len(text),) * 6 + (len(text) + 1, 2**31, 2**63))
    return struct.pack("<Q", claimed) + text + data[8 + length :]


KERAS = {
    "class_name": "Sequential",
    "config": {
        "name": "net",
        "layers": [
            {"class_name": "InputLayer", "config": {"name": "input", "batch_shape": [None, 7, 9, 3]}},
            {"class_name": "Conv2D", "config": {"name": "conv2d", "kernel_size": [3, 3], "strides": [2, 2],
                                                "padding": "same", "activation": "relu"}},
            {"class_name": "BatchNormalization", "config": {"name": "batch_normalization", "epsilon": 1e-3}},
            {"class_name": "Reshape", "config": {"name": "reshape", "target_shape": [20, 5]}},
            {"class_name": "Bidirectional", "config": {"name": "bidirectional", "layer": {
                "class_name": "LSTM", "config": {"name": "lstm", "units": 4, "activation": "tanh",
                                                 "recurrent_activation": "sigmoid", "return_sequences": True}}}},
            {"class_name": "Flatten", "config": {"name": "flatten"}},
            {"class_name": "Dense", "config": {"name": "dense", "activation": "softmax"}},
        ],
    },
}  # fmt: skip
ARRAYS = {
    "conv2d": [(3, 3, 3, 5), (5,)],
    "batch_normalization": [(5,), (5,), (5,), (5,)],
    "bidirectional": [(5, 16), (4, 16), (16,), (5, 16), (4, 16), (16,)],
    "dense": [(160, 3), (3,)],
}


def make_keras(folder: Path) -> str:
    """Write the format of Keras 3."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, shapes in ARRAYS.items():
            for number, shape in enumerate(shapes):
                file[f"layers/{name}/vars/{number}"] = np.full(shape, 0.1, np.float32)
    with zipfile.ZipFile(folder / "m.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(KERAS))
        archive.writestr("model.weights.h5", buffer.getvalue())
    return "m.keras"


def make_hdf5(folder: Path) -> str:
    """Write the format of Keras 2."""
    import h5py

    with h5py.File(folder / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(KERAS)
        for name, shapes in ARRAYS.items():
            group = file.create_group(f"model_weights/{name}")
            names = [f"{name}/{number}:0" for number in range(len(shapes))]
            group.attrs["weight_names"] = [item.encode() for item in names]
            for item, shape in zip(names, shapes, strict=True):
                group[item] = np.full(shape, 0.1, np.float32)
    return "m.h5"


def read_keras(path: Path) -> object:
    """Load the model; the program that reads HDF5 runs in a copy of this process, which starts within 5 ms."""
    from striate.interop import keras
    from striate.interop.keras import file

    file._read_apart = _read_forked
    return keras.load(path).network.describe()


def _read_forked(path: Path, seconds: float) -> subprocess.CompletedProcess[bytes]:
    import h5py  # noqa: F401  before the fork, once

    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        child = os.fork()
        if not child:
            _become_reader(path, output, errors)
        _, status = os.waitpid(child, 0)
        output.seek(0), errors.seek(0)
        return subprocess.CompletedProcess([], os.waitstatus_to_exitcode(status), output.read(), errors.read())


def _become_reader(path: Path, output: IO[bytes], errors: IO[bytes]) -> NoReturn:
    """Run the program in this process, and end it."""
    from striate.interop import hdf5

    status = 1
    try:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        for number, stream in (1, output), (2, errors):
            os.dup2(stream.fileno(), number)
        sys.argv = ["hdf5", str(path)]
        hdf5.main()
        sys.stdout.flush()
        status = 0
    except SystemExit as end:
        sys.stderr.flush()
        status = int(str(end.code))
    finally:
        os._exit(status)


def configuration(name: str, data: bytes, rng: Random) -> bytes:
    """Change the configuration in an HDF5 file."""
    import h5py

    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        tree = json.loads(str(file.attrs["model_config"]))
        file.attrs["model_config"] = json.dumps(spoil_tree(tree, rng))
    return buffer.getvalue()


def make_clips(folder: Path) -> str:
    """Write animations of two classes."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(8):
        place = folder / "set" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        frames = [Image.fromarray(pixels) for pixels in rng.integers(0, 255, (5, 8, 8)).astype(np.uint8)]
        suffix, form = (("apng", "PNG"), ("gif", "GIF"))[number % 3 > 0]
        frames[0].save(place / f"{number}.{suffix}", form, save_all=True, append_images=frames[1:])
    return "set"


def make_ts(folder: Path) -> str:
    """Write series of two channels."""
    rng = np.random.default_rng(0)
    lines = ["@problemName small", "@timeStamps false", "@univariate false", "@dimensions 2", "@equalLength true",
             "@seriesLength 12", "@classLabel true a b", "@data"]  # fmt: skip
    for number in range(24):
        channels = [",".join(f"{value:.3f}" for value in rng.normal(size=12)) for _ in range(2)]
        lines.append(":".join([*channels, "ab"[number % 2]]))
    (folder / "s.ts").write_text("\n".join(lines) + "\n")
    return "s.ts"


def make_arff(folder: Path) -> str:
    """Write a table with attributes."""
    rng = np.random.default_rng(0)
    lines = ["@relation small", "@attribute x numeric", "@attribute 'y z' real", "@attribute kind {red,green}",
             "@attribute class {a,b}", "@data"]  # fmt: skip
    for number in range(24):
        x, y = rng.normal(size=2)
        lines.append(f"{x:.3f},{y:.3f},{('red', 'green')[number % 3 == 0]},{'ab'[number % 2]}")
    (folder / "t.arff").write_text("\n".join(lines) + "\n")
    return "t.arff"
