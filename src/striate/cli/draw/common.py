"""What the commands of ``striate draw`` share: their options, and how they read models and write pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import samples as s

if TYPE_CHECKING:
    from striate.explain.tracing import Trace
    from striate.model import Model


draw = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Image to write: .png, .svg, .pdf, ...")]
LayerNeeded = Annotated[
    str, typer.Option("--layer", metavar="NAME", help="Layer, such as conv1; striate summary lists them.")
]
ChannelNeeded = Annotated[int, typer.Option("--channel", metavar="C", help="Channel or feature, from 0.")]
DataNeeded = Annotated[
    str, typer.Argument(metavar="DATASET", help="A data set by name (digits, mnist, ...), a folder or a file.")
]


@draw.callback()
def _about() -> None:
    """Draw filters, feature maps, attributions and receptive fields of a model."""


def load(path: Path) -> Model:
    """Return the model in a file or run."""
    import striate

    return striate.load(path)


def trace_of(path: Path, image: str, fit: str | None, invert: bool, folder: Path | None) -> Trace:
    """Return the values of a network for an image, as the options say to read it."""
    from striate.explain.tracing import trace

    model = load(path)
    return trace(model, s.read(model, image, fit, invert, folder))


def write(axes: Any, out: Path, json: bool = False, facts: dict[str, Any] | None = None) -> None:
    """Write a drawing; with --json, print its metadata."""
    from striate.cli.files import write_figure
    from striate.cli.output import Output

    output = Output(json)
    output.line(f"written: {write_figure(axes, out)}")
    output.result({"picture": str(out), **(facts or {})})
