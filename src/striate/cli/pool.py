"""``striate pool``: pooling, window by window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.options import Json

if TYPE_CHECKING:
    from striate.worksheets.pooling import Pooled


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
    dilation: Annotated[
        str, typer.Option(metavar="D", help="Dilation: distance between the cells of a kernel.")
    ] = "1",
    ceil: Annotated[
        bool, typer.Option("--ceil", help="Keep a last window that is only partly filled (ceil mode).")
    ] = False,
    column: Annotated[
        str | None,
        typer.Option(metavar="NAME|N", help="Column of a CSV file, or its number from 0.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Output file: an image (of a signal, a plot), .csv or .npy. "
            "(default for images: IMAGE-STATISTIC-pooled.png)",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Pool numbers and show every window with its values and its maximum or mean; pool each colour of an image.

    striate pool "[[1,3,2,4],[5,6,1,2],[7,2,8,1],[3,4,5,9]]" --kernel 2

    striate pool photo.jpg --kernel 9 --stride 3
    """
    from striate.cli.files import is_numbers, read_numbers
    from striate.cli.output import Output
    from striate.cli.parsing import paddings, sizes
    from striate.worksheets.pooling import pool as apply

    x = read_numbers(source, column)
    is_picture = not is_numbers(source) and Path(source).suffix.lower() not in (".csv", ".tsv", ".npy")
    settings: dict[str, Any] = {
        "kernel": sizes(kernel, "--kernel"),
        "stride": None if stride is None else sizes(stride, "--stride"),
        "padding": paddings(padding),
        "dilation": sizes(dilation, "--dilation"),
    }
    if is_picture and x.ndim == 3:
        settings = {name: _each_colour(value, name) for name, value in settings.items()}
    result = apply(x, statistic="average" if average else "max", ceil_mode=ceil, **settings)
    output = Output(json)
    output.line(result)
    facts: dict[str, Any] = {"statistic": result.statistic}
    if out is None and is_picture:
        out = Path(f"{Path(source).stem}-{result.statistic}-pooled.png")
    if out is not None:
        output.line(f"written: {_write(result, out)}")
        facts["file"] = str(out)
    found = {"shape": result.values.shape} if is_picture else {"values": result.values.tolist()}
    output.result({**facts, **found})


def _write(result: Pooled, out: Path) -> Path:
    """Write a plot of a pooled signal, or the values."""
    from striate.cli.files import PLOTS, write_figure, write_numbers
    from striate.worksheets.draw_filtering import draw_pooled

    if result.x.ndim == 1 and out.suffix.lower() in PLOTS:
        return write_figure(draw_pooled(result), out)
    return write_numbers(result.values, out)


def _each_colour(value: Any, name: str) -> Any:
    """Return a setting of rows and columns extended to colours, which windows never combine."""
    if value is None or isinstance(value, str):
        return value
    alone = 0 if name == "padding" else 1
    return (alone, *(value if isinstance(value, tuple) and len(value) == 2 else (value, value)))
