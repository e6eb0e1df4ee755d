"""What tests of models inside packages share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

Fetch = Callable[[str, str], Path]
"""From a package with its version and the path of a file inside it to the file."""
TOLERANCE = 1e-4  # of the largest value


def agree(found: np.ndarray, wanted: np.ndarray) -> None:
    """Compare outputs with those of another program."""
    assert np.abs(found.reshape(wanted.shape) - wanted).max() <= TOLERANCE * np.abs(wanted).max()
