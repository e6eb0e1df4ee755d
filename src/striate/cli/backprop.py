"""``striate backprop``: an expression's values and error signals, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from striate.cli.options import Json


def backprop(
    expression: Annotated[
        str, typer.Argument(metavar="EXPRESSION", help='Expression, such as "0.5*(sigmoid(w*x + b) - t)**2".')
    ],
    values: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE...", help='Values, such as w=0.5 or x="[1,2]".')
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Check the gradients against finite differences.")] = False,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the computation graph.")] = None,
    json: Json = False,
) -> None:
    """Show back-propagation through an expression: its graph, values and gradients.

    striate backprop "0.5*(sigmoid(w*x + b) - t)**2" w=1 x=2 b=-1 t=1
    """
    from striate.cli import parsing
    from striate.cli.files import write_text
    from striate.cli.output import Output
    from striate.worksheets import backprop as differentiate
    from striate.worksheets import draw_graph, finite_differences

    output = Output(json)
    given = parsing.values(values or [])
    result = differentiate(expression, given)
    output.line(result)
    facts: dict[str, Any] = {
        "result": result.result,
        "gradients": {name: value.tolist() for name, value in result.gradients.items()},
    }
    if check:
        slopes = finite_differences(expression, given)
        worst = max((abs(slopes[n] - g).max() for n, g in result.gradients.items() if n in slopes), default=0.0)
        output.line(f"largest difference from finite differences: {worst:.2g}")
        facts["largest_difference"] = float(worst)
    if svg is not None:
        output.line(f"graph: {write_text(draw_graph(result), svg)}")
    output.result(facts)
