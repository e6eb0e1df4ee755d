"""Arrays by name from the files that PyTorch writes: zip archives, streams of before 2020, safetensors."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.checks import MOST
from striate.errors import ModelFileError
from striate.interop.archives import too_many_members
from striate.interop.formats import MOST_AXES
from striate.interop.pytorch.pickles import STORAGES, Call, Global, Persistent, PickleError, Reader

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LARGEST_PICKLE = 2**26  # bytes: names and shapes, not numbers
NESTED = ("state_dict", "model_state_dict", "model", "net", "weights", "params_ema", "params", "network")
"""Where checkpoints keep their weights."""
DEEPEST = 20  # dictionaries of those names within each other
Storage = Callable[[Any], np.ndarray]


def read_state_dict(path: str | Path) -> dict[str, np.ndarray]:
    """Return the arrays of a ``.pt``, ``.pth`` or ``.safetensors`` file by name; bfloat16 becomes float32.

    Nothing in the file is run: a pickle may name the few things that tensors are made of, and no other.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, no file of weights, or names anything else.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(8)
        if path.suffix.lower() == ".safetensors":
            return _safetensors(path)
        found = _zip(path) if start[:2] == b"PK" else _legacy(path)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read; {error.strerror or error}. Check the path.") from None
    except (PickleError, zipfile.BadZipFile, ValueError, RuntimeError, EOFError) as error:
        raise ModelFileError(f"{path}: must be a file of PyTorch weights; {error}.") from None
    if not found:
        raise ModelFileError(f"{path}: must hold arrays by name; it has none.")
    return found


def _safetensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, TypeError) as error:
        raise PickleError(str(error)) from None


def _zip(path: Path) -> dict[str, np.ndarray]:
    """Read the format of 2020 and later: a pickle, and one member for each storage."""
    if too_many_members(path):
        raise PickleError("it has too many members")
    with zipfile.ZipFile(path) as archive:
        members = {item.filename: item for item in archive.infolist()}
        pickles = [name for name in members if name.endswith("/data.pkl") or name == "data.pkl"]
        if len(pickles) != 1:
            raise PickleError("it has no data.pkl")
        root = pickles[0][: -len("data.pkl")]
        _check_size(members[pickles[0]], LARGEST_PICKLE)
        order = members.get(f"{root}byteorder")
        if order is not None and archive.read(order)[:3] == b"big":
            raise PickleError("its numbers are big-endian")
        cache: dict[str, np.ndarray] = {}

        def storage(key: Any) -> np.ndarray:
            kind, name, count = _described(key)
            if name not in cache:
                item = members.get(f"{root}data/{name}")
                if item is None:
                    raise PickleError(f"the storage {name!r} is missing")
                _check_size(item, path.stat().st_size)
                cache[name] = np.frombuffer(archive.read(item), np.uint8)
            return _typed(cache[name], kind, count)

        return _arrays(Reader(archive.read(members[pickles[0]])).read(), storage)


def _check_size(item: zipfile.ZipInfo, most: int) -> None:
    if item.compress_type != zipfile.ZIP_STORED or item.file_size != item.compress_size or item.file_size > most:
        raise PickleError(f"the member {item.filename[:80]!r} is compressed, or larger than the file")


def _described(key: Any) -> tuple[str, str, int]:
    """Return the type, the name and the length of a storage."""
    if not isinstance(key, tuple) or len(key) < 5 or key[0] != "storage" or not isinstance(key[1], Global):
        raise PickleError("it refers to something that is not a storage")
    if key[1].name not in STORAGES or not isinstance(key[4], int) or key[4] < 0:
        raise PickleError(f"a storage of {key[1].name[:40]} is not supported")
    return STORAGES[key[1].name], _name(key[2]), key[4]


def _name(key: Any) -> str:
    """Return the name of a storage, text or a number; raises PickleError."""
    if not isinstance(key, str | int):
        raise PickleError("the name of a storage is damaged")
    return str(key)


def _typed(raw: np.ndarray, kind: str, count: int) -> np.ndarray:
    dtype = np.dtype("<u2" if kind == "bfloat16" else kind)
    if len(raw) < count * dtype.itemsize:
        raise PickleError(f"a storage of {count:,} values has {len(raw):,} bytes")
    values = raw[: count * dtype.itemsize].view(dtype)
    return (values.astype(np.uint32) << 16).view(np.float32) if kind == "bfloat16" else values


