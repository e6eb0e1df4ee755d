"""Read and change the files that striate writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from striate.storage import container

Tensors = dict[str, np.ndarray]


def read_container(path: Path) -> tuple[dict[str, Any], Tensors]:
    """Return the description and the tensors of a model or checkpoint."""
    with container.reading(path) as read:
        content, tensors = dict(read.content), read.tensors()
    content.pop("format")
    return content, tensors


def rewrite(path: Path, change: Callable[[dict[str, Any], Tensors], object]) -> Path:
    """Change the description or the tensors of a file, with a right checksum."""
    content, tensors = read_container(path)
    change(content, tensors)
    return container.write(path, content, tensors)
