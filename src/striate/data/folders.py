"""Data sets from folders of images, clips, recordings, logs or texts, one folder per class."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.audio import RecordingReader
from striate.data.dataset import Dataset
from striate.data.decoding import Decoded, Reader, bytes_needed, decode_files, scan_files
from striate.data.division import divide
from striate.data.file_kinds import CLIPS, LOGS, TEXTS, Kind, must_scan
from striate.data.listing import Listing, group_numbers, kind_of, list_folder, with_clips, without_foreign
from striate.data.logs import LogReader
from striate.data.options import Options
from striate.data.pixel_cache import cached_rows
from striate.data.problems import BadFile, check_bad_share, printable
from striate.data.splits import SPLITS, Splits
from striate.data.streaming import Stream, is_streamed
from striate.data.text import TextReader
from striate.errors import DataError

LEFT_OUT = -1


def class_folders(
    root: str | Path, options: Options | None = None, seed: int = 0, validation_fraction: float = 0.1
) -> Splits:
    """Return the splits of a folder that holds one folder of images, clips, recordings, logs or texts per class.

    ``root`` may hold ``train``, ``val`` and ``test`` with the classes inside. Without a test split a fixed one
    is cut, without a validation split one by ``seed``. Hidden files, notebook checkpoints and files of
    other kinds are passed over; damaged ones are left out and listed in ``bad_files``. (A wrong bit in a format
    without checksums, such as JPEG, may leave a picture that can be read, and goes unnoticed.)

    Returns
    -------
    Splits
        Images uint8[N, C, H, W], clips uint8[N, C, frames, H, W], recordings and logs float32[N, C, L], texts
        float32[N, 1, L]; streamed from the cache if they are too large for memory.

    Raises
    ------
    DataError
        If there are fewer than two classes (one for a model that knows them), a class without a readable file, a
        class of a later split that the training split lacks, too many bad files, or no room for the decoded files.
    """
    options = options or Options()
    if options.label is not None:
        raise DataError(
            f"{printable(root)}: the folders are the classes; got the label {options.label!r} too. "
            "Leave out --label, or give a table."
        )
    least = 2 if options.axes is None else 1  # a model knows its classes
    return file_splits(Path(root), list_folder(Path(root), least), options, seed, validation_fraction)


def file_splits(root: Path, listing: Listing, options: Options, seed: int, validation_fraction: float) -> Splits:
    """Return the splits of listed files; ``root`` names the source. Raises what `class_folders` does."""
    kind = kind_of(listing, options)
    found, listing = listing, with_clips(listing) if kind is CLIPS else without_foreign(listing, kind)
    if not listing.paths:
        raise DataError(
            f"{printable(root)}: images, recordings, series or texts are needed; {_instead(found.paths)}"
        )
    _check_axes(root, kind, options)
    _check_columns(root, kind, options)
    groups = group_numbers(listing.below, options)
    split = _divide(root, listing, groups, options, seed, validation_fraction)
    order = np.concatenate([np.flatnonzero(split == number) for number in range(len(SPLITS))])
    paths = [listing.paths[i] for i in order]
    with kind.guard():
        learnt = paths[: int((split == 0).sum())] if kind is TEXTS else paths  # words are learnt from training
        headers = scan_files(learnt, kind.scan) if must_scan(kind, options) else []
        reader = kind.reader(headers, options)
        decoded = _decode(root, paths, reader, options)
    kept = np.delete(np.arange(len(order)), list(decoded.problems))
    bad = listing.bad + [BadFile(printable(paths[i]), str(problem)) for i, problem in decoded.problems.items()]
    check_bad_share(root, bad, len(kept), options.max_bad_share)
    rows = order[kept]
    splits = _assemble(root, listing, split[rows], rows, decoded.rows, groups)
    if isinstance(reader, TextReader):
        splits = {name: replace(data, symbols=reader.vocabulary.symbols) for name, data in splits.items()}
    notes = () if kind is CLIPS else _passed_over(found.paths, listing.paths, kind)
    if isinstance(reader, LogReader | RecordingReader):
        notes = (reader.note, *notes)
    return Splits(**splits, notes=notes, bad_files=tuple(sorted(bad)), preparation=reader.preparation)


def _check_axes(root: Path, kind: Kind, options: Options) -> None:
    """Raise DataError if a model takes other samples: read in its size, files could fill the disk."""
    if options.axes not in (None, kind.axes):
        raise DataError(
            f"{printable(root)}: the model takes samples with {options.axes} axes, channels included; "
            f"{kind.title} have {kind.axes}. Use data of the kind it was trained on."
        )


def _check_columns(root: Path, kind: Kind, options: Options) -> None:
    """Raise DataError for columns where there are none."""
    if options.ignore and kind is not LOGS:
        raise DataError(
            f"{printable(root)}: {kind.title} have no columns; got {options.ignore[0]!r} to leave out. "
            "Leave out --ignore."
        )


def _passed_over(found: list[Path], read: list[Path], kind: Kind) -> tuple[str, ...]:
    """Return a line about the files of other kinds, if there are any."""
    others = Counter(path.suffix.lower() or path.name for path in sorted(set(found) - set(read)))
    if not others:
        return ()
    named = ", ".join(f"{count:,} {suffix}" for suffix, count in others.most_common(8))
    return (f"not read, because they are not {kind.title} of a supported format: {named}",)


def _instead(paths: list[Path]) -> str:
    """Return what a folder without any known kind of file holds, and what to do about it."""
    suffixes = Counter(path.suffix.lower() for path in paths)
    if suffixes[".npy"] > len(paths) / 2:
        return (
            f"got {suffixes['.npy']:,} .npy files. Stack their arrays into x [N, ...] of an .npz file, and their "
            "classes into y [N]."
        )
    if paths:
        kinds = ", ".join(sorted(suffix or "no suffix" for suffix in suffixes)[:8])
        return f"got files of other kinds ({kinds}). Convert them, for instance to .png, .wav or .txt."
    return "its folders hold none. Check that this folder contains one folder for each class."


def _divide(
    root: Path,
    listing: Listing,
    groups: np.ndarray | None,
    options: Options,
    seed: int,
    validation_fraction: float,
) -> np.ndarray:
    """Return the split (0 train, 1 validation, 2 test) of each file, decided before any is decoded."""
    split: np.ndarray = np.maximum(listing.split, 0)
    if options.fold is not None:
        split[split == SPLITS.index("test")] = LEFT_OUT
    given = {SPLITS[number] for number in set(listing.split.tolist()) - {-1}}
    learn = np.flatnonzero(split == 0)
    some = None if groups is None else groups[learn]
    name, fraction = printable(root.name), options.test_fraction
    split[learn] = divide(
        listing.targets[learn],
        some,
        given,
        fraction,
        validation_fraction,
        seed,
        name,
        listing.classes,
        options.fold,
    )
    return split


def _decode(root: Path, paths: list[Path], reader: Reader, options: Options) -> Decoded:
    """Decode into memory, or into the cache where the samples are streamed."""

    def fill(rows: np.ndarray) -> Decoded:
        return decode_files(paths, reader, rows, options.progress)

    if is_streamed(options.read, bytes_needed(len(paths), reader)):
        return cached_rows(root, paths, reader, fill)
    return fill(np.empty((len(paths), *reader.shape), reader.dtype))


def _assemble(
    root: Path,
    listing: Listing,
    split: np.ndarray,
    order: np.ndarray,
    rows: Any,
    groups: np.ndarray | None,
) -> dict[str, Any]:
    """Return the splits as views of the rows, which hold one split after the other."""
    found: dict[str, Dataset] = {}
    for number, name in enumerate(SPLITS):
        places = np.flatnonzero(split == number)
        if len(places) == 0 and number > 0:
            continue
        files = order[places]
        targets = listing.targets[files]
        if number == 0 and targets.ndim == 1 and len(np.unique(targets)) < len(listing.classes):
            empty = np.setdiff1d(np.arange(len(listing.classes)), targets)[0]
            raise DataError(
                f"{printable(root)}: every class needs a readable training file; class "
                f"{listing.classes[empty]!r} has none. Add files to its folder, or remove it."
            )
        found[name] = Dataset(
            rows.take(places) if isinstance(rows, Stream) else rows[places[0] : places[-1] + 1],
            targets,
            listing.classes,
            printable(root.name),
            None if groups is None else groups[files],
            np.array([printable(listing.paths[i]) for i in files]),
            target_names=listing.target_names,
        )
    return found
