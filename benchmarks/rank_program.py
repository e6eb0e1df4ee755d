"""What every rank of a measurement runs: ``mpiexec -n 2 python -m benchmarks.rank_program NETWORK BATCH THREADS``.

Rank 0 prints JSON: samples per second, bytes sent in a step over those of the parameters, and what MPI does here.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from benchmarks.networks import CASES, initial_parameters, samples
from benchmarks.ours import adam_numbers
from striate.distributed.group import Group
from striate.distributed.session import RankSession

SECONDS, PINGS, LARGE = 3.0, 2000, 1 << 22


def main() -> None:
    """Measure steps, then messages."""
    name, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    group, case = Group(), CASES[name]
    network = case.network()
    session = RankSession(
        group,
        network,
        batch_size=batch,
        loss="cross_entropy",
        optimizer="adam",
        dtype=np.dtype(np.uint8),
        threads=threads,
    )
    session.vectors.theta[: network.parameter_count] = initial_parameters(network)
    x, y = samples(case, batch)

    def seconds(steps: int) -> float:
        begin = time.perf_counter()
        for number in range(steps):
            session.step(x, np.arange(batch), y, adam_numbers(number + 1))
        return time.perf_counter() - begin

    seconds(2)
    steps = int(group.share(max(3, round(SECONDS / seconds(2) * 2))))
    before = group.sent_bytes
    taken = min(seconds(steps // 3 + 1) / (steps // 3 + 1) for _ in range(3))
    sent = (group.sent_bytes - before) / (3 * (steps // 3 + 1)) / (4 * network.parameter_count)
    found = {"samples_per_second": batch / taken, "sent": sent, **messages(group)}
    if group.leads:
        print(json.dumps(found))


def messages(group: Group) -> dict[str, float]:
    """Return the seconds of a message of no size between ranks 0 and 1, and the bytes per second of large ones."""
    if group.size < 2 or group.rank > 1:
        return {}

    def seconds(size: int, count: int) -> float:
        room = np.zeros(size, np.uint8)
        begin = time.perf_counter()
        for number in range(count):
            if (number + group.rank) % 2 == 0:
                group.comm.Send(room, 1 - group.rank)
            else:
                group.comm.Recv(room, 1 - group.rank)
        return (time.perf_counter() - begin) / count

    latency = min(seconds(1, PINGS) for _ in range(3))
    return {"latency": latency, "bandwidth": LARGE / min(seconds(LARGE, 40) for _ in range(3))}


main()
