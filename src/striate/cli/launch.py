"""``striate launch``: train on several ranks, and keep going when some of them fail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.ranks import SHARING
from striate.errors import UsageError


def launch(
    arguments: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND ...", help="train or resume, with its arguments, after --.")
    ],
    ranks: Annotated[int, typer.Option(metavar="N", min=1, help="Number of processes.")] = 2,
    hosts: Annotated[
        str | None, typer.Option(metavar="A,B", help="Machines to run on. (default: this one)", show_default=False)
    ] = None,
    restarts: Annotated[int, typer.Option(metavar="N", min=0, help="Restart at most N times.")] = 3,
    patience: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=1.0, help="Restart if a rank has not answered for this many seconds."),
    ] = 30.0,
    elastic: Annotated[
        bool, typer.Option("--elastic", help="Restart with fewer ranks, or on the hosts that still answer.")
    ] = False,
) -> None:
    """Train on several ranks; when one dies or hangs, restart all from the last checkpoint.

    striate launch --ranks 4 -- train digits --out runs/mine

    striate launch --ranks 8 --hosts node1,node2 --elastic -- train photographs/ --out runs/mine

    The result is bit for bit that of an uninterrupted run on one rank.
    """
    from striate.distributed.supervision import Supervisor

    if arguments[0] not in SHARING:
        raise UsageError(f"launch: runs {' or '.join(SHARING)}; got {arguments[0]!r}. Give one of them after --.")
    given, folder = _with_folder(arguments)
    names = [name for name in (hosts or "").split(",") if name]
    status = Supervisor(ranks, folder, names, restarts, patience, elastic).run(given)
    raise typer.Exit(status)


def _with_folder(arguments: list[str]) -> tuple[list[str], Path]:
    """Return the command with the folder of its run, and the folder."""
    if arguments[0] == "resume":
        folders = [Path(argument) for argument in arguments[1:] if not argument.startswith("-")]
        if not folders:
            raise UsageError("launch: resume needs the folder of a run; got none. Give it after resume.")
        return arguments, folders[0]
    for number, argument in enumerate(arguments):
        if argument == "--out" and number + 1 < len(arguments):
            return arguments, Path(arguments[number + 1])
        if argument.startswith("--out="):
            return arguments, Path(argument.removeprefix("--out="))
    raise UsageError("launch: train needs a folder for its run; got none. Add --out FOLDER.")
