"""``striate check``: check calculations from slides or homework."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli.options import Json

if TYPE_CHECKING:
    from striate.worksheets.check import Checked


def check(
    source: Annotated[
        str,
        typer.Argument(metavar='"SUM = RESULT"|FILE', help="A sum with its result, or a text file with several."),
    ],
    json: Json = False,
) -> None:
    """Check a worked calculation: name the wrong cells and show their terms.

    striate check "[[1,2],[3,4]] * [[1,0],[0,1]] = [[6]]"

    striate check "max_pool([[1,2],[3,4]], 2) = [[4]]"

    Ends with status 1 if anything is wrong.
    """
    from striate.cli.output import Output
    from striate.worksheets.check import check as verify

    output = Output(json)
    checked = [verify(text) for text in _sums(source)]
    for one in checked:
        if len(checked) > 1:
            output.line(one.claim.text)
        output.line(one)
    output.result({"sums": [_facts(one) for one in checked]})
    if not all(one.correct for one in checked):
        raise typer.Exit(1)


def _sums(source: str) -> list[str]:
    from striate.errors import DataError, UsageError
    from striate.worksheets.check import split_sums

    if "=" in source and not Path(source).is_file():
        return [source]
    try:
        sums = split_sums(Path(source).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise DataError(
            f'{source}: cannot be read: {reason}. Give a text file, or a sum such as "[1,2] * [1] = [1,2]".'
        ) from None
    if not sums:
        raise UsageError(f"{source}: contains no sum. Write one on each line, such as 28*28*10 + 10 = 7850.")
    return sums


def _facts(one: Checked) -> dict[str, object]:
    return {
        "sum": one.claim.text,
        "correct": one.correct,
        "reading": one.answer.reading,
        "wrong": [list(place) for place in one.wrong],
        "values": one.answer.values.tolist(),
    }
