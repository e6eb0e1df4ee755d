"""Training on several processes and machines at once, over MPI, with the bits of a single one."""

from typing import TYPE_CHECKING

from striate.lazy import attach

if TYPE_CHECKING:
    from striate.distributed.joining import join
    from striate.distributed.mpi import processes

__all__ = ["join", "processes"]

__getattr__, __dir__ = attach(
    __name__, {"striate.distributed.joining": ["join"], "striate.distributed.mpi": ["processes"]}
)
