"""The program ``striate``: its commands, and how each of them ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

import striate
from striate.cli.arithmetic import arithmetic
from striate.cli.augment import augment
from striate.cli.backprop import backprop
from striate.cli.convolve import convolve
from striate.cli.ending import Commands
from striate.cli.evaluate import evaluate
from striate.cli.explain import explain
from striate.cli.find_rate import find_rate
from striate.cli.predict import predict
from striate.cli.summary import summary
from striate.cli.train import resume, train

app = typer.Typer(
    cls=Commands,
    name="striate",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (train, resume, evaluate, predict, summary, find_rate, augment, arithmetic, convolve, backprop):
    app.command()(command)
app.command()(explain)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"striate {striate.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Convolutional networks you can see through, trained fast on the CPU you already have."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with status 0, 1 (failed) or 2 (wrong use)."""
    app(args=None if arguments is None else list(arguments), prog_name="striate")
