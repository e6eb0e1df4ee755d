"""Configuration and weights of a Keras file."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import ModelFileError, UsageError

LARGEST_CONFIG = 2**24  # bytes
REFUSED = 3  # the status of the process that reads, for a file that it refuses
SECONDS = 4  # that reading may take: HDF5 loops for ever on some damaged files
BYTES_A_SECOND = 2**25  # of larger files
EXPANSION = 100  # how many times larger than the file its contents may be


class KerasError(ValueError):
    """A file that is no model of Keras, or has what is not read."""


@dataclass(frozen=True)
class KerasFile:
    """What a Keras file holds: the configuration of the model, and the arrays of each layer in their order."""

    config: dict[str, Any]
    weights: dict[str, list[np.ndarray]]


def read(path: Path) -> KerasFile:
    """Return the contents of a Keras file.

    Raises
    ------
    UsageError
        If h5py is not installed.
    ModelFileError
        If the file is missing, damaged, no model of Keras, or refers to other files.
    """
    if importlib.util.find_spec("h5py") is None:
        raise UsageError(
            f"{path}: reading Keras files needs h5py, which is not installed. Run: pip install 'striate[keras]'."
        )
    command = [sys.executable, "-m", "striate.interop.keras.file", str(path)]
    seconds = SECONDS + (path.stat().st_size // BYTES_A_SECOND if path.exists() else 0)
    try:
        child = subprocess.run(command, capture_output=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise ModelFileError(f"{path}: must be a model of Keras; reading it took more than {seconds} s.") from None
    if child.returncode:  # the HDF5 library itself ends on some damaged files, so that it works apart
        reason = child.stderr.decode("utf-8", "replace").strip().splitlines() if child.returncode == REFUSED else []
        raise ModelFileError(f"{path}: must be a model of Keras; {reason[-1] if reason else 'it is damaged'}.")
    return _unpack(child.stdout)


def _unpack(data: bytes) -> KerasFile:
    """Return what the process that reads the file hands over."""
    from safetensors.numpy import load

    arrays, length = load(data), int.from_bytes(data[:8], "little")
    about = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["about"])
    weights = {
        name: [arrays[f"{number}/{i}"] for i in range(count)] for number, (name, count) in enumerate(about[1])
    }
    return KerasFile(about[0], weights)


def _pack(file: KerasFile) -> bytes:
    from safetensors.numpy import save

    about = [file.config, [(name, len(arrays)) for name, arrays in file.weights.items()]]
    named = {f"{n}/{i}": a for n, arrays in enumerate(file.weights.values()) for i, a in enumerate(arrays)}
    return save({key: np.array(a, order="C") for key, a in named.items()}, {"about": json.dumps(about)})


def read_here(path: Path) -> KerasFile:
    """Return the contents of a Keras file, in this process; raises KerasError."""
    import h5py

    try:
        if path.stat().st_size < 8:
            raise KerasError("it is empty")
        with path.open("rb") as file:
            start = file.read(2)
        if start == b"PK":
            return _archive(path, h5py)
        with h5py.File(path, "r", locking=False) as file:
            return _legacy(file, path.stat().st_size)
    except FileNotFoundError:
        raise KerasError("there is no such file") from None
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, zipfile.BadZipFile, NotImplementedError,
            EOFError, RecursionError, MemoryError) as error:  # fmt: skip
        raise KerasError(" ".join(str(error).split())[:200]) from None


def _archive(path: Path, h5py: Any) -> KerasFile:
    with zipfile.ZipFile(path) as archive:
        members = {item.filename: item for item in archive.infolist()}
        for name, most in (("config.json", LARGEST_CONFIG), ("model.weights.h5", EXPANSION * path.stat().st_size)):
            if name not in members:
                raise KerasError(f"it has no {name}")
            if members[name].file_size > most:
                raise KerasError(f"{name} claims {members[name].file_size:,} bytes")
        config = json.loads(archive.read("config.json"))
        data = archive.read("model.weights.h5")
    with h5py.File(io.BytesIO(data), "r") as file:
        groups = _group(file, "layers") or _group(file, "_layer_checkpoint_dependencies")
        if groups is None:
            raise KerasError("its weights have no layers")
        weights = {}
        for name in groups:
            layer = _group(groups, name)
            if layer is not None:
                weights[name] = _variables(layer, len(data))
    return KerasFile(config, weights)


def _variables(layer: Any, size: int) -> list[np.ndarray]:
    """Return the arrays of a layer; those of a layer within it come after its own."""
    found = []
    variables = _group(layer, "vars")
    if variables is not None:
        found += [_array(variables, name, size) for name in sorted(variables, key=int)]
    return found


def _legacy(file: Any, size: int) -> KerasFile:
    text = file.attrs.get("model_config")
    if text is None:
        raise KerasError("it has no model_config; save the whole model, not the weights alone")
    text = text.decode() if isinstance(text, bytes) else str(text)
    if len(text) > LARGEST_CONFIG:
        raise KerasError("its configuration is too long")
    root = _group(file, "model_weights")
    if root is None:
        raise KerasError("it has no model_weights")
    weights = {}
    for name in root:
        group = _group(root, name)
        if group is not None:
            names = [n.decode() if isinstance(n, bytes) else str(n) for n in group.attrs.get("weight_names", [])]
            weights[name] = [_array(group, item, size) for item in names]
    return KerasFile(json.loads(text), weights)


def _checked(parent: Any, name: str) -> Any:
    """Return a member of a group, unless a link leads out of the file."""
    import h5py

    here = parent
    for part in name.split("/"):
        link = here.get(part, getlink=True) if isinstance(here, h5py.Group) else None
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise KerasError(f"{part[:60]!r} is a link to another file")
        here = here[part]
    return here


def _group(parent: Any, name: str) -> Any:
    import h5py

    found = _checked(parent, name)
    return found if isinstance(found, h5py.Group) else None


def _array(group: Any, name: str, size: int) -> np.ndarray:
    import h5py

    found = _checked(group, name)
    if not isinstance(found, h5py.Dataset):
        raise KerasError(f"the array {name[:80]!r} is missing")
    if found.is_virtual or found.external:
        raise KerasError(f"the numbers of {name[:80]!r} are in another file")
    if found.dtype.kind not in "fiub" or found.nbytes > EXPANSION * size or not found.id.get_storage_size() <= size:
        raise KerasError(f"the array {name[:80]!r} claims {found.nbytes:,} bytes")
    return np.asarray(found[()], np.float32)


if __name__ == "__main__":
    try:
        sys.stdout.buffer.write(_pack(read_here(Path(sys.argv[1]))))
    except KerasError as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)
