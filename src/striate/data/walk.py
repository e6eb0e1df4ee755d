"""The files of a folder that holds one folder per class."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from striate.data.problems import BadFile, printable
from striate.errors import DataError

SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
IGNORED = ("__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini")
RUNS, RUN_FILE = "runs", "config.toml"
"""Where the command line puts runs, and what every run has."""
MAX_WRAPPERS = 4  # folders around the folder that holds the classes


def find_splits(root: Path, wrappers: int = MAX_WRAPPERS) -> dict[str, Path]:
    """Return the folders of classes by split: "train" and any others, or "all" for a root without splits.

    A folder that holds nothing but one folder, as archives often do, stands for it.
    """
    folders = subfolders(root)
    lower = {name.lower(): name for name in folders}
    splits = {
        split: root / lower[word] for split, words in SPLIT_NAMES.items() for word in words[::-1] if word in lower
    }
    if "train" in splits:
        return splits
    if wrappers and len(folders) == 1 and len(visible(root)) == 1 and subfolders(root / folders[0]):
        return find_splits(root / folders[0], wrappers - 1)
    return {"all": root}


def subfolders(folder: Path) -> list[str]:
    """Return the names of the folders inside, sorted, without hidden ones and those that hold runs of striate."""
    return sorted(entry.name for entry in visible(folder) if os.path.isdir(entry) and not _holds_runs(entry))


def _holds_runs(folder: os.DirEntry[str]) -> bool:
    """Return whether a folder is that of a run, or holds such folders or empty ones (``runs``)."""
    inside = Path(folder)
    if (inside / RUN_FILE).is_file():
        return True
    if folder.name != RUNS:
        return False
    with contextlib.suppress(OSError):
        return any(inside.glob(f"*/{RUN_FILE}")) or all(
            item.is_dir() and not any(item.iterdir()) for item in inside.iterdir()
        )
    return False


def visible(folder: Path) -> list[os.DirEntry[str]]:
    """Return the entries of a folder by name, without hidden files, notebook checkpoints and system files.

    Raises DataError if the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if not entry.name.startswith(".") and entry.name not in IGNORED]
    except OSError as error:
        raise DataError(f"{printable(folder)}: cannot be read ({error.strerror}). Check the path.") from error
    return sorted(found, key=lambda entry: os.fsencode(entry.name))


def files_below(folder: Path, bad: list[BadFile]) -> list[Path]:
    """Return all files at any depth, in the order of their names; add links that cannot be followed to ``bad``."""
    above = [folder, *folder.absolute().parents]
    return list(_walk(folder, bad, frozenset(map(_identity, above))))


def _walk(folder: Path, bad: list[BadFile], above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    try:
        entries = visible(folder)
    except DataError as error:
        bad.append(BadFile(printable(folder), str(error.__cause__)))
        return
    for entry in entries:
        path = folder / entry.name
        try:
            if entry.is_file():  # known from the folder, unless it is a link
                yield path
                continue
            mode = path.stat().st_mode
        except OSError as error:
            reason = "the link leads nowhere" if entry.is_symlink() else f"cannot be read ({error.strerror})"
            bad.append(BadFile(printable(path), reason))
            continue
        if stat.S_ISDIR(mode):
            identity = _identity(path)
            if identity in above:
                bad.append(BadFile(printable(path), "the link leads back to a folder above it"))
            else:
                yield from _walk(path, bad, above | {identity})
        else:
            bad.append(BadFile(printable(path), "not a regular file"))


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
