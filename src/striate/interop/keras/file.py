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
DEEPEST = 100  # groups within groups
ROOTS = ("layers", "_layer_checkpoint_dependencies")
"""Groups of a file, or of a model within, that hold its layers."""
EXPANSION = 100  # how many times larger than the file its contents may be


class KerasError(ValueError):
    """A file that is no model of Keras, or has what is not read."""


@dataclass(frozen=True)
class KerasFile:
    """What a Keras file holds.

    Parameters
    ----------
    config : dict
        The configuration of the model.
    weights : dict of arrays
        By their paths in the file, in the order in which layers list them.
    filed : bool
        Whether paths are folders of layers, as in ``.keras`` files, or names of arrays.
    version : int
        The major version of Keras that wrote the file.
    """

    config: dict[str, Any]
    weights: dict[str, np.ndarray]
    filed: bool
    version: int


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
    config, names, filed, version = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["about"])
    return KerasFile(config, {name: arrays[str(number)] for number, name in enumerate(names)}, filed, version)


def _pack(file: KerasFile) -> bytes:
    from safetensors.numpy import save

    about = [file.config, list(file.weights), file.filed, file.version]
    named = {str(number): np.array(array, order="C") for number, array in enumerate(file.weights.values())}
    return bytes(save(named, {"about": json.dumps(about)}))


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
        about = members.get("metadata.json")
        known = json.loads(archive.read(about)) if about and about.file_size < LARGEST_CONFIG else {}
        data = archive.read("model.weights.h5")
    with h5py.File(io.BytesIO(data), "r") as file:
        weights: dict[str, np.ndarray] = {}
        root = next((name for name in ROOTS if _group(file, name) is not None), None)
        if root is None:
            raise KerasError("its weights have no layers")
        _collect(_group(file, root), "layers", len(data), weights)
    return KerasFile(config, weights, True, _major(known.get("keras_version")))


def _collect(group: Any, path: str, size: int, found: dict[str, np.ndarray], depth: int = 0) -> None:
    """Add the arrays of a group and of the groups within, those of its own layer first."""
    if depth > DEEPEST:
        raise KerasError(f"its groups are nested more than {DEEPEST} deep")
    for name in sorted(group, key=lambda name: (name != "vars", int(name) if name.isdecimal() else 0)):
        item = _checked(group, name)
        renamed = "layers" if name in ROOTS else name
        if _group(group, name) is not None:
            _collect(item, f"{path}/{renamed}", size, found, depth + 1)
        else:
            found[f"{path}/{name}"] = _array(group, name, size)


def _major(version: Any) -> int:
    """Return the first number of a version; 2 where there is none, as in old files."""
    text = version.decode("utf-8", "replace") if isinstance(version, bytes) else str(version)
    first = text.partition(".")[0]
    return int(first) if first.isdecimal() and len(first) < 4 else 2


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
    weights: dict[str, np.ndarray] = {}
    for name in root:
        group = _group(root, name)
        if group is not None:
            names = [n.decode() if isinstance(n, bytes) else str(n) for n in group.attrs.get("weight_names", [])]
            weights |= {f"{name}/{item}": _array(group, item, size) for item in names}
    return KerasFile(json.loads(text), weights, False, _major(file.attrs.get("keras_version")))


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
