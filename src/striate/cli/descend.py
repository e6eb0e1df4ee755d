"""``striate descend``: how optimizers find their way down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from striate.cli.options import Json


def descend(
    task: Annotated[
        str,
        typer.Argument(
            metavar="PROBLEM",
            help='bowl, ravine, saddle, plateau, rosenbrock, himmelblau, line, logistic; or "(a - 1)**2 + b**2".',
        ),
    ] = "ravine",
    values: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUES]...", help="Data of an expression, such as x=[1,2].")
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="gradient descent, sgd, mini-batch, momentum, nesterov, rmsprop or adam; can be repeated.",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[int, typer.Option(metavar="N", help="Number of steps.")] = 100,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Learning rate of all optimizers. (default: the best of 0.001, 0.002, ..., 10)",
            show_default=False,
        ),
    ] = None,
    start: Annotated[str | None, typer.Option(metavar="A,B", help="Starting point.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of the order of the samples.")] = 0,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the paths on the surface.", show_default=False)
    ] = None,
    losses: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the losses over the steps.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Compare the paths of optimizers on a loss of two parameters.

    striate descend ravine --picture paths.png

    striate descend "mean((w*x + b - t)**2)" "x=[0,1,2,3]" "t=[1,3,4,7]" --method sgd --method adam
    """
    from striate.cli.files import write_figure
    from striate.cli.output import Output
    from striate.cli.parsing import values as named
    from striate.numbers import parse_numbers
    from striate.worksheets import descent

    point: Any = None if start is None else parse_numbers(f"[{start.strip('[] ')}]", "--start")
    chosen = descent.problem(task, data=named(values or []), start=point)
    names = [name.replace("_", " ") for name in method or ()]
    found = descent.descend(chosen, names or None, steps=steps, learning_rate=learning_rate, seed=seed)
    output = Output(json)
    output.line(found)
    for path, draw in ((picture, descent.draw_descent), (losses, descent.draw_losses)):
        if path is not None:
            output.line(f"picture: {write_figure(draw(found), path)}")
    output.result(
        {
            "loss": chosen.text,
            "ranking": [path.method for path in found.ranking],
            "parameters": chosen.parameters,
            "paths": [
                {
                    "method": path.method,
                    "learning_rate": path.learning_rate,
                    "points": path.points.tolist(),
                    "losses": path.losses.tolist(),
                    "diverged": path.diverged,
                }
                for path in found.paths
            ],
        }
    )
