"""``striate serve``: a model or a run over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.server.guard import Access


def serve(
    path: Annotated[Path, typer.Argument(metavar="MODEL|RUN", help="A model file, or the folder of a run.")],
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", help="Port; 0 chooses a free one.")] = 8000,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Another name by which browsers may reach this machine, such as lab7.local; can be repeated.",
        ),
    ] = None,
) -> None:
    """Serve a model, or a run that is training: a page to explore it, live curves, and an HTTP API.

    striate serve runs/digits-lenet5

    The printed address holds the secret token. Programs send it as the header "Authorization: Bearer TOKEN".
    """
    try:
        from striate.server import running
    except ImportError as error:
        raise UsageError(
            f"serve: needs more packages; {error.name} is missing. Run: pip install 'striate[serve]'."
        ) from None

    def announce(address: str, access: Access) -> None:
        typer.echo(f"serving {path} at\n  {address}")
        typer.echo("API: /predict, /why, /summary, /health, /openapi.json. Stop with Ctrl-C.")

    running.serve(path, host, port, tuple(allow_host or ()), announce=announce)
