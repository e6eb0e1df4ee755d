"""``striate export``: a model for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.options import Json, ModelArgument
from striate.errors import UsageError


def export(
    model: ModelArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write, such as model.onnx.")],
    without_preprocessing: Annotated[
        bool,
        typer.Option("--without-preprocessing", help="Leave normalisation out: samples come normalised."),
    ] = False,
    to: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="onnx, pytorch (source and weights), weights, page or module."),
    ] = None,
    samples: Annotated[
        str | None,
        typer.Option(
            metavar="DATA", help="Data set whose samples a page offers; the built-in one of the training."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Write a model for other programs; the ending of the file says which, or --to.

    striate export runs/digits-lenet5/model.safetensors digits.onnx

    striate export runs/digits-lenet5/model.safetensors digits.py --to pytorch

    striate export runs/digits-lenet5 digits.html
    """
    import striate
    from striate.cli.output import Output
    from striate.interop.formats import ending_of, write
    from striate.storage.model_file import model_file_of

    output = Output(json)
    target = file if to is None else file.with_suffix(ending_of(to))
    if target.exists() and model_file_of(model).samefile(target):
        raise UsageError(f"{target}: is the model itself; exporting would replace it. Choose another name.")
    written = write(striate.load(model), target, preprocessing=not without_preprocessing, samples=samples)
    output.line("\n".join(f"written: {path}" for path in written))
    output.result({"model": str(model), "written": [str(path) for path in written]})
