"""The files of a source, with their classes and splits, before any is decoded."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from striate.data.class_names import class_names
from striate.data.clips import clips_among, look_like_clips
from striate.data.file_kinds import CLIPS, IMAGES, LOGS, RECORDINGS, TEXTS, Kind
from striate.data.options import Options
from striate.data.problems import BadFile, FileProblem, printable
from striate.data.splits import SPLITS
from striate.data.walk import files_below, find_splits, subfolders
from striate.errors import DataError


@dataclass
class Listing:
    """The files of a source: paths, targets and splits, in one order."""

    paths: list[Path]
    below: list[str]
    targets: np.ndarray
    split: np.ndarray
    classes: tuple[str, ...]
    folders: list[Path]
    bad: list[BadFile]
    target_names: tuple[str, ...] = ()


def list_folder(root: Path, least: int = 2) -> Listing:
    """Return all files below the folders of classes.

    Raises DataError if there are fewer than ``least`` classes, or a split has others.
    """
    splits = find_splits(root)
    classes = tuple(subfolders(splits.get("train") or splits["all"]))
    if len(classes) < least:
        rule = "a folder for each class is" if least == 1 else f"at least {least} folders, one for each class, are"
        raise DataError(
            f"{printable(root)}: {rule} needed; got {len(classes)}. "
            "Put the files of each class into a folder with its name."
        )
    listing = Listing([], [], np.zeros(0), np.zeros(0), _names_of(root, splits, classes), [], [])
    targets: list[int] = []
    numbers: list[int] = []
    for name, folder in splits.items():
        for label in subfolders(folder):
            if label not in classes:
                raise DataError(
                    f"{printable(folder)}: class {printable(label)!r} is not among the classes of the training "
                    f"split ({', '.join(listing.classes[:8])}). Rename or remove the folder."
                )
            listing.folders.append(folder / label)
            found = files_below(folder / label, listing.bad)
            listing.paths += found
            start = len(str(folder / label)) + 1
            listing.below += [str(path)[start:].replace(os.sep, "/") for path in found]
            targets += [classes.index(label)] * len(found)
            numbers += [SPLITS.index(name) if name in SPLITS else -1] * len(found)
    listing.targets, listing.split = np.array(targets, np.int64), np.array(numbers, np.int64)
    return listing


def _names_of(root: Path, splits: Mapping[str, Path], classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the classes, from a list in the root or in the folder that holds the splits."""
    inner = splits.get("train", splits.get("all", root))
    for folder in dict.fromkeys((root, inner.parent if "train" in splits else inner)):
        names = class_names(folder, classes)
        if names != tuple(map(printable, classes)):
            return names
    return tuple(map(printable, classes))


def kind_of(listing: Listing, options: Options) -> Kind:
    """Return the kind that most of the files are."""
    found = Counter(path.suffix.lower() for path in listing.paths)
    for kind in (RECORDINGS, LOGS, TEXTS):
        if sum(found[suffix] for suffix in kind.suffixes()) > len(listing.paths) / 2:
            return kind
    return CLIPS if options.frames is not None or look_like_clips(listing.folders, listing.paths) else IMAGES


def with_clips(listing: Listing) -> Listing:
    """Return the listing of clips in place of their frames."""
    clips = clips_among(listing.paths)
    first: dict[Path, int] = {}
    for place, path in enumerate(listing.paths):
        first.setdefault(path, place)
        first.setdefault(path.parent, place)
    rows = [first[clip] for clip in clips]
    below = [
        listing.below[row] if clip.is_file() else str(Path(listing.below[row]).parent)
        for clip, row in zip(clips, rows, strict=True)
    ]
    return replace(listing, paths=clips, below=below, targets=listing.targets[rows], split=listing.split[rows])


def without_foreign(listing: Listing, kind: Kind) -> Listing:
    """Return the listing without notes and lists that lie among the files.

    A file whose name does not end like one of this kind is kept if it is one all the same.
    """

    def belongs(path: Path) -> bool:
        if path.suffix.lower() in suffixes:
            return True
        try:
            kind.scan(path)
        except FileProblem as problem:
            return not problem.foreign
        return True

    suffixes = kind.suffixes()
    with kind.guard():
        kept = [i for i, path in enumerate(listing.paths) if belongs(path)]
    return replace(
        listing,
        paths=[listing.paths[i] for i in kept],
        below=[listing.below[i] for i in kept],
        targets=listing.targets[kept],
        split=listing.split[kept],
    )


def group_numbers(below: list[str], options: Options) -> np.ndarray | None:
    """Return the number of each file's group (int64[N]); raises DataError if the pattern does not match a path."""
    pattern = options.group_pattern()
    if pattern is None:
        return None
    names = []
    for path in below:
        match = pattern.search(path)
        if match is None:
            raise DataError(
                f"{printable(path)}: the group pattern {options.group!r} matches nothing in this path. "
                "Use a pattern that matches every file."
            )
        names.append(match.group(1) if pattern.groups else match.group())
    return np.unique(np.array(names), return_inverse=True)[1]
