"""``striate pool``: pooling, window by window."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from striate.cli.options import Json


def pool(
    source: Annotated[
        str, typer.Argument(metavar="[[...]]|IMAGE|CSV", help='Numbers: "[[1,2],[3,4]]"; or a picture or file.')
    ],
    kernel: Annotated[str, typer.Option(metavar="K", help="Kernel size.")] = "2",
    average: Annotated[bool, typer.Option("--average", help="Average pooling instead of max pooling.")] = False,
    stride: Annotated[
        str | None, typer.Option(metavar="S", help="Stride. (default: the kernel size)", show_default=False)
    ] = None,
    padding: Annotated[
        str, typer.Option(metavar="P", help="Padding: valid, same, 1, 1x2 or before,after.")
    ] = "valid",
    dilation: Annotated[str, typer.Option(metavar="D")] = "1",
    ceil: Annotated[
        bool, typer.Option("--ceil", help="Keep a last window that is only partly filled (ceil mode).")
    ] = False,
    column: Annotated[
        int | None, typer.Option(metavar="N", help="Column of a CSV file, from 0.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Pool numbers and show every window with its values and its maximum or mean.

    striate pool "[[1,3,2,4],[5,6,1,2],[7,2,8,1],[3,4,5,9]]" --kernel 2
    """
    from striate.cli.files import read_numbers
    from striate.cli.output import Output
    from striate.cli.parsing import paddings, sizes
    from striate.worksheets.pooling import pool as apply

    settings: dict[str, Any] = {"padding": paddings(padding), "dilation": sizes(dilation, "--dilation")}
    result = apply(
        read_numbers(source, column),
        sizes(kernel, "--kernel"),
        statistic="average" if average else "max",
        stride=None if stride is None else sizes(stride, "--stride"),
        ceil_mode=ceil,
        **settings,
    )
    output = Output(json)
    output.line(result)
    output.result({"statistic": result.statistic, "values": result.values.tolist()})
