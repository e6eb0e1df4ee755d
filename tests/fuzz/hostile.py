# ruff: noqa: E501  (a file a line)
"""Files that somebody wrote to do harm, each after a kind of published weakness of a reader of its format."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Write = Callable[[Path], None]
MANY = 10**12


def _bytes(content: bytes) -> Write:
    return lambda path: _put(path, content)


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


# ONNX


def varint(number: int) -> bytes:
    """Return a number of a protocol buffer."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, content: bytes) -> bytes:
    """Return a field with its length."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def graph(nodes: list[Any], **constants: Any) -> bytes:
    """Return an ONNX file that computes "out" from "x", with constants as tensors or arrays."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    tensors = [
        numpy_helper.from_array(item, name) if isinstance(item, np.ndarray) else item
        for name, item in constants.items()
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in ("x", "out")]
    made = helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)
    model: onnx.ModelProto = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
    return model.SerializeToString()


def _node(kind: str, inputs: str, output: str, **attributes: Any) -> Any:
    from onnx import helper

    return helper.make_node(kind, inputs.split(), [output], **attributes)


def _tensor(**fields: Any) -> Any:
    from onnx import TensorProto

    tensor = TensorProto(name="c", data_type=1)
    for key, value in fields.items():
        if isinstance(value, list):
            getattr(tensor, key).extend(value)
        else:
            setattr(tensor, key, value)
    return tensor


def _onnx_with(tensor: Callable[[], Any]) -> Write:
    return lambda path: _put(path, graph([_node("Add", "x c", "out")], c=tensor()))


def _external() -> Any:
    tensor = _tensor(dims=[3], data_location=1)
    tensor.external_data.add(key="location", value="../../../../etc/passwd")
    return tensor


def onnx_doubling(path: Path) -> None:
    """Forty times a constant beside itself: 3 * 2^40 numbers."""
    nodes = [_node("Concat", f"c{i} c{i}", f"c{i + 1}", axis=0) for i in range(40)]
    nodes += [_node("ReduceSum", "c40", "s", keepdims=0), _node("Add", "x s", "out")]
    _put(path, graph(nodes, c0=np.ones(3, np.float32)))


def onnx_nested(path: Path) -> None:
    """Graphs in attributes of nodes of graphs, 20,000 deep."""
    parts, size = [], 0
    for _ in range(20_000):
        for number in (6, 5, 1):  # attribute.g, node.attribute, graph.node
            head = varint(number << 3 | 2) + varint(size)
            parts.append(head)
            size += len(head)
    _put(path, field(7, b"".join(reversed(parts))))


def onnx_function(path: Path) -> None:
    """A loop that would run 2^62 times."""
    from onnx import helper

    body = helper.make_graph([], "body", [], [])
    nodes = [_node("Loop", "m", "out", body=body)]
    _put(path, graph(nodes, m=np.array(2**62)))


# pickles


def pickled(body: bytes) -> Write:
    """Write a PyTorch archive around a pickle."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/data.pkl", b"\x80\x02" + body)
            archive.writestr("a/version", "3")
            archive.writestr("a/data/0", b"\0" * 16)

    return write


def rebuilt(offset: int, shape: tuple[int, ...], stride: tuple[int, ...], numbers: int = 4) -> bytes:
    """Return the opcodes of a dict with one tensor over the storage "0"."""

    def whole(value: int) -> bytes:
        return pickle.LONG1 + bytes([9]) + value.to_bytes(9, "little", signed=True)

    def every(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(whole, values)) + b"t"

    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu" + whole(numbers) + b"tQ"
    tensor = storage + whole(offset) + every(shape) + every(stride) + b"\x89ccollections\nOrderedDict\n)R"
    return b"}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(" + tensor + b"tRs."


def zip_bomb(path: Path) -> None:
    """A member of 200 MB of zeros in 200 kB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"\0" * 200_000_000)


def zip_overlap(path: Path) -> None:
    """A thousand entries of the directory for one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}.")
        item = archive.infolist()[0]
        for number in range(1000):
            twin = zipfile.ZipInfo(f"a/data/{number}")
            twin.header_offset, twin.CRC = item.header_offset, item.CRC
            twin.file_size, twin.compress_size = MANY, MANY
            archive.filelist.append(twin)
    _put(path, buffer.getvalue())


# safetensors


def tensors(header: Any, body: bytes = b"\0" * 64, length: int | None = None) -> Write:
    """Write a safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return _bytes(struct.pack("<Q", len(text) if length is None else length) + text + body)


