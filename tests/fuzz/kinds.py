"""The kinds of files that striate reads: a good one of each, how it is spoiled, and what striate does with it.

A new kind is one entry of `KINDS`.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from . import foreign
from .mutate import spoil_bytes, spoil_settings, spoil_table, spoil_tree

Tree = dict[str, bytes]
"""The content of files by their path below a folder."""


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Parameters
    ----------
    make : function of a folder
        Writes good files; returns the path, below the folder, that ``read`` is given.
    read : function of a path
        Does with it what a user would; returns something that can be compared.
    spoil : functions of (name of the file, its content, rng)
        Return other content.
    checksum : bool
        Whether a change of the bytes must be found.
    seconds : float
        Of processor time that a file may take.
    """

    make: Callable[[Path], str]
    read: Callable[[Path], object]
    spoil: tuple[Callable[[str, bytes, Random], bytes], ...]
    checksum: bool = False
    seconds: float = 0.5


def bytewise(name: str, data: bytes, rng: Random) -> bytes:
    """Change bytes of any file."""
    return spoil_bytes(data, rng)


def model_description(name: str, data: bytes, rng: Random) -> bytes:
    """Change the description of a model or checkpoint, and give it the checksum that fits."""
    from striate.storage import container

    content, tensors = _unpacked(data)
    if rng.random() < 0.15:
        victim = rng.choice(sorted(tensors))
        tensors[victim] = _odd_array(rng)
        tensors = {key: array for key, array in tensors.items() if array.dtype.str in ("<f4", "<f8", "<i8")}
    content = spoil_tree(content, rng)
    if rng.random() < 0.5:
        tensors = _fitting(content, tensors)
    body = {**content, "format": container.FORMAT}
    text = json.dumps({**body, "sha256": container._checksum(body, tensors)}, sort_keys=True)
    return _packed(text, tensors)


