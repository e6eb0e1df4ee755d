"""``striate import``: convert a model from another program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.options import Json, model_suffix


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A model from another program, such as model.onnx.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Model file to write. (default: FILE.safetensors)",
            callback=model_suffix,
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Network that the weights of a PyTorch file belong to: its name, or a TOML file with its layers.",
        ),
    ] = None,
    classes: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Text file with one class name per line.")
    ] = None,
    pixels: Annotated[
        str | None,
        typer.Option(
            metavar="RANGE", help="Pixel values that the model expects: imagenet, 0..1, -1..1, 0..255 or caffe."
        ),
    ] = None,
    channels: Annotated[
        str, typer.Option(metavar="ORDER", help="Order of colours that the model expects: rgb or bgr.")
    ] = "rgb",
    input_shape: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="[NAME=]CxHxW",
            help="Shape of a sample, if the file leaves it open. Repeat it with names for several inputs.",
        ),
    ] = None,
    constant: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help="Value of an input that is always the same. Can be repeated."),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--output", metavar="NAME", help="Value of an ONNX graph to end with. (default: its outputs)"),
    ] = None,
    targets: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="What outputs mean: classes, labels or numbers. (default: classes where a picture gets scores)",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Convert a model from another program to a striate model.

    striate import yolo.onnx --pixels 0..1

    striate import resnet18-f37072fd.pth --network resnet18

    striate import vgg16.h5 --pixels caffe --channels bgr

    striate import speech.onnx --input audio=512 --constant rate=16000
    """
    from striate.cli.output import Output
    from striate.cli.parsing import named_numbers, named_shapes
    from striate.errors import ModelFileError
    from striate.interop.reading import Wish, read

    output = Output(json)
    shapes, constants = named_shapes(input_shape or [], "--input"), named_numbers(constant or [], "--constant")
    shape = shapes.pop("", None)
    found = read(file, Wish(shape, network, pixels, channels, classes, shapes, constants, end, targets))
    if found.missing:
        name, report = found.model.network.name, "; ".join(found.report)
        raise ModelFileError(
            f"{file}: every array of {name} must be in the file; {report}. Name "
            "the layers as the file does, or none of them: then they are matched in order by shape. To learn the "
            "missing ones, use train --start."
        )
    path = found.model.save(file.with_suffix(".safetensors") if out is None else out)
    for line in found.report:
        output.line(line)
    output.line(f"written: {path}")
    output.result({"written": str(path), "report": list(found.report), "network": found.model.network.name})
