"""The contents of a Keras file, read with h5py in a separate process: HDF5 crashes or loops on some damaged files.

``python -m striate.interop.hdf5 FILE`` writes one safetensors file to its standard output.
"""

from __future__ import annotations

import io
import json
import math
import signal
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

LARGEST_CONFIG = 2**24  # bytes
REFUSED = 3  # the status of this program for a file that it refuses
SECONDS = 0.2  # of processor time for reading a small file
BYTES_A_SECOND = 2**23  # of larger files
MOST_MEMBERS = 2**12  # of one group
DEEPEST = 100  # groups within groups
ROOTS = ("layers", "_layer_checkpoint_dependencies")
"""Groups of a file, or of a model within, that hold its layers."""
EXPANSION = 16  # how many times larger than the file its contents may be


class Refused(ValueError):
    """A file that is not a Keras model, or is damaged."""


def main() -> None:
    """Read the file that the command line names, within the time that its size allows."""
    import h5py  # noqa: F401  its import is not part of the time

    path = Path(sys.argv[1])
    if hasattr(signal, "setitimer"):  # not on Windows
        signal.setitimer(signal.ITIMER_PROF, seconds_for(path))
    try:
        sys.stdout.buffer.write(read(path))
    except Refused as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)


def seconds_for(path: Path) -> float:
    """Return the processor time that reading a file may take."""
    return SECONDS + (path.stat().st_size / BYTES_A_SECOND if path.exists() else 0)


def read(path: Path) -> bytes:
    """Return the contents of a Keras file as a safetensors file; raises Refused."""
    import h5py

    try:
        if path.stat().st_size < 8:
            raise Refused("it is empty")
        with path.open("rb") as file:
            start = file.read(2)
        if start == b"PK":
            return _archive(path, h5py)
        with h5py.File(path, "r", locking=False) as file:
            return _legacy(file, path.stat().st_size)
    except FileNotFoundError:
        raise Refused("there is no such file") from None
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, zipfile.BadZipFile, NotImplementedError,
            EOFError, RecursionError, MemoryError) as error:  # fmt: skip
        raise Refused(" ".join(str(error).split())[:200]) from None


def _archive(path: Path, h5py: Any) -> bytes:
    with zipfile.ZipFile(path) as archive:
        members = {item.filename: item for item in archive.infolist()}
        for name, most in (("config.json", LARGEST_CONFIG), ("model.weights.h5", EXPANSION * path.stat().st_size)):
            if name not in members:
                raise Refused(f"it has no {name}")
            if members[name].file_size > most:
                raise Refused(f"{name} claims {members[name].file_size:,} bytes")
        config = json.loads(archive.read("config.json"))
        about = members.get("metadata.json")
        known = json.loads(archive.read(about)) if about and about.file_size < LARGEST_CONFIG else {}
        data = archive.read("model.weights.h5")
    with h5py.File(io.BytesIO(data), "r") as file:
        weights: dict[str, np.ndarray] = {}
        root = next((name for name in ROOTS if _group(file, name) is not None), None)
        if root is None:
            raise Refused("its weights have no layers")
        _collect(_group(file, root), "layers", len(data), weights)
    return _pack(config, weights, True, _major(known.get("keras_version")))


def _few(group: Any) -> Any:
    """Return a group, unless it holds more than a model does."""
    if len(group) > MOST_MEMBERS:
        raise Refused(f"a group has {len(group):,} members, more than {MOST_MEMBERS:,}")
    return group


def _collect(group: Any, path: str, size: int, found: dict[str, np.ndarray], depth: int = 0) -> None:
    """Add the arrays of a group and of the groups within, those of its own layer first."""
    if depth > DEEPEST:
        raise Refused(f"its groups are nested more than {DEEPEST} deep")
    for name in sorted(_few(group), key=lambda name: (name != "vars", int(name) if name.isdecimal() else 0)):
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


def _legacy(file: Any, size: int) -> bytes:
    text = file.attrs.get("model_config")
    if text is None:
        raise Refused("it has no model_config; save the whole model, not the weights alone")
    text = text.decode() if isinstance(text, bytes) else str(text)
    if len(text) > LARGEST_CONFIG:
        raise Refused("its configuration is too long")
    root = _group(file, "model_weights")
    if root is None:
        raise Refused("it has no model_weights")
    weights: dict[str, np.ndarray] = {}
    for name in _few(root):
        group = _group(root, name)
        if group is not None:
            names = [n.decode() if isinstance(n, bytes) else str(n) for n in group.attrs.get("weight_names", [])]
            weights |= {f"{name}/{item}": _array(group, item, size) for item in names}
    return _pack(json.loads(text), weights, False, _major(file.attrs.get("keras_version")))


def _checked(parent: Any, name: str) -> Any:
    """Return a member of a group, unless a link leads out of the file."""
    import h5py

    here = parent
    for part in name.split("/"):
        link = here.get(part, getlink=True) if isinstance(here, h5py.Group) else None
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise Refused(f"{part[:60]!r} is a link, which may lead to another file")
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
        raise Refused(f"the array {name[:80]!r} is missing")
    if found.is_virtual or found.external:
        raise Refused(f"the numbers of {name[:80]!r} are in another file")
    if found.dtype.kind not in "fiub" or found.nbytes > EXPANSION * size or not found.id.get_storage_size() <= size:
        raise Refused(f"the array {name[:80]!r} claims {found.nbytes:,} bytes")
    chunk = math.prod(found.chunks or ()) * found.dtype.itemsize
    if chunk > EXPANSION * size:  # it is unpacked whole, however little of it the array has
        raise Refused(f"the array {name[:80]!r} has chunks of {chunk:,} bytes")
    return np.asarray(found[()], np.float32)


def _pack(config: Any, weights: dict[str, np.ndarray], filed: bool, version: int) -> bytes:
    """Return a safetensors file of numbered arrays; their names and the rest are its metadata."""
    from safetensors.numpy import save

    named = {str(number): np.array(array, order="C") for number, array in enumerate(weights.values())}
    return bytes(save(named, {"about": json.dumps([config, list(weights), filed, version])}))


if __name__ == "__main__":
    main()
