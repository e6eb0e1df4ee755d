"""A model as a C library without dependencies, for this processor or another one."""

from striate.targets.library.processors import NATIVE, PROCESSORS
from striate.targets.library.writing import write

__all__ = ["NATIVE", "PROCESSORS", "write"]
