"""Configuration and weights of a Keras file."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import ModelFileError, UsageError
from striate.interop.archives import too_many_members
from striate.interop.hdf5 import REFUSED, seconds_for
from striate.interpreter import environment, python

PATIENCE = 20  # seconds more, by the clock, than the processor time that reading may take


class KerasError(ValueError):
    """A file that is not a Keras model, or holds something unsupported."""


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
    if path.is_file() and too_many_members(path):
        raise ModelFileError(f"{path}: must be a model of Keras; as an archive it has too many members.")
    seconds = seconds_for(path)
    too_long = ModelFileError(f"{path}: must be a model of Keras; reading it took more than {seconds:.1f} s.")
    try:
        child = _read_apart(path, PATIENCE + seconds)
    except subprocess.TimeoutExpired:
        raise too_long from None
    if child.returncode == -getattr(signal, "SIGPROF", 0) < 0:
        raise too_long
    if child.returncode:  # the HDF5 library itself ends on some damaged files
        reason = child.stderr.decode("utf-8", "replace").strip().splitlines() if child.returncode == REFUSED else []
        raise ModelFileError(f"{path}: must be a model of Keras; {reason[-1] if reason else 'it is damaged'}.")
    return _unpack(child.stdout)


def _read_apart(path: Path, seconds: float) -> subprocess.CompletedProcess[bytes]:
    """Run the program that reads HDF5."""
    command = python("-m", "striate.interop.hdf5", str(path))
    return subprocess.run(command, capture_output=True, check=False, timeout=seconds, env=environment())


def _unpack(data: bytes) -> KerasFile:
    """Return the output of the process that reads the file."""
    from safetensors.numpy import load

    arrays, length = load(data), int.from_bytes(data[:8], "little")
    config, names, filed, version = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["about"])
    return KerasFile(config, {name: arrays[str(number)] for number, name in enumerate(names)}, filed, version)
