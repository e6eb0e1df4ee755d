"""``striate check``: check calculations from slides or homework."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.options import Json

if TYPE_CHECKING:
    from striate.cli.output import Output
    from striate.worksheets.check import Checked

NO_SUM = "Write one on each line, such as 28*28*10 + 10 = 7850."


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

    output = Output(json)
    if "=" in source and not Path(source).is_file():
        found = [_check(source, output)]
    else:
        found = _check_file(source, output)
    output.result({"sums": found})
    if not all(one["correct"] for one in found):
        raise typer.Exit(1)


def _check(text: str, output: Output) -> dict[str, Any]:
    from striate.worksheets.check import check as verify

    checked = verify(text)
    output.line(checked)
    return _facts(checked)


def _check_file(source: str, output: Output) -> list[dict[str, Any]]:
    """Check all sums of a file; one that cannot be read is reported in its place."""
    from striate.errors import UsageError

    found = []
    for line, text in _sums(source):
        output.line(f"{source}:{line}: {text}")
        try:
            facts = _check(text, output)
        except UsageError as error:
            output.line(error)
            facts = {"sum": text, "correct": False, "error": str(error)}
        found.append({"line": line, **facts})
    return found


def _sums(source: str) -> list[tuple[int, str]]:
    from striate.data.encoding import text_of_file
    from striate.errors import DataError, UsageError
    from striate.worksheets.check import numbered_sums

    if not source.strip():
        raise UsageError(f"check: contains no sum; got an empty text. {NO_SUM}")
    try:
        text = text_of_file(Path(source).read_bytes())
        reason = "it is not text" if "\0" in text else ""
    except OSError as error:
        text, reason = "", error.strerror or str(error)
    if reason:
        raise DataError(
            f'{source}: cannot be read: {reason}. Give a text file, or a sum such as "[1,2] * [1] = [1,2]".'
        )
    sums = list(numbered_sums(text))
    if not sums:
        raise UsageError(f"{source}: contains no sum. {NO_SUM}")
    return sums


def _facts(one: Checked) -> dict[str, Any]:
    return {
        "sum": one.claim.text,
        "correct": one.correct,
        "reading": one.answer.reading,
        "wrong": [list(place) for place in one.wrong],
        "values": one.answer.values.tolist(),
    }
