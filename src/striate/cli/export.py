"""``striate export``: a model for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli import options as o
from striate.cli.options import Json, ModelArgument
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.data.options import Options
    from striate.model import Model


def export(
    context: typer.Context,
    model: ModelArgument,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Where to write, such as model.onnx.", show_default=False),
    ] = None,
    without_preprocessing: Annotated[
        bool,
        typer.Option("--without-preprocessing", help="Leave normalisation out: inputs must be normalised already."),
    ] = False,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            help="onnx, pytorch (source and weights), weights, page, module, or library (for C).",
        ),
    ] = None,
    samples: Annotated[
        str | None,
        typer.Option(
            metavar="DATA", help="Data set whose samples a page offers. (default: the training data, if built in)"
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="PATH", help="Same as FILE; for a library, the folder to write.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="TARGET",
            help="Processor of a library: native, x86-64-v2, x86-64-v3, x86-64-v4, aarch64, armv7, cortex-m4, "
            "cortex-m7, riscv64, riscv64-v, or a triple such as aarch64-linux-android. (default: native)",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Prefix of a library's files and functions. (default: model)"),
    ] = None,
    live: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Write a page in which a network learns this data set. MODEL may be a saved model, a network by "
            "name, or a .toml file with layers; without MODEL, the page offers lists of layers.",
        ),
    ] = None,
    data_dir: o.DataDir = None,
    label: o.Label = None,
    size: o.Size = None,
    json: Json = False,
) -> None:
    """Write a model in the format of another program, chosen by the file's extension or --to.

    striate export runs/digits-lenet5/model.safetensors digits.onnx

    striate export runs/digits-lenet5/model.safetensors digits.py --to pytorch

    striate export runs/digits-lenet5 digits.html

    striate export runs/digits-lenet5/model.safetensors --to library --target cortex-m7 --out firmware/digits

    striate export --live digits learn.html

    striate export --live digits net.toml learn.html
    """
    from striate.cli.configuration import data_options
    from striate.cli.output import Output
    from striate.interop.writing import LIBRARY

    output, note = Output(json), ""
    if live is not None:
        if to or samples or target or name or without_preprocessing:
            raise UsageError(
                "--live: writes a page in which a network learns; --to, --samples, --target, --name and "
                "--without-preprocessing are for other formats. Leave them out."
            )
        written = [_live(live, model, _at_most_one(file, out), data_dir, data_options(context.params))]
    elif data_dir or label or size:
        raise UsageError("--data-dir, --label, --size: only apply to the data of --live. Leave them out.")
    elif to == LIBRARY:
        if without_preprocessing or samples is not None:
            raise UsageError(
                "--without-preprocessing, --samples: a library normalises its samples and has none of its own. "
                "Leave them out."
            )
        written = _library(model, _only_path(file, out), target or "native", name or "model")
    else:
        if target is not None or name is not None:
            raise UsageError("--target, --name: are for libraries. Add --to library, or leave them out.")
        written, note = _file(model, _only_path(file, out), to, not without_preprocessing, samples)
    output.line("\n".join([*(f"written: {path}" for path in written), *([note] if note else [])]))
    output.result({"model": str(model) if live is None else None, "written": [str(path) for path in written]})


def _library(model: Path, folder: Path, target: str, name: str) -> list[Path]:
    import striate
    from striate.interop.writing import write_library

    return write_library(striate.load(model), folder, target, name)


def _file(
    model: Path, path: Path, to: str | None, preprocessing: bool, samples: str | None
) -> tuple[list[Path], str]:
    """Write a model as one format; return the files and what else the user should know."""
    import striate
    from striate.interop.pytorch.source import weights_of
    from striate.interop.writing import ending_of, write
    from striate.storage.model_file import model_file_of

    path = path if to is None else path.with_suffix(ending_of(to))
    for file in (path, weights_of(path)) if path.suffix.lower() == ".py" else (path,):
        if file.exists() and model_file_of(model).samefile(file):
            raise UsageError(f"{file}: is the model itself; exporting would replace it. Choose another name.")
    loaded = striate.load(model)
    written = write(loaded, path, preprocessing=preprocessing, samples=samples)
    return written, _without_samples(loaded) if path.suffix.lower() == ".html" and samples is None else ""


def _without_samples(model: Model) -> str:
    """Return a line that says that a page has no samples to try; empty if the model brings some."""
    from striate.pages.samples import built_in

    return "" if built_in(model) else "The page offers no samples. To add some, name their data set with --samples."


def _at_most_one(file: Path | None, out: Path | None) -> Path | None:
    if file is not None and out is not None:
        raise UsageError(f"FILE, --out: only one of them can be given; got {file} and {out}. Leave one out.")
    return file or out


def _only_path(file: Path | None, out: Path | None) -> Path:
    path = _at_most_one(file, out)
    if path is None:
        raise UsageError("FILE: is required. Name a file such as model.onnx, or a folder with --out.")
    return path


def _live(data: str, model: Path, file: Path | None, folder: Path | None, options: Options) -> Path:
    """Write a page in which a network learns; without a network, the page is the only argument."""
    from striate.pages import live

    page, network = (model, None) if file is None else (file, str(model))
    if page.suffix.lower() != ".html":
        raise UsageError(f"{page}: the name of a page must end in .html. Rename it.")
    return live.write(data, page, folder, options, network)
