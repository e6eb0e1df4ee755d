"""``striate matrix``: a convolution as a matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from striate.cli.options import Json


def matrix(
    kernel: Annotated[str, typer.Argument(metavar="[...]", help='Numbers, such as "[-1,0,1]" or "[[1,2],[3,4]]".')],
    input: Annotated[str, typer.Option(metavar="N", help="Input size: 5, or 4x4.")],
    stride: Annotated[str, typer.Option(metavar="S", help="Stride: distance from one position to the next.")] = "1",
    padding: Annotated[str, typer.Option(metavar="P", help="Padding: 1, 1x2, before,after, same or valid.")] = "0",
    dilation: Annotated[
        str, typer.Option(metavar="D", help="Dilation: distance between the cells of a kernel.")
    ] = "1",
    transposed: Annotated[
        bool, typer.Option("--transposed", help="Transpose the matrix, for inputs written as rows.")
    ] = False,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the matrix.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Write a convolution as a sparse (Toeplitz) matrix and count its distinct parameters.

    striate matrix "[-1,0,1]" --input 5

    striate matrix "[[1,2],[3,4]]" --input 4x4 --picture matrix.png
    """
    from striate.cli.files import write_figure
    from striate.cli.output import Output
    from striate.cli.parsing import paddings, sizes
    from striate.numbers import parse_numbers
    from striate.worksheets.matrix import draw_toeplitz, toeplitz

    settings: dict[str, Any] = {"padding": paddings(padding)}
    weights, cells = parse_numbers(kernel, "kernel"), sizes(input, "--input")
    if isinstance(cells, int) and weights.ndim > 1:
        cells = (cells,) * weights.ndim
    result = toeplitz(
        weights, cells, stride=sizes(stride, "--stride"), dilation=sizes(dilation, "--dilation"), **settings
    )
    output = Output(json)
    output.line(result)
    facts = {
        "shape": result.matrix.shape,
        "distinct": result.distinct,
        "entries": result.entries,
        "full": result.full,
    }
    if picture is not None:
        axes = draw_toeplitz(result, transposed=transposed)
        output.line(f"picture: {write_figure(axes, picture)}")
        facts["picture"] = str(picture)
    output.result(facts)
