"""What the commands of ``striate draw`` share: their options, and how they read models and write pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import samples as s

if TYPE_CHECKING:
    from striate.explain.tracing import Trace
    from striate.model import Model
    from striate.network import Network


draw = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Image to write: .png, .svg, .pdf, ...")]
Layer = Annotated[
    str | None,
    typer.Option(
        "--layer",
        metavar="NAME",
        help="Layer; striate summary lists them. (default: the first convolution)",
        show_default=False,
    ),
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


def chosen(network: Network, layer: str | None) -> str:
    """Return the layer of an option, or the first convolution."""
    from striate.errors import UsageError
    from striate.explain.diagram.parts import parts_of

    if layer is not None:
        return layer
    for part in parts_of(network, 0):
        if part.kind == "convolution":
            return part.steps[0].name
    raise UsageError(f"{network.name}: has no convolution. Choose a layer with --layer.")


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