def _fitting(content: dict[str, Any], tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return tensors in the shapes that a description asks for, if they are small."""
    from striate.errors import StriateError
    from striate.network_description import from_description

    try:
        network = from_description(content["network"])
    except (StriateError, KeyError):
        return tensors
    if network.parameter_count + network.state_count > 10**6:
        return tensors
    content["input_shape"] = list(network.input_shape)
    slots = (*network.parameters, *network.states)
    further = {name: array for name, array in tensors.items() if name.startswith("training/")}
    return {**{slot.name: np.full(slot.spec.shape, 0.1, np.float32) for slot in slots}, **further}


def _unpacked(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    import safetensors.numpy

    length = int.from_bytes(data[:8], "little")
    content = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["striate"])
    del content["sha256"], content["format"]
    return content, safetensors.numpy.load(data)


def _packed(text: str, tensors: dict[str, np.ndarray]) -> bytes:
    """Return a safetensors file by hand: its library refuses what an attacker would write."""
    header: dict[str, Any] = {"__metadata__": {"striate": text}}
    body = b""
    names = {"<f4": "F32", "<f8": "F64", "<i8": "I64"}
    for name, array in tensors.items():
        end = len(body) + array.nbytes
        header[name] = {
            "dtype": names[array.dtype.str],
            "shape": list(array.shape),
            "data_offsets": [len(body), end],
        }
        body += array.tobytes()
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + body


def _odd_array(rng: Random) -> np.ndarray:
    """Return an array that few readers expect."""
    shape = rng.choice(((), (0,), (1,), (2, 2), (7, 1, 8, 8), (3, 0, 4), (1,) * 9, (70_000,), (4, 5, 6, 7, 8)))
    kind = rng.choice(
        ("<f4", "<f8", "<i8", ">f4", ">i2", "|u1", "|i1", "|b1", "<f2", "<c8", "<U3", "|S2", "<M8[s]")
    )
    array = np.zeros(shape, kind)
    if array.dtype.kind in "fc" and array.size:
        array.flat[0] = rng.choice((np.nan, np.inf, -1.0, 6e-5))
    if array.dtype.kind in "iu" and array.size:
        array.flat[0] = rng.choice((np.iinfo(array.dtype).max, np.iinfo(array.dtype).min, 1))
    if array.dtype.kind in "US" and array.size:
        array.flat[0] = rng.choice(("\u00e9", "", "a"))[: 1 if array.dtype.kind == "U" else 0]
    return array


def arrays_inside(name: str, data: bytes, rng: Random) -> bytes:
    """Change an array of an NPZ or NPY file, whose container stays whole."""
    if not name.endswith(".npz"):
        return _npy(_odd_array(rng)) if rng.random() < 0.4 else spoil_bytes(data, rng)
    import zipfile

    source, room = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    names = source.namelist()
    victim = rng.choice(names)
    with zipfile.ZipFile(room, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as target:
        for member in names:
            content = source.read(member)
            if member == victim:
                content = _npy(_odd_array(rng)) if rng.random() < 0.5 else spoil_bytes(content, rng)
            target.writestr(member, content)
            if rng.random() < 0.05:
                target.writestr(rng.choice(("y.npy", "../x.npy", "x_train.npy", "note.txt")), content)
    return room.getvalue()


def _npy(array: np.ndarray) -> bytes:
    room = io.BytesIO()
    np.save(room, array, allow_pickle=False)
    return room.getvalue()


def inside_gzip(name: str, data: bytes, rng: Random) -> bytes:
    """Change what a gzip file holds."""
    if not name.endswith(".gz"):
        return spoil_bytes(data, rng)
    return gzip.compress(spoil_bytes(gzip.decompress(data), rng), 1)


def png_chunks(name: str, data: bytes, rng: Random) -> bytes:
    """Change a chunk of a PNG file, and give it the checksum that fits."""
    if not name.endswith(".png"):
        return spoil_bytes(data, rng)
    chunks, at = [], 8
    while at < len(data):
        length = struct.unpack_from(">I", data, at)[0]
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    victim = rng.randrange(len(chunks))
    kind, content = chunks[victim]
    chunks[victim] = (kind, spoil_bytes(content, rng))
    if rng.random() < 0.2:
        chunks.insert(rng.randrange(len(chunks)), rng.choice(chunks))
    body = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    return data[:8] + body


def table_cells(name: str, data: bytes, rng: Random) -> bytes:
    """Change cells, lines or columns."""
    return spoil_table(data.decode(), rng).encode(errors="surrogatepass")


def setting(name: str, data: bytes, rng: Random) -> bytes:
    """Change a line of a configuration."""
    return spoil_settings(data.decode(), rng).encode(errors="surrogatepass")


def json_values(name: str, data: bytes, rng: Random) -> bytes:
    """Change values of JSON, one object a line."""
    lines = data.decode().splitlines()
    at = rng.randrange(len(lines))
    lines[at] = json.dumps(spoil_tree(json.loads(lines[at]), rng))
    return "\n".join(lines).encode()


def _network(name: str = "seed") -> Any:
    from striate.layers import (
        Add,
        AvgPool2d,
        BatchNorm,
        Concatenate,
        Conv2d,
        ConvTranspose2d,
        Dropout,
        Flatten,
        GlobalAvgPool,
        Input,
        Linear,
        MaxPool2d,
        ReLU,
        Softmax,
        Upsample,
    )  # fmt: skip
    from striate.network import Network

    x = Input((1, 8, 8))
    a = MaxPool2d(2)(ReLU()(BatchNorm()(Conv2d(2, 3, padding="same")(x))))
    b = AvgPool2d(2)(Conv2d(2, 3, padding=1)(x))
    y = Upsample(2)(Add()(a, b))
    y = Concatenate()(ConvTranspose2d(2, 2, stride=2)(a), y)
    y = Linear(4)(Dropout(0.2)(Flatten()(AvgPool2d(4)(y))))
    return Network(Softmax()(Linear(3)(y)), name) if name else GlobalAvgPool()


def make_model(folder: Path) -> str:
    """Write a model with branches, states and metadata."""
    from striate import Model
    from striate.data.normalisation import Normalisation

    network = _network()
    theta = np.random.default_rng(0).normal(size=network.parameter_count)
    facts = {
        "epochs": 3,
        "loss_function": {"name": "cross_entropy"},
        "targets": "classes",
        "preparation": {"fit": "pad"},
    }
    states = network.initial_states()
    Model(network, theta, states, ("a", "b", "c"), Normalisation((9.0,), (4.0,)), facts).save(
        folder / "m.safetensors"
    )
    return "m.safetensors"


def read_model(path: Path) -> object:
    """Load a model."""
    import striate

    model = striate.load(path)
    kinds = (model.kind, model.is_classifier, model.loss)
    described = json.dumps(model.network.describe(), sort_keys=True), model.classes, model.normalisation
    return (*described, repr(kinds), model.theta.tobytes(), model.states.tobytes())


def plan_model(path: Path) -> object:
    """Load a model, summarise it and plan its first prediction."""
    import striate
    from striate.receptive_field import receptive_fields
    from striate.summary import summarize

    model = striate.load(path)
    text = str(summarize(model.network))
    receptive_fields(model.network)
    if np.prod([float(n) for n in model.input_shape]) < 1e6:
        model.predict(np.zeros((2, *model.input_shape), np.uint8))
    return text


def make_checkpoint(folder: Path) -> str:
    """Write a checkpoint in the middle of a training."""
    trainer = _trainer()
    trainer.fit(_stripes(), epochs=1)
    trainer.save_checkpoint(folder / "c.safetensors")
    return "c.safetensors"


def _stripes() -> Any:
    from striate.data.dataset import Dataset

    inputs = np.random.default_rng(1).integers(0, 255, (40, 1, 8, 8)).astype(np.uint8)
    return Dataset(inputs, np.arange(40) % 3, ("a", "b", "c"), "stripes")


_trainers: list[Any] = []


def _trainer() -> Any:
    from striate import Trainer
    from striate.layers import Conv2d, Dropout, Flatten, Linear, ReLU, Softmax
    from striate.network import Sequential

    layers = [Conv2d(2, 3), ReLU(), Flatten(), Dropout(0.2), Linear(3), Softmax()]
    return Trainer(Sequential(layers, (1, 8, 8), "seed"), batch_size=20)


def restore_checkpoint(path: Path) -> object:
    """Load what a checkpoint holds of a model, and continue a training from it."""
    import striate

    model = striate.load(path)
    if not _trainers:
        _trainers.append(_trainer())
    _trainers[0].restore(path)
    return model.theta.tobytes()


def make_config(folder: Path) -> str:
    """Write a configuration with every table."""
    from striate.training import Regularisation
    from striate.training.run import CheckpointConfig, DataConfig, ModelConfig, RunConfig, TrainingSettings

    RunConfig(
        data=DataConfig(name="digits"),
        model=ModelConfig(name="mlp", options={"hidden": (12,)}),
        training=TrainingSettings(
            epochs=4,
            batch_size=100,
            learning_rate=0.01,
            schedule={"name": "cosine", "warm_up_epochs": 0.5},
            regularisation=Regularisation(label_smoothing=0.05, l2=1e-4),
        ),
        early_stopping={"patience": 3},
        reduce_on_plateau={"patience": 1},
        checkpoint=CheckpointConfig(every_steps=5, every_minutes=None, keep=2),
    ).save(folder / "config.toml")
    return "config.toml"


def read_config(path: Path) -> object:
    """Load a configuration and build everything that it names, but no data."""
    from striate.training.run import RunConfig
    from striate.training.run.build import make_trainer, network_or_model
    from striate.training.run.resolve import resolve
    from striate.training.run.start import starting_model

    config = RunConfig.load(path)
    start = starting_model(config.model)
    config = resolve(config, _stripes(), start)
    make_trainer(config, network_or_model(config, _stripes(), start))
    return config


def make_log(folder: Path) -> str:
    """Write a log of two epochs."""
    lines = [
        {"time": "2026-01-01T00:00:00+00:00", "event": "start", "parameters": 5, "samples": 9},
        {"time": "2026-01-01T00:00:01+00:00", "event": "epoch", "epoch": 1, "loss": 0.5, "seconds": 1.5},
        {"time": "2026-01-01T00:00:02+00:00", "event": "epoch", "epoch": 2, "loss": 0.25, "seconds": 1.5},
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return "log.jsonl"


def rewind_log(path: Path) -> object:
    """Read a log, and cut it back to its first epoch."""
    from striate.training.run.log import RunLog

    log = RunLog(path)
    log.rewind(1)
    return log.entries()


def make_journal(folder: Path) -> str:
    """Write the journal of a search with three trials."""
    from striate.search.study import Study

    study = Study(folder, {"data": "digits"}, 0, True)
    for value in (0.5, 0.75, 0.25):
        with study.next_trial(3, {"channels": 8}, False) as trial:
            trial.suggest_int("channels", 4, 16)
            trial.suggest_categorical("activation", ["relu", "tanh"])
            trial.report(value, 1)
            study.study.tell(trial, value)
    return "journal.log"


def read_journal(path: Path) -> object:
    """Open a journal as the next process of a search would, and list its trials."""
    from striate.search.study import Study

    return [(trial.number, trial.state.name) for trial in Study(path.parent, {"data": "digits"}, 0, True).trials()]


def make_program(folder: Path) -> str:
    """Write the program of a training."""
    from striate.layers import Conv2d, Flatten, Linear, ReLU
    from striate.network import Sequential
    from striate.storage.program_file import write_program
    from support.programs import training_program

    network = Sequential([Conv2d(2, 3), ReLU(), Flatten(), Linear(3)], (1, 6, 6))
    write_program(training_program(network, 4), folder / "p.npz")
    return "p.npz"


def read_program(path: Path) -> object:
    """Read a program and prove it."""
    from striate.storage import program_file

    return program_file.read_program(path).lanes


def program_header(name: str, data: bytes, rng: Random) -> bytes:
    """Change what the header of a program says."""
    arrays, room = dict(np.load(io.BytesIO(data))), io.BytesIO()
    header = json.dumps(spoil_tree(json.loads(arrays["header"].tobytes()), rng)).encode()
    np.savez(room, **{**arrays, "header": np.frombuffer(header, np.uint8)})  # type: ignore[arg-type]
    return room.getvalue()


def load_data(path: Path) -> object:
    """Read a data set in the way of ``striate train``."""
    from striate.data.sources import load_path

    return load_path(path).train.inputs.shape


def _unlabelled(*shape: int) -> Callable[[Path], object]:
    def read(path: Path) -> object:
        from striate.data.unlabelled import read_unlabelled

        return read_unlabelled(path, shape).inputs.shape

    return read


def read_rows(path: Path) -> object:
    """Read a table as inputs of the model that was trained on the good one."""
    from striate.data.sources import load_path
    from striate.data.unlabelled import read_unlabelled

    if not _tables:
        _tables.append(load_path(path).preparation["table"])
    return read_unlabelled(path, (4, 1), table=_tables[0]).inputs.shape


_tables: list[Any] = []


def make_npz(folder: Path) -> str:
    """Write arrays of pictures and labels."""
    rng = np.random.default_rng(0)
    np.savez(folder / "d.npz", x=rng.integers(0, 255, (30, 1, 6, 6)).astype(np.uint8), y=np.arange(30) % 3)
    return "d.npz"


def make_npy(folder: Path) -> str:
    """Write arrays of pictures and labels, a file each."""
    rng = np.random.default_rng(0)
    np.save(folder / "x_train.npy", rng.normal(size=(30, 1, 6, 6)).astype(np.float32))
    np.save(folder / "y_train.npy", np.arange(30) % 3)
    return "."


def make_csv(folder: Path) -> str:
    """Write a table with names, numbers and a label."""
    rng = np.random.default_rng(0)
    lines = [
        ",".join([*(f"{value:.3f}" for value in row), "abc"[i % 3]])
        for i, row in enumerate(rng.normal(size=(24, 4)))
    ]
    (folder / "t.csv").write_text("\n".join(["w,x,y,z,label", *lines]) + "\n")
    return "t.csv"


def make_idx(folder: Path) -> str:
    """Write pictures and labels as MNIST has them, half of them compressed."""
    pixels = np.random.default_rng(0).integers(0, 255, (30, 8, 8)).astype(np.uint8).tobytes()
    labels = bytes(i % 3 for i in range(30))
    for part, suffix in (("train", ""), ("t10k", ".gz")):
        for name, data in (
            (f"{part}-images-idx3-ubyte", struct.pack(">IIII", 2051, 30, 8, 8) + pixels),
            (f"{part}-labels-idx1-ubyte", struct.pack(">II", 2049, 30) + labels),
        ):
            (folder / (name + suffix)).write_bytes(gzip.compress(data, 1) if suffix else data)
    return "."


def make_wav(folder: Path) -> str:
    """Write recordings of two classes."""
    import wave

    rng = np.random.default_rng(0)
    for number in range(8):
        place = folder / "set" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        with wave.open(str(place / f"{number}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(rng.integers(-3000, 3000, 160).astype("<i2").tobytes())
    return "set"


def make_requests(folder: Path) -> str:
    """Write requests to a server as they come from the socket: a form with a picture, and numbers."""
    from PIL import Image

    picture = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(picture, "PNG")
    form = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a.png"\r\n\r\n%s\r\n--x--\r\n'
    bodies = {
        "form": ("multipart/form-data; boundary=x", form % picture.getvalue()),
        "numbers": ("application/json", json.dumps({"samples": [[[0.5] * 6] * 6]}).encode()),
    }
    for name, (kind, body) in bodies.items():
        head = (
            f"POST /predict HTTP/1.1\r\nHost: localhost:8000\r\nAuthorization: Bearer token\r\nContent-Type: {kind}"
        )
        (folder / name).write_bytes(head.encode() + b"\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    return "."


def answer_requests(path: Path) -> object:
    """Return what a server answers; raises DataError if it refuses a request, in one line."""
    return [_answer(file.read_bytes()) for file in sorted(path.iterdir())]


def _answer(data: bytes) -> object:
    import asyncio

    import h11

    from striate.errors import DataError

    connection = h11.Connection(h11.SERVER)
    try:
        connection.receive_data(data)
        connection.receive_data(b"")
        request, body = connection.next_event(), b""
        while isinstance(event := connection.next_event(), h11.Data):
            body += bytes(event.data)
    except h11.RemoteProtocolError as error:
        raise DataError("not HTTP") from error
    if not isinstance(request, h11.Request):
        raise DataError("no request")
    status, text = asyncio.run(_asked(request, body))
    assert status < 500, text
    if status != 200:
        raise DataError(json.loads(text).get("error", "see elsewhere"))
    return json.loads(text)


async def _asked(request: Any, body: bytes) -> tuple[int, bytes]:
    """Return status and body of the answer to a request."""
    from urllib.parse import unquote

    path, _, query = request.target.partition(b"?")
    scope = {
        "type": "http", "method": request.method.decode(), "path": unquote(path.decode("latin-1")), "root_path": "",
        "query_string": query, "headers": list(request.headers), "http_version": "1.1", "scheme": "http",
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await _server()(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def _server() -> Any:
    """Return the application of a small model, made once."""
    import tempfile

    from striate import Model, Sequential, layers
    from striate.server.app import application
    from striate.server.guard import Access
    from striate.server.source import Source

    if not _servers:
        network = Sequential([layers.Flatten(), layers.Linear(3), layers.Softmax()], (1, 6, 6))
        folder = tempfile.TemporaryDirectory()  # as long as the application, which looks whether the file changes
        model = Model(network, np.zeros(network.parameter_count, np.float32))
        source = Source(model.save(Path(folder.name) / "m.safetensors"))
        _servers.extend([application(source, Access(frozenset({"localhost:8000"}), "token")), folder])
    return _servers[0]


_servers: list[Any] = []


def make_images(folder: Path) -> str:
    """Write pictures of two classes in the formats that people have."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number, suffix in enumerate(("png", "jpg", "gif", "bmp", "tif", "webp", "png", "ppm", "jpg", "png")):
        place = folder / "set" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 255, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.{suffix}")
    return "set"


def make_cifar(folder: Path) -> str:
    """Write the six files of CIFAR-10, with few pictures."""
    rng = np.random.default_rng(0)
    for name in (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"):
        records = rng.integers(0, 256, (10, 3073)).astype(np.uint8)
        records[:, 0] = np.arange(10)
        (folder / name).write_bytes(records.tobytes())
    return "."


LARGE_PICTURE = 5.0  # a valid one of 80 million pixels takes 1
KINDS: dict[str, Kind] = {
    "model": Kind(make_model, read_model, (bytewise,), checksum=True),
    "description": Kind(make_model, read_model, (model_description,)),
    "plan": Kind(make_model, plan_model, (model_description,)),
    "checkpoint": Kind(make_checkpoint, restore_checkpoint, (bytewise,), checksum=True),
    "state": Kind(make_checkpoint, restore_checkpoint, (model_description,)),
    "config": Kind(make_config, read_config, (setting, setting, bytewise)),
    "log": Kind(make_log, rewind_log, (bytewise, json_values)),
    "npz": Kind(make_npz, load_data, (bytewise, arrays_inside)),
    "npy": Kind(make_npy, load_data, (bytewise, arrays_inside)),
    "csv": Kind(make_csv, load_data, (bytewise, table_cells)),
    "idx": Kind(make_idx, load_data, (bytewise, inside_gzip)),
    "wav": Kind(make_wav, load_data, (bytewise,)),
    "images": Kind(make_images, load_data, (bytewise, png_chunks), seconds=LARGE_PICTURE),
    "cifar": Kind(make_cifar, load_data, (bytewise,)),
    "program": Kind(make_program, read_program, (bytewise, arrays_inside, program_header, program_header)),
    "requests": Kind(make_requests, answer_requests, (bytewise,)),
    "npz to predict": Kind(make_npz, _unlabelled(1, 6, 6), (bytewise, arrays_inside)),
    "csv to predict": Kind(make_csv, read_rows, (bytewise, table_cells)),
    **({"journal": Kind(make_journal, read_journal, (bytewise, json_values))} if find_spec("optuna") else {}),
    "images to predict": Kind(make_images, _unlabelled(3, 8, 8), (bytewise, png_chunks), seconds=LARGE_PICTURE),
    "ts": Kind(foreign.make_ts, load_data, (bytewise, table_cells)),
    "arff": Kind(foreign.make_arff, load_data, (bytewise, table_cells)),
    "onnx": Kind(foreign.make_onnx, foreign.read_onnx, (bytewise, foreign.graph_meaning, foreign.graph_meaning)),
    "onnx recurrent": Kind(foreign.make_recurrent_onnx, foreign.read_onnx, (bytewise, foreign.graph_meaning)),
    "onnx branches": Kind(foreign.make_onnx_with_branches, foreign.read_onnx, (bytewise, foreign.graph_meaning)),
    "onnx quantised": Kind(foreign.make_quantised_onnx, foreign.read_onnx, (bytewise, foreign.graph_meaning)),
    "onnx labels": Kind(foreign.make_labels_onnx, foreign.read_onnx, (bytewise, foreign.graph_meaning)),
    "clips": Kind(foreign.make_clips, load_data, (bytewise,), seconds=LARGE_PICTURE),
    "state dict": Kind(foreign.make_state_dict, foreign.read_state_dict_of_network, (bytewise, foreign.header)),
}
if find_spec("torch"):
    KINDS["pytorch zip"] = Kind(foreign.make_pytorch_zip, foreign.read_arrays, (bytewise, foreign.members))
    KINDS["pytorch stream"] = Kind(foreign.make_pytorch_stream, foreign.read_arrays, (bytewise, foreign.opcodes))
if find_spec("h5py"):
    KINDS["keras"] = Kind(foreign.make_keras, foreign.read_keras, (bytewise, foreign.members))
    KINDS["hdf5"] = Kind(foreign.make_hdf5, foreign.read_keras, (bytewise, foreign.configuration))
