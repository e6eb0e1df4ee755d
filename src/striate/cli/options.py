"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.configuration import option
from striate.cli.sources import MODEL_SUFFIX
from striate.errors import UsageError

DATA_HELP = "A data set by name (digits, mnist, ...), a folder or a file."

DataArgument = Annotated[str, typer.Argument(metavar="DATASET", help=DATA_HELP)]
ModelArgument = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file, or the folder of a run.")]


def model_suffix(path: Path | None) -> Path | None:
    """Return ``path``; raises UsageError unless it ends like a model file."""
    if path is not None and path.suffix != MODEL_SUFFIX:
        raise UsageError(f"--out: a model file ends in {MODEL_SUFFIX}; got {path}. Rename it.")
    return path


Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on standard output.")]
Threads = Annotated[int | None, option("threads")]
NoWinograd = Annotated[
    bool, typer.Option("--no-winograd", help="Compute 3x3 convolutions directly: slower, but rounds less.")
]

DataDir = Annotated[Path | None, option("data_dir")]
Size = Annotated[str | None, option("size")]
Channels = Annotated[int | None, option("channels")]
Frames = Annotated[int | None, option("frames")]
Fit = Annotated[str | None, option("fit")]
Shape = Annotated[str | None, option("shape")]
Label = Annotated[str | None, option("label")]
Ignore = Annotated[list[str] | None, option("ignore")]
Missing = Annotated[str | None, option("missing")]
Task = Annotated[str | None, option("task")]
Group = Annotated[str | None, option("group")]
TestFraction = Annotated[float | None, option("test_fraction")]
MaxBadShare = Annotated[float | None, option("max_bad_share")]
Report = Annotated[bool, typer.Option("--report/--no-report", help="Write report.html.", rich_help_panel="Run")]
