"""Weights of PyTorch, read and written without PyTorch."""

from striate.interop.pytorch.matching import Match, load_weights
from striate.interop.pytorch.state_dict import read_state_dict

__all__ = ["Match", "load_weights", "read_state_dict"]