def entry(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    """Return what a header says of one tensor."""
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


# NumPy


def npy(header: str, body: bytes = b"") -> bytes:
    """Return an NPY file with any header."""
    text = header.encode().ljust(118 - 1) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + body


def npz(header: str, body: bytes = b"") -> Write:
    """Write an archive with such an array, and labels."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", npy(header, body))
            buffer = io.BytesIO()
            np.save(buffer, np.arange(30) % 3)
            archive.writestr("y.npy", buffer.getvalue())

    return write


# HDF5


def hdf5(change: Callable[[Any, Any], None]) -> Write:
    """Write a Keras model whose first array was exchanged."""

    def write(path: Path) -> None:
        import h5py

        from .foreign import make_hdf5

        made = path.parent / make_hdf5(path.parent)
        with h5py.File(made, "a") as file:
            group = file["model_weights/conv2d/conv2d"]
            del group["0:0"]
            change(h5py, group)
        made.rename(path)

    return write


def _compressed(h5py: Any, group: Any) -> None:
    group.create_dataset("0:0", data=np.zeros((3000, 10_000), np.float32), chunks=True, compression="gzip")


# pictures


def jpeg_scans(path: Path) -> None:
    """Write a picture whose last scan comes thousands of times, 53 bytes each."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("L", (4000, 4000)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    _put(path, data[:-2] + data[data.rindex(b"\xff\xc4") : -2] * 5_000 + data[-2:])


def jpeg2000(path: Path) -> None:
    """Write a picture of a few hundred bytes that says it has 81 million pixels."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGBA", (8, 8)).save(file, "JPEG2000")
    _put(path, file.getvalue().replace(struct.pack(">II", 8, 8), struct.pack(">II", 9000, 9000)))


def fax(path: Path) -> None:
    """Write a white page of 88 million pixels in 3,200 bytes."""
    from PIL import Image

    Image.new("1", (9400, 9400)).save(path, compression="group4")


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(rows: int, columns: int, *more: bytes, data: bytes = b"") -> bytes:
    """Return a PNG that claims a size."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


TEXT_BOMB = chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 50_000_000, 9))
TIFF_LOOP = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 256, 3, 1, 9) + struct.pack("<I", 8)
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%touch /tmp/x) (w) file\nshowpage\n"

