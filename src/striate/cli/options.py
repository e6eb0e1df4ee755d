"""Arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataArgument = Annotated[str, typer.Argument(metavar="DATASET", help="digits, mnist, ...; or a folder or file.")]
ModelArgument = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file (.safetensors).")]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="Where the files of a named data set are; else downloaded."),
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", metavar="T", help="Threads to use; default all cores. Changes no bit of the result."),
]
Json = Annotated[bool, typer.Option("--json", help="End standard output with one JSON object.")]
