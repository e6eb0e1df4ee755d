"""``striate find-patch``: find a small picture in a large one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli.options import Json

if TYPE_CHECKING:
    import numpy as np


def find_patch(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help='A picture, or numbers: "[[0,1],[1,0]]".')],
    patch: Annotated[
        str | None, typer.Argument(metavar="[PATCH]", help="A smaller image, or numbers.", show_default=False)
    ] = None,
    cut: Annotated[
        str | None,
        typer.Option(metavar="R,C,H,W", help="Cut the patch out of IMAGE: ROW,COLUMN,SIZE.", show_default=False),
    ] = None,
    best: Annotated[int, typer.Option(metavar="N", help="Number of matches to report.")] = 5,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the image with the matches.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Slide a patch over an image and report where it matches best.

    striate find-patch photo.jpg eye.png --picture found.png

    striate find-patch photo.jpg --cut 120,80,24,32
    """
    import numpy as np

    from striate.cli.files import read_numbers, write_figure
    from striate.cli.output import Output
    from striate.errors import UsageError
    from striate.worksheets.template import draw_template_search, template_search

    if (patch is None) == (cut is None):
        raise UsageError("find-patch: needs either PATCH or --cut. Write: striate find-patch photo.jpg patch.png")
    whole = read_numbers(image)
    part = read_numbers(patch) if patch is not None else _cut(whole, cut or "")
    if part.ndim == 2 and whole.ndim == 3:
        part = np.broadcast_to(part, (len(whole), *part.shape))
    result = template_search(whole, part, best=best)
    output = Output(json)
    output.line(result)
    if picture is not None:
        output.line(f"picture: {write_figure(draw_template_search(whole, result), picture)}")
    matches = [{"row": match.row, "column": match.column, "score": match.score} for match in result.matches]
    output.result({"patch": result.patch_size, "matches": matches})


def _cut(whole: np.ndarray, text: str) -> np.ndarray:
    from striate.errors import UsageError

    rows, columns = whole.shape[-2:]
    numbers = [int(part) for part in text.split(",") if part.strip().isdecimal()]
    inside = len(numbers) == text.count(",") + 1 == 4 and min(numbers[2:]) > 0
    if not inside or numbers[0] + numbers[2] > rows or numbers[1] + numbers[3] > columns:
        raise UsageError(
            f"--cut: is row,column,rows,columns inside {rows} x {columns}; got {text!r}. Write --cut 0,0,8,8."
        )
    top, left, height, width = numbers
    return whole[..., top : top + height, left : left + width]
