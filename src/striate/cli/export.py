"""``striate export``: a model for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.options import Json, ModelArgument


def export(
    model: ModelArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write, such as model.onnx.")],
    without_preprocessing: Annotated[
        bool,
        typer.Option("--without-preprocessing", help="Leave normalisation out: samples come normalised."),
    ] = False,
    json: Json = False,
) -> None:
    """Write a model for other programs; the ending of the file says which.

    striate export runs/digits-lenet5/model.safetensors digits.onnx
    """
    import striate
    from striate.cli.output import Output
    from striate.interop.formats import write

    output = Output(json)
    written = write(striate.load(model), file, preprocessing=not without_preprocessing)
    output.line("\n".join(f"written: {path}" for path in written))
    output.result({"model": str(model), "written": [str(path) for path in written]})
