"""Run a training step in two halves: up to the summed gradient, and the optimizer's update."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from striate.engine.program import Tables
from striate.engine.team import Team


class Halves:
    """The two halves of a program whose last phase runs two rows: the sum over the shards, then the optimizer.

    Parameters
    ----------
    tables : Tables
        Of the program.
    team : Team
        That runs it.
    """

    def __init__(self, tables: Tables, team: Team) -> None:
        self.team, self.phases = team, tables.phases
        first, count = (int(number) for number in self.phases[-1])
        self.rows = tables.tasks[first : first + count, :2]  # a view: first row and end of each task

    @contextmanager
    def gradient(self) -> Iterator[None]:
        """Let runs inside the block stop before the update."""
        self.team.rest()
        self.rows[:, 1] -= 1
        try:
            yield
        finally:
            self.team.rest()
            self.rows[:, 1] += 1

    def update(self) -> None:
        """Run the update alone."""
        self.team.rest()
        tasks = self.phases[:-1, 1].copy()
        self.phases[:-1, 1] = 0
        self.rows[:, 0] += 1
        try:
            self.team.run()
            self.team.rest()
        finally:
            self.rows[:, 0] -= 1
            self.phases[:-1, 1] = tasks
