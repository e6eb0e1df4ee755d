"""The processes that train together, and their communication."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.distributed.commands import LEAVE
from striate.distributed.mpi import import_mpi

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = 24  # float64 of a command: its number, and the numbers of a step
LOOKS, NAP_SECONDS = 2000, 5e-5  # how often to poll for a message before sleeping between polls


class Group:
    """All ranks of an MPI job; rank 0 leads.

    Waiting never blocks a core for long: ranks may share cores with each other and with their own threads.

    Attributes
    ----------
    rank, size : int
    ranks_here : int
        How many of them run on this machine.
    sent_bytes : int
        What this rank has sent to others so far, beside commands.
    left : bool
        Whether rank 0 has said that it ends.
    """

    def __init__(self) -> None:
        self.mpi = import_mpi()
        self.comm: Any = self.mpi.COMM_WORLD
        self.rank, self.size, self.sent_bytes = int(self.comm.rank), int(self.comm.size), 0
        self.left = False
        host = self.mpi.Get_processor_name()
        self.ranks_here = self.comm.allgather(host).count(host)

    @property
    def leads(self) -> bool:
        """Whether this is rank 0."""
        return self.rank == 0

    def wait(self, requests: Sequence[Any]) -> None:
        """Return when all ``requests`` are done."""
        looks, test = 0, self.mpi.Request.Testall
        requests = list(requests)
        while not test(requests):
            looks += 1
            if looks < LOOKS:
                os.sched_yield()
            else:
                time.sleep(NAP_SECONDS)

    def command(self, numbers: Sequence[float]) -> np.ndarray:
        """Send a command from rank 0 to all others, or receive it; return it, float64[HEADER]."""
        header = np.zeros(HEADER)
        header[: len(numbers)] = numbers
        self.wait([self.comm.Ibcast(header, 0)])
        self.left = int(header[0]) == LEAVE
        return header

    def leave(self) -> None:
        """End together: the others wait until rank 0 is done."""
        if not self.left:
            self.command([LEAVE] if self.leads else [])

    def share(self, value: Any = None) -> Any:
        """Broadcast any picklable object from rank 0."""
        self.wait([self.comm.Ibarrier()])
        return self.comm.bcast(value, 0)

    def gather(self, value: Any) -> list[Any]:
        """Gather an object from every rank, on all ranks."""
        self.wait([self.comm.Ibarrier()])
        found: list[Any] = self.comm.allgather(value)
        return found

    def spread(self, array: np.ndarray) -> None:
        """Broadcast the array of rank 0 to every rank, in place."""
        if array.size:
            self.wait([self.comm.Ibcast(array, 0)])

    def all_parts(self, array: np.ndarray, begins: Sequence[int], ends: Sequence[int]) -> None:
        """Complete a contiguous array of which each rank holds one part."""
        counts = [end - begin for begin, end in zip(begins, ends, strict=True)]
        self.sent_bytes += counts[self.rank] * array.itemsize * (self.size - 1)
        kind = self.mpi._typedict[array.dtype.char]
        self.wait([self.comm.Iallgatherv(self.mpi.IN_PLACE, [array, counts, list(begins), kind])])

    def exchange(self, messages: Sequence[tuple[int, np.ndarray]], rooms: Sequence[tuple[int, np.ndarray]]) -> None:
        """Send ``messages``, (rank, array), and receive into ``rooms``, in the same order on both sides."""
        requests = [self.comm.Irecv(room, rank) for rank, room in rooms]
        requests += [self.comm.Isend(message, rank) for rank, message in messages]
        self.sent_bytes += sum(message.nbytes for _, message in messages)
        self.wait(requests)

    def abort(self) -> None:
        """Abort all ranks at once, because one of them cannot continue."""
        self.comm.Abort(1)
