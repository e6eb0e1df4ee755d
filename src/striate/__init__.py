"""striate: convolutional networks you can see through, trained fast on the CPU you already have."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.data.dataset import Dataset
    from striate.model import Model, load
    from striate.network import Network, Sequential
    from striate.training.history import History
    from striate.training.trainer import Trainer

__version__ = "0.1.0"

_HOMES = {
    "Dataset": "striate.data.dataset",
    "History": "striate.training.history",
    "Model": "striate.model",
    "Network": "striate.network",
    "Sequential": "striate.network",
    "Trainer": "striate.training.trainer",
    "load": "striate.model",
}
"""Where the names lie that are imported when they are first used, so that ``import striate`` costs nothing."""

__all__ = ["Dataset", "History", "Model", "Network", "Sequential", "Trainer", "load"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'striate' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
