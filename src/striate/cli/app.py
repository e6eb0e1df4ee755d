"""The program ``striate``: its commands, and how each of them ends."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

import striate
from striate.cli.approximate import approximate
from striate.cli.arithmetic import arithmetic
from striate.cli.augment import augment
from striate.cli.backprop import backprop
from striate.cli.cache import cache
from striate.cli.check import check
from striate.cli.compare import compare
from striate.cli.convolve import convolve
from striate.cli.descend import descend
from striate.cli.draw import draw
from striate.cli.ending import Commands, OneCommand
from striate.cli.evaluate import evaluate
from striate.cli.explain import explain
from striate.cli.export import export
from striate.cli.find_patch import find_patch
from striate.cli.find_rate import find_rate
from striate.cli.gradient import gradient
from striate.cli.import_ import import_
from striate.cli.invariance import invariance
from striate.cli.launch import launch
from striate.cli.loss_slice import loss_slice
from striate.cli.matrix import matrix
from striate.cli.neocognitron import neocognitron
from striate.cli.pool import pool
from striate.cli.predict import predict
from striate.cli.quantise import quantise
from striate.cli.race import race
from striate.cli.repair import repair
from striate.cli.runs import runs
from striate.cli.search import search
from striate.cli.serve import serve
from striate.cli.summary import summary
from striate.cli.sweep import sweep
from striate.cli.train import resume, train
from striate.cli.why import why

app = typer.Typer(
    cls=Commands,
    name="striate",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Train and use": (
        train,
        resume,
        launch,
        runs,
        compare,
        search,
        evaluate,
        predict,
        summary,
        find_rate,
        race,
        augment,
        neocognitron,
        quantise,
        export,
        import_,
        serve,
        cache,
    ),
    "Look inside a model": (explain, why, sweep, gradient, invariance, loss_slice),
    "Work out by hand": (
        arithmetic,
        check,
        convolve,
        pool,
        repair,
        matrix,
        find_patch,
        backprop,
        descend,
        approximate,
    ),
}
for panel, commands in PANELS.items():
    for command in commands:
        name = command.__name__.rstrip("_").replace("_", "-")
        app.command(name, cls=OneCommand, rich_help_panel=panel)(command)
app.add_typer(draw, name="draw", rich_help_panel="Look inside a model")


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
    try:
        app(args=sys.argv[1:] if arguments is None else list(arguments), prog_name="striate")
    finally:
        if arguments is None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python ends now; Ctrl-C shows no traceback of that
