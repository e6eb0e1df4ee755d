"""Training on several processes and machines over MPI, with results bit-identical to a single process."""

from typing import TYPE_CHECKING

from striate.lazy import attach

if TYPE_CHECKING:
    from striate.distributed.joining import join
    from striate.distributed.mpi import processes

__all__ = ["join", "processes"]

__getattr__, __dir__ = attach(
    __name__, {"striate.distributed.joining": ["join"], "striate.distributed.mpi": ["processes"]}
)
