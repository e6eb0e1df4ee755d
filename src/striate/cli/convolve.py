"""``striate convolve``: filter a picture or a signal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.options import Json

if TYPE_CHECKING:
    import numpy as np

    from striate.cli.output import Output
    from striate.worksheets.filtering import Filtered

FILM = ".gif"


def convolve(
    source: Annotated[
        str, typer.Argument(metavar="IMAGE|CSV|[...]", help='An image, a CSV or NPY file, or numbers: "[1,2,3]".')
    ],
    kernel: Annotated[
        list[str],
        typer.Option(
            metavar="K",
            help='sobel-x, laplacian, blur, gaussian:1.5, average:3, ..., or "[[1,0],[0,-1]]"; can be repeated.',
        ),
    ],
    bias: Annotated[
        list[float] | None,
        typer.Option(
            metavar="X", help="Bias added to every sum: one number, or one per kernel.", show_default=False
        ),
    ] = None,
    pool: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            help="Images: also draw each map after ReLU and KxK max pooling; 1 for ReLU alone.",
            show_default=False,
        ),
    ] = None,
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
    stride: Annotated[str, typer.Option(metavar="S", help="Stride: distance from one position to the next.")] = "1",
    dilation: Annotated[
        str, typer.Option(metavar="D", help="Dilation: distance between the cells of a kernel.")
    ] = "1",
    column: Annotated[
        str | None, typer.Option(metavar="NAME|N", help="Column of a CSV file, or its number from 0.")
    ] = None,
    scale: Annotated[
        str | None, typer.Option(metavar="HOW", help="How values become pixels: clip, stretch or absolute.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Output file: an image (of a signal, a plot), .csv or .npy; .gif animates small inputs. "
            "(default: IMAGE-KERNEL.png)",
        ),
    ] = None,
    continuous: Annotated[
        bool,
        typer.Option("--continuous", help="Convolve functions of t, such as box and exponential: write a page."),
    ] = False,
    spacing: Annotated[float, typer.Option(metavar="X", help="With --continuous: time between samples.")] = 0.5,
    json: Json = False,
) -> None:
    """Filter an image or a signal; for small inputs, show every sum.

    striate convolve photo.jpg --kernel sobel-x

    striate convolve photo.jpg --kernel sobel-x --kernel sobel-y --pool 4 --out maps.png

    striate convolve signal.csv --kernel gaussian:3 --kernel derivative --out signal.png

    striate convolve "[4,1,1,2,3,5,8,13]" --kernel "[1,-2,1]"

    striate convolve box --kernel exponential --continuous --out convolution.html
    """
    from striate.cli.files import is_numbers, read_numbers
    from striate.cli.output import Output
    from striate.cli.parsing import paddings, sizes
    from striate.worksheets.filtering import convolve as apply

    if continuous:
        return _continuous(source, kernel, spacing, out or Path("convolution.html"), Output(json))
    x = read_numbers(source, column)
    is_picture = not is_numbers(source) and Path(source).suffix.lower() not in (".csv", ".tsv", ".npy")
    if pool is not None and x.ndim == 3:
        x = x.mean(axis=0)  # a filter of a network gives one map
    results = [
        apply(
            x,
            one,
            meaning="convolution" if convolution else "cross-correlation",
            padding=paddings(padding or ("same" if is_picture else "valid")),
            border=border,  # type: ignore[arg-type]
            stride=sizes(stride, "--stride"),
            dilation=sizes(dilation, "--dilation"),
            bias=added,
        )
        for one, added in zip(kernel, _biases(bias, len(kernel)), strict=True)
    ]
    output = Output(json)
    for one in results:
        output.line(one)
    target = _target(source, kernel, out, is_picture)
    files = [str(path) for path in _write(x, results, kernel, target, pool, scale)]
    for file in files:
        output.line(f"written: {file}")
    return output.result(_facts(results, files, is_picture))


def _continuous(source: str, kernels: list[str], spacing: float, out: Path, output: Output) -> None:
    """Write the page of two functions."""
    from striate.cli.files import write_text
    from striate.errors import UsageError
    from striate.worksheets.continuous import convolution_page, convolve_functions

    if len(kernels) != 1:
        raise UsageError(f"--continuous: convolves two functions; got {len(kernels) + 1}. Give one --kernel.")
    found = convolve_functions(source, kernels[0], spacing)
    output.line(found)
    output.line(f"page: {write_text(convolution_page(found), out)}")
    output.result({"functions": found.names, "sums": found.sums.tolist(), "error": found.error, "page": str(out)})


def _facts(results: list[Filtered], files: list[str], is_picture: bool) -> dict[str, Any]:
    found: list[dict[str, Any]] = [{"meaning": one.meaning, "shape": one.values.shape} for one in results]
    for facts, one in zip(found, results, strict=True):
        if not is_picture:
            facts["values"] = one.values.tolist()
    if len(results) > 1:
        return {"results": found, **({"file": files[0]} if files else {})}
    return {**found[0], **({"file": files[0]} if files else {})}


def _biases(given: list[float] | None, count: int) -> list[float]:
    from striate.errors import UsageError

    if given is None or len(given) == 1:
        return [given[0] if given else 0.0] * count
    if len(given) != count:
        raise UsageError(f"--bias: must be given once, or as often as --kernel ({count}); got {len(given)}.")
    return given


def _film(x: np.ndarray, result: Filtered, out: Path) -> Path:
    """Write the kernel sliding over numbers, with every sum."""
    from striate.errors import UsageError
    from striate.storage.atomic import write_atomically
    from striate.worksheets import animated_gif, sliding_window
    from striate.worksheets.arithmetic import convolution

    channels = x.ndim == 3
    if channels and result.values.ndim == 3:
        raise UsageError(
            f"{out}: an animation adds up the channels; got a kernel that filters each of the {len(x)} separately. "
            f"Give a kernel with a table for each channel."
        )
    if result.border != "zeros":
        raise UsageError(f"{out}: an animation needs a border of zeros; got {result.border}. Leave out --border.")
    axes, deep = result.axes, (1,) if channels else ()
    kernel = result.kernel if channels else result.kernel[0]
    layer = convolution(
        x.shape,
        kernel.shape,
        stride=(*deep, *(axis.stride for axis in axes)),
        padding=(*((0, 0) for _ in deep), *(axis.padding for axis in axes)),
        dilation=(*deep, *(axis.dilation for axis in axes)),
    )
    window = sliding_window(layer, x, kernel, bias=result.bias, channels=channels)
    return write_atomically(out, animated_gif(window))


def _target(source: str, kernels: list[str], out: Path | None, is_picture: bool) -> Path | None:
    if out is not None or not is_picture:
        return out
    name = "-".join("".join(c if c.isalnum() or c in "-." else "_" for c in one) for one in kernels)[:40]
    return Path(f"{Path(source).stem}-{name}.png")


def _write(
    x: np.ndarray,
    results: list[Filtered],
    kernels: list[str],
    out: Path | None,
    pool: int | None,
    scale: str | None,
) -> list[Path]:
    """Write what was asked for: a plot, the stages of a picture, a picture or numbers."""
    from striate.cli.files import PLOTS, write_figure, write_numbers
    from striate.errors import UsageError
    from striate.worksheets.draw_filtering import draw_signals, draw_stages
    from striate.worksheets.pooling import pool as pooling

    if out is None:
        return []
    if out.suffix.lower() == FILM and len(results) == 1:
        return [_film(x, results[0], out)]
    if x.ndim == 1 and out.suffix.lower() in PLOTS:
        return [write_figure(draw_signals(x, results, kernels), out)]
    if pool is not None or (len(results) > 1 and x.ndim == 2):
        maps = [one.values for one in results]
        pooled = [pooling(one.clip(0), pool) for one in maps] if pool is not None and pool > 1 else None
        return [write_figure(draw_stages(x, maps, pooled, kernels), out)]
    if len(results) > 1:
        raise UsageError(f"{out}: holds the result of one kernel; got {len(results)}. Write one file for each.")
    chosen = scale or ("clip" if results[0].kernel.min() >= 0 else "absolute")
    return [write_numbers(results[0].values, out, chosen)]
