"""``striate convolve``: filter a picture or a signal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from striate.cli.options import Json


def convolve(
    source: Annotated[
        str, typer.Argument(metavar="IMAGE|CSV|[...]", help='A picture, a CSV or NPY file, or numbers: "[1,2,3]".')
    ],
    kernel: Annotated[
        str,
        typer.Option(
            metavar="K", help='sobel-x, laplacian, blur, gaussian:1.5, average:3, ..., or "[[1,0],[0,-1]]".'
        ),
    ],
    convolution: Annotated[
        bool, typer.Option("--convolution", help="Convolve: flip the kernel (the default is cross-correlation).")
    ] = False,
    padding: Annotated[
        str | None,
        typer.Option(metavar="P", help="Padding: valid, same, full, 1 or 1x2. (default: same for images)"),
    ] = None,
    border: Annotated[
        str, typer.Option(metavar="B", help="Padding mode: zeros, replicate, reflect or circular.")
    ] = "zeros",
    stride: Annotated[str, typer.Option(metavar="S")] = "1",
    dilation: Annotated[str, typer.Option(metavar="D")] = "1",
    column: Annotated[int | None, typer.Option(metavar="N", help="Column of a CSV file, from 0.")] = None,
    scale: Annotated[
        str | None, typer.Option(metavar="HOW", help="How values become pixels: clip, stretch or absolute.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Output file: an image, .csv or .npy. (default: IMAGE-KERNEL.png)"),
    ] = None,
    json: Json = False,
) -> None:
    """Filter an image or a signal; for small inputs, show every sum.

    striate convolve photo.jpg --kernel sobel-x

    striate convolve "[4,1,1,2,3,5,8,13]" --kernel "[1,-2,1]"
    """
    from striate.cli.files import is_numbers, read_numbers, write_numbers
    from striate.cli.output import Output
    from striate.cli.parsing import paddings, sizes
    from striate.worksheets.filtering import convolve as apply

    x = read_numbers(source, column)
    is_picture = not is_numbers(source) and Path(source).suffix.lower() not in (".csv", ".tsv", ".npy")
    result = apply(
        x,
        kernel,
        meaning="convolution" if convolution else "cross-correlation",
        padding=paddings(padding or ("same" if is_picture else "valid")),
        border=border,  # type: ignore[arg-type]
        stride=sizes(stride, "--stride"),
        dilation=sizes(dilation, "--dilation"),
    )
    output = Output(json)
    output.line(result)
    if out is None and is_picture:
        name = "".join(c if c.isalnum() or c in "-." else "_" for c in kernel)[:40]
        out = Path(f"{Path(source).stem}-{name}.png")
    facts: dict[str, Any] = {"meaning": result.meaning, "shape": result.values.shape}
    if out is not None:
        chosen = scale or ("clip" if result.kernel.min() >= 0 else "absolute")
        output.line(f"written: {write_numbers(result.values, out, chosen)}")
        facts["file"] = str(out)
    output.result(facts if is_picture else {**facts, "values": result.values.tolist()})
