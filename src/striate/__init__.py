"""striate: convolutional networks you can see through, trained fast on the CPU you already have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.lazy import attach

if TYPE_CHECKING:
    from striate.data.dataset import Dataset
    from striate.model import Model, load
    from striate.network import Network, Sequential
    from striate.training.history import History
    from striate.training.trainer import Trainer

__version__ = "0.1.0"

__all__ = ["Dataset", "History", "Model", "Network", "Sequential", "Trainer", "load"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "striate.data.dataset": ["Dataset"],
        "striate.model": ["Model", "load"],
        "striate.network": ["Network", "Sequential"],
        "striate.training.history": ["History"],
        "striate.training.trainer": ["Trainer"],
    },
)
