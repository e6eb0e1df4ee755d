"""What several tests of the command line need."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write bytes in the IDX format, compressed if the name says so."""
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    data = head + array.tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def last_json(result: Any) -> dict[str, Any]:
    """Return the object in the last line of standard output."""
    values: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return values


def width_of(path: Path) -> int:
    """Return the width of a picture in pixels."""
    with Image.open(path) as picture:
        return picture.width
