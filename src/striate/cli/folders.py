"""Where a run is kept."""

from __future__ import annotations

from pathlib import Path

from striate.cli.ending import check_writable

RUNS = Path("runs")
MODEL_FILE = "model.safetensors"
KEPT_FILE = "model.previous.safetensors"


def run_folder(out: Path | None, dataset: str, model: str) -> Path:
    """Return a folder that can be written to: ``out``, or a new one such as ``runs/digits-lenet5``.

    A folder is made before training begins, so that a place without rights or room is known at once.

    Raises
    ------
    OSError
        If it cannot be written to.
    """
    if out is not None:
        check_writable(out)
        return out
    stem = f"{Path(dataset).stem or 'data'}-{Path(model).stem}"
    RUNS.mkdir(exist_ok=True)
    for number in range(1, 1_000_000):
        folder = RUNS / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        check_writable(folder)
        return folder
    raise FileExistsError(f"{RUNS / stem}: all numbers are taken")


def keep_previous(folder: Path) -> Path | None:
    """Set a model that ``folder`` holds already aside; return where it is then, or None."""
    path = folder / MODEL_FILE
    if not path.exists():
        return None
    return path.replace(folder / KEPT_FILE)
