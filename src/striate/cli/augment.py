"""``striate augment``: see what random changes make of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.options import DataArgument, DataDir, Json


def augment(
    dataset: DataArgument,
    preview: Annotated[Path, typer.Option(metavar="FILE", help="Image to write, such as preview.png.")],
    changes: Annotated[
        str | None,
        typer.Option(
            "--augment",
            metavar="CHANGES",
            help="Random changes, such as 'rotation:10 shift:0.1 horizontal_flip'. (default: chosen from the data)",
        ),
    ] = None,
    samples: Annotated[int, typer.Option(metavar="N", help="Number of samples (rows).")] = 6,
    variants: Annotated[int, typer.Option(metavar="N", help="Number of augmented copies of each (columns).")] = 8,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of the samples and changes.")] = 0,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Show samples before and after augmentation.

    striate augment digits --preview preview.png --augment "rotation:15 shift:0.1"
    """
    from striate.cli.files import write_picture
    from striate.cli.output import Output
    from striate.data import registry
    from striate.data.augmentation.preview import preview as draw
    from striate.errors import UsageError
    from striate.layers.arguments import integer
    from striate.settings import Place
    from striate.training.run.recipes import recipe
    from striate.training.settings.canonical import AUGMENTATION

    output = Output(json)
    data = registry.load(dataset, data_dir, seed).train
    chosen = (
        AUGMENTATION.check(changes, Place("--augment"))
        if changes is not None
        else recipe(data, dataset).augmentation
    )
    if not chosen.transforms:
        raise UsageError(
            f"augment: {dataset} is trained without augmentation. Choose one with --augment, such as rotation:10."
        )
    picture = draw(data, chosen, seed, integer(samples, "samples"), integer(variants, "variants"))
    output.line(f"written: {write_picture(picture, preview)}")
    output.result({"file": str(preview), "augmentation": chosen.to_dict()})
