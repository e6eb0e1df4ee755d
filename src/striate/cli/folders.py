"""Where runs are kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from striate.cli.ending import check_writable

RUNS = Path("runs")


@contextmanager
def run_folder(out: Path | None, dataset: str, model: str | None) -> Iterator[Path]:
    """Return a folder that can be written to: ``out``, or a new one such as ``runs/digits-lenet5``.

    It is called after the data alone if ``model`` is None.

    It is made before anything else happens, so that a place without rights or room is known at once, and
    removed again if it is still empty in the end.

    Raises
    ------
    OSError
        If it cannot be written to.
    """
    made = None if out is not None and out.exists() else out
    if out is None:
        stem = Path(dataset).stem or "data"
        out = made = _new_folder(stem if model is None else f"{stem}-{Path(model).stem}")
    try:
        check_writable(out)
        yield out
    finally:
        if made is not None:
            with contextlib.suppress(OSError):
                made.rmdir()


def _new_folder(stem: str) -> Path:
    RUNS.mkdir(exist_ok=True)
    for number in range(1, 1_000_000):
        folder = RUNS / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{RUNS / stem}: all numbered folders of this name are taken")
