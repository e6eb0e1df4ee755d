"""``striate arithmetic``: sizes, parameters and work of a layer, with the formulas filled in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.options import Json

if TYPE_CHECKING:
    from striate.cli.output import Output

KINDS = {"conv": "convolution", "transposed": "transposed", "pool": "pooling", "linear": "linear"}


def arithmetic(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Kind of layer: conv, transposed, pool or linear.")],
    input: Annotated[str, typer.Option(metavar="N", help="Input size: 227, or 227x100. For linear: 784x100x10.")],
    kernel: Annotated[str | None, typer.Option(metavar="K", help="Kernel size.")] = None,
    stride: Annotated[
        str | None, typer.Option(metavar="S", help="Stride. (default: 1; for pooling, the kernel size)")
    ] = None,
    padding: Annotated[
        str | None, typer.Option(metavar="P", help="Padding: 1, 1x2, before,after, same or valid.")
    ] = None,
    dilation: Annotated[
        str, typer.Option(metavar="D", help="Dilation: distance between the cells of a kernel.")
    ] = "1",
    groups: Annotated[
        int, typer.Option(metavar="G", help="Groups that channels and filters are divided into.")
    ] = 1,
    in_channels: Annotated[int, typer.Option(metavar="C", help="Number of input channels.")] = 1,
    out_channels: Annotated[int, typer.Option(metavar="M", help="Number of filters.")] = 1,
    bias: Annotated[bool, typer.Option(help="Give every filter a bias.")] = True,
    batch: Annotated[int, typer.Option(metavar="N", help="Batch size, for operations and memory.")] = 1,
    dimensions: Annotated[
        int | None, typer.Option(metavar="1|2|3", help="Number of spatial axes, if every size is a single number.")
    ] = None,
    ceil: Annotated[
        bool, typer.Option("--ceil", help="Pooling: keep a last window that is only partly filled (ceil mode).")
    ] = False,
    output: Annotated[
        int | None,
        typer.Option(metavar="N", help="Find kernel, stride and padding for this output size, along one axis."),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the sliding window: .svg, .gif or .png.")
    ] = None,
    json: Json = False,
) -> None:
    """Work out the size, parameters, operations and memory of a layer, with the formulas.

    striate arithmetic conv --input 227 --kernel 11 --stride 4

    striate arithmetic conv --input 28 --output 28 --kernel 5
    """
    from striate.cli.output import Output
    from striate.errors import unknown_name

    shown = Output(json)
    if kind not in KINDS:
        raise unknown_name("arithmetic", kind, KINDS)
    given = {"input": input, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    if kind == "linear":
        return _dense(shown, input, bias)
    if output is not None:
        return _inverse(shown, KINDS[kind], output, ceil, given)
    more = {"groups": groups, "in_channels": in_channels, "out_channels": out_channels, "bias": bias}
    layer = _layer(kind, given, {"batch": batch, "dimensions": dimensions}, more, ceil)
    shown.line(layer)
    if picture is not None:
        shown.line(f"window: {_draw(layer, picture)}")
    return shown.result(_facts(layer))


def _layer(kind: str, given: dict[str, Any], common: dict[str, Any], more: dict[str, Any], ceil: bool) -> Any:
    from striate.cli.parsing import paddings, sizes
    from striate.errors import UsageError
    from striate.worksheets import arithmetic as build

    if given["kernel"] is None:
        raise UsageError("--kernel: is required. Add it, for example --kernel 3.")
    arguments: dict[str, Any] = {key: sizes(given[key], f"--{key}") for key in ("input", "kernel", "dilation")}
    if given["stride"] is not None:
        arguments["stride"] = sizes(given["stride"], "--stride")
    padding = paddings(given["padding"] or "0")
    if kind == "pool":
        channels = more["in_channels"]
        return build.pooling(**arguments, padding=padding, ceil_mode=ceil, channels=channels, **common)
    function = build.convolution if kind == "conv" else build.transposed_convolution
    return function(**arguments, padding=padding, **more, **common)


def _dense(shown: Output, input: str, bias: bool) -> None:
    from striate.cli.parsing import sizes
    from striate.worksheets.arithmetic import dense

    units = sizes(input, "--input")
    result = dense(*(units if isinstance(units, tuple) else (units,)), bias=bias)
    shown.line(result)
    shown.result({"sizes": result.sizes, "parameters": result.parameters, "multiply_adds": result.multiply_adds})


def _inverse(shown: Output, kind: Any, output: int, ceil: bool, given: dict[str, Any]) -> None:
    """Find the settings for an output size; strides other than 1 only where they are needed."""
    from striate.cli.parsing import paddings
    from striate.errors import ShapeError
    from striate.worksheets.arithmetic import solve

    numbers = {key: _one(given[key], f"--{key}") for key in ("input", "kernel", "stride", "dilation")}
    padding: Any = None if given["padding"] is None else paddings(given["padding"])
    padding = padding[0] if isinstance(padding, tuple) and len(padding) == 1 else padding
    known = {
        "kernel": numbers["kernel"],
        "padding": padding,
        "dilation": numbers["dilation"] or 1,
        "ceil_mode": ceil,
    }
    stride, cells = numbers["stride"], numbers["input"] or 0
    try:
        first = stride or (None if kind == "pooling" else 1)
        found = solve(cells, output, kind=kind, stride=first, **known)
    except ShapeError:
        if stride is not None or kind == "pooling":
            raise
        found = solve(cells, output, kind=kind, stride=None, **known)
    shown.line(found)
    settings = [{"kernel": a.kernel, "stride": a.stride, "padding": list(a.padding)} for a in found.settings]
    shown.result({"input": found.input, "output": output, "settings": settings})


def _one(text: str | None, what: str) -> int | None:
    from striate.cli.parsing import sizes
    from striate.errors import UsageError

    number = None if text is None else sizes(text, what)
    if isinstance(number, tuple):
        raise UsageError(f"{what}: --output works along one axis; got {text}. Give one number.")
    return number


def _draw(layer: Any, path: Path) -> Path:
    from striate.cli.files import write_picture, write_text
    from striate.storage.atomic import write_atomically
    from striate.worksheets import animated_gif, animated_svg, sliding_window, window_image

    window = sliding_window(layer)
    if path.suffix.lower() == ".svg":
        return write_text(animated_svg(window), path)
    if path.suffix.lower() == ".gif":
        return write_atomically(path, animated_gif(window))
    return write_picture(window_image(window), path)


def _facts(layer: Any) -> dict[str, Any]:
    names = ("kind", "input_shape", "output_shape", "same_padding", "parameters", "multiply_adds")
    memory = ("input_bytes", "output_bytes", "parameter_bytes")
    return {name: getattr(layer, name) for name in names + memory}