HOSTILE: dict[str, tuple[str, Write]] = {
    "onnx: constants in another file": ("m.onnx", _onnx_with(_external)),
    "onnx: fewer bytes than the shape": ("m.onnx", _onnx_with(lambda: _tensor(dims=[MANY], raw_data=b"\0" * 12))),
    "onnx: a shape that overflows": ("m.onnx", _onnx_with(lambda: _tensor(dims=[2**32, 2**32], raw_data=b""))),
    "onnx: a constant that doubles": ("m.onnx", onnx_doubling),
    "onnx: graphs in graphs": ("m.onnx", onnx_nested),
    "onnx: an endless loop": ("m.onnx", onnx_function),
    "onnx: a range of 10^18": (
        "m.onnx",
        lambda path: _put(
            path,
            graph(
                [_node("Range", "a b c", "r"), _node("ReduceSum", "r", "s"), _node("Add", "x s", "out")],
                a=np.array(0), b=np.array(10**18), c=np.array(1),
            ),
        ),
    ),
    "onnx: a million unknown fields": ("m.onnx", _bytes(b"\xf8\x07\x01" * 1_000_000)),
    "onnx: a number without end": ("m.onnx", _bytes(b"\x08" + b"\xff" * 1_000_000)),
    "onnx: a length of 2^62": ("m.onnx", _bytes(b"\x3a" + varint(2**62))),
    "pickle: os.system": ("m.pt", pickled(b"cos\nsystem\nX\x07\0\0\0echo hi\x85R.")),
    "pickle: eval": ("m.pt", pickled(b"cbuiltins\neval\nX\x03\0\0\x001+1\x85R.")),
    "pickle: a reader within the reader": ("m.pt", pickled(b"ctorch.storage\n_load_from_bytes\nC\x01a\x85R.")),
    "pickle: a global by its parts": ("m.pt", pickled(b"X\x02\0\0\0osX\x06\0\0\0system\x93X\x02\0\0\0id\x85R.")),
    "pickle: text of 2^63 bytes": ("m.pt", pickled(b"\x8d" + b"\xff" * 7 + b"\x7fabc.")),
    "pickle: a number of 2 GB": ("m.pt", pickled(b"\x8b\xff\xff\xff\x7fabc.")),
    "pickle: lists of lists": ("m.pt", pickled(b"(" * 1_000_000 + b".")),
    "pickle: one number seen 10^12 times": ("m.pt", pickled(rebuilt(0, (10**6, 10**6), (0, 0)))),
    "pickle: numbers behind the storage": ("m.pt", pickled(rebuilt(2**40, (2, 2), (2, 1)))),
    "pickle: a storage larger than its file": ("m.pt", pickled(rebuilt(0, (MANY,), (1,), MANY))),
    "pickle: an old stream with a global": ("old.pt", _bytes(pickle.dumps(0x1950A86A20F9469CFC6C, 2) + b"cos\nsystem\n.")),
    "zip: a bomb": ("m.pt", zip_bomb),
    "zip: entries over each other": ("m.pt", zip_overlap),
    "safetensors: a header of 2^63 bytes": ("m.safetensors", tensors({}, length=2**63)),
    "safetensors: tensors over each other": (
        "m.safetensors", tensors({str(i): entry([16], 0, 64) for i in range(50)})),
    "safetensors: a shape that overflows": (
        "m.safetensors", tensors({"a": entry([2**33, 2**33], 0, 64)})),
    "safetensors: brackets in brackets": ("m.safetensors", tensors(b"[" * 1_000_000)),
    "safetensors: a key twice": (
        "m.safetensors",
        tensors(b'{"a":{"dtype":"F32","shape":[16],"data_offsets":[0,64]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'),
    ),
    "numpy: objects": ("d.npz", npz("{'descr': '|O', 'fortran_order': False, 'shape': (30, 1, 2, 2), }", b"cos\nsystem\n.")),
    "numpy: a shape of 10^12": ("d.npz", npz(f"{{'descr': '<f4', 'fortran_order': False, 'shape': (30, {MANY}), }}")),
    "numpy: an expression": ("d.npz", npz("{'descr': '<f4', 'fortran_order': False, 'shape': ((9**9**9),), }")),
    "numpy: fewer bytes than the shape": (
        "d.npz", npz("{'descr': '|u1', 'fortran_order': False, 'shape': (30, 1, 2, 2), }", b"\0" * 99)),
    "hdf5: a link to another file": (
        "m.h5", hdf5(lambda h5py, group: group.__setitem__("0:0", h5py.ExternalLink("/etc/passwd", "/x")))),
    "hdf5: numbers in another file": (
        "m.h5",
        hdf5(lambda h5py, group: group.create_dataset(
            "0:0", (3, 3, 3, 5), np.float32, external=[("/etc/passwd", 0, 540)])),
    ),
    "hdf5: a compressed bomb": ("m.h5", hdf5(_compressed)),
    "hdf5: a shape of 10^12": (
        "m.h5",
        hdf5(lambda h5py, group: group.create_dataset("0:0", (10**6, 10**6), np.float32, chunks=(100, 100))),
    ),
    "picture: 60,000 by 60,000": ("p.png", _bytes(png(60_000, 60_000))),
    "picture: 5,000 scans of 4,000 by 4,000": ("p.jpg", jpeg_scans),
    "picture: 9,000 by 9,000 in JPEG 2000": ("p.jp2", jpeg2000),
    "picture: 9,400 by 9,400 of a fax": ("p.tif", fax),
    "picture: no data for 8,000 by 8,000": ("p.png", _bytes(png(8_000, 8_000))),
    "picture: text that unfolds to 50 MB": ("p.png", _bytes(png(8, 8, TEXT_BOMB))),
    "picture: a directory that is its own next": ("p.tif", _bytes(TIFF_LOOP)),
    "picture: PostScript that starts a program": ("p.png", _bytes(POSTSCRIPT)),
    "picture: a Windows bitmap of negative size": (
        "p.bmp", _bytes(b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, -(2**31), -(2**31), 1, 24, 0, 0, 0, 0, 0, 0))),
}  # fmt: skip
"""The name of the file and a function that writes it, by what is wrong."""