def _legacy(path: Path) -> dict[str, np.ndarray]:
    """Read the format of before 2020: four pickles, then the storages one after the other."""
    data = path.read_bytes()
    place, parts = 0, []
    for _ in range(5):
        reader = Reader(data, place)
        parts.append(reader.read())
        place = reader.place
        if len(parts) == 1 and parts[0] != LEGACY_MAGIC:
            raise PickleError("it is neither a zip archive nor a stream of PyTorch")
    keys = parts[4]
    if not isinstance(keys, list):
        raise PickleError("its list of storages is damaged")
    begins: dict[str, tuple[int, int]] = {}
    sizes = _sizes(parts[3])
    for key in keys:
        count = int.from_bytes(data[place : place + 8], "little", signed=True)
        name = _name(key)
        itemsize = sizes.get(name)
        if itemsize is None or count < 0 or count * itemsize > len(data) - place - 8:
            raise PickleError(f"the storage {name[:40]!r} is damaged")
        begins[name] = (place + 8, count)
        place += 8 + count * itemsize

    def storage(key: Any) -> np.ndarray:
        kind, name, count = _described(key)
        if name not in begins:
            raise PickleError(f"the storage {name[:40]!r} is missing")
        if len(key) > 5 and key[5] is not None:
            raise PickleError("a storage is part of another; save the weights again")
        begin, length = begins[name]
        width = 2 if kind == "bfloat16" else np.dtype(kind).itemsize
        return _typed(np.frombuffer(data, np.uint8, length * width, begin), kind, min(count, length))

    return _arrays(parts[3], storage)


def _sizes(tree: Any) -> dict[str, int]:
    """Return the bytes of one value of every storage that ``tree`` refers to."""
    found: dict[str, int] = {}
    for item in _walk(tree):
        if isinstance(item, Persistent):
            kind, name, _ = _described(item.key)
            found[name] = 2 if kind == "bfloat16" else np.dtype(kind).itemsize
    return found


def _walk(tree: Any) -> list[Any]:
    """Return everything in ``tree``, each object once."""
    order, seen, stack = [], set(), [tree]
    while stack:
        item = stack.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        order.append(item)
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
        elif isinstance(item, Call):
            stack.extend(item.arguments)
    return order


def _arrays(tree: Any, storage: Storage, depth: int = 0) -> dict[str, np.ndarray]:
    """Return the arrays of a state dict, or of the one inside a checkpoint."""
    if not isinstance(tree, dict):
        raise PickleError("it holds no dictionary of arrays")
    inner = next((tree[key] for key in NESTED if isinstance(tree.get(key), dict)), None)
    if inner is not None:
        if depth == DEEPEST:
            raise PickleError(f"its dictionaries are nested more than {DEEPEST} deep")
        return _arrays(inner, storage, depth + 1)
    found = {}
    for name, item in tree.items():
        tensor = _tensor(item)
        if isinstance(name, str) and tensor is not None:
            found[name.removeprefix("module.")] = _array(tensor, storage)
    return found


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage: first place, sizes and strides."""

    storage: Any
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def _tensor(item: Any) -> _Tensor | None:
    if isinstance(item, Call) and item.function.name == "_rebuild_parameter" and item.arguments:
        return _tensor(item.arguments[0])
    if not isinstance(item, Call) or not item.function.name.startswith("_rebuild_tensor"):
        return None
    if len(item.arguments) < 4 or not isinstance(item.arguments[0], Persistent):
        raise PickleError("a tensor is damaged")
    source, offset, size, stride = item.arguments[:4]
    numbers = (offset, *size, *stride) if isinstance(size, tuple) and isinstance(stride, tuple) else (None,)
    whole = all(type(n) is int and 0 <= n <= MOST for n in numbers)  # bool is an int, too
    if not whole or len(size) != len(stride) or len(size) > MOST_AXES:
        raise PickleError("the shape of a tensor is damaged")
    return _Tensor(source.key, offset, size, stride)


def _array(tensor: _Tensor, storage: Storage) -> np.ndarray:
    values = storage(tensor.storage)
    if not math.prod(tensor.size):
        return np.zeros(tensor.size, values.dtype)
    last = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.size, tensor.stride, strict=True))
    if last >= len(values) or math.prod(tensor.size) > len(values):
        raise PickleError(f"a tensor of shape {str(list(tensor.size))[:80]} is larger than its storage")
    strides = tuple(s * values.itemsize for s in tensor.stride)
    return np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.size, strides).copy()
