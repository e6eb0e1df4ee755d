"""``--ranks``, and how a command runs as one of several ranks."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from striate.errors import UsageError

SHARING = ("train", "resume")
"""Commands that several ranks run together."""

Ranks = Annotated[
    int | None,
    typer.Option(
        "--ranks", metavar="N", min=1, help="Train in N processes on this machine, with MPI.", rich_help_panel="Run"
    ),
]


def share_or_start(ranks: int | None, folds: int | None = None) -> None:
    """Join the other ranks, if there are any; with ``--ranks`` start them, and end with their status.

    Raises
    ------
    UsageError
        If several ranks are to cross-validate.
    """
    from striate.distributed import join, processes

    if folds is not None and (processes() > 1 or ranks is not None):
        raise UsageError(f"folds: several ranks train one network at a time; got {folds} folds. Leave out --ranks.")
    if ranks is None or processes() > 1:
        join()
        return
    from striate.distributed.starting import run_ranks

    raise typer.Exit(run_ranks(ranks, without_ranks(sys.argv[1:])))


def without_ranks(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of the program without ``--ranks``."""
    kept, skip = [], False
    for argument in arguments:
        if not skip and not argument.startswith("--ranks"):
            kept.append(argument)
        skip = not skip and argument == "--ranks"
    return kept


def serves(arguments: Sequence[str] | None) -> bool:
    """Follow rank 0 through a command, and return True; False if this process is not one of the other ranks."""
    if not arguments or arguments[0] not in SHARING:
        return False
    from striate.distributed import join, processes

    if processes() == 1:
        return False
    from striate.distributed.following import serve

    team = join()
    if team is None or team.leads:
        return False
    serve(team.group)
    return True


def final_status(status: int) -> int:
    """Return the status with which this process ends, after telling whoever started the ranks."""
    if "STRIATE_STATUS_FILE" not in os.environ:
        return status
    from striate.distributed.starting import report_status

    return report_status(status)
