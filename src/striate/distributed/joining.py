"""Joining the other processes of an MPI job."""

from __future__ import annotations

import atexit

from striate.distributed import heartbeat
from striate.distributed.group import Group
from striate.distributed.mpi import processes
from striate.distributed.ranks import Team
from striate.training import ranks


def join() -> Team | None:
    """Share every training of this process with all ranks of the MPI job; return None if there are no others.

    Rank 0 leads: its callbacks are called, and it writes. On the other ranks ``Trainer.fit`` follows it, with the
    same data, until it ends.

    Raises
    ------
    StriateError
        If the process is one of several, but mpi4py or an MPI library is missing.
    """
    if isinstance(ranks.current, Team):
        return ranks.current
    if processes() == 1:
        heartbeat.start(0)
        return None
    group = Group()
    if group.size == 1:
        return None
    heartbeat.start(group.rank)
    ranks.current = team = Team(group)
    atexit.register(group.leave)
    return team
