"""Data sets from folders of images, clips, recordings or texts, one folder per class."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from striate.data import audio, pixels
from striate.data.class_names import class_names
from striate.data.clips import VIDEOS, ClipReader, clips_among, look_like_clips, scan_clip
from striate.data.dataset import Dataset
from striate.data.decoding import Decoded, Reader, bytes_needed, decode_files, scan_files
from striate.data.division import divide
from striate.data.images import ImageReader
from striate.data.options import Options
from striate.data.pixel_cache import cached_rows
from striate.data.problems import BadFile, FileProblem, check_bad_share, printable
from striate.data.splits import SPLITS, Splits
from striate.data.streaming import Stream, is_streamed
from striate.data.text import SUFFIXES, TextReader, Vocabulary, read_text
from striate.data.walk import files_below, find_parts, subfolders
from striate.errors import DataError

PARTS = SPLITS
LEFT_OUT = -1


@dataclass(frozen=True)
class Kind:
    """What is particular to images, clips, recordings or texts."""

    suffixes: Callable[[], frozenset[str]]
    guard: Callable[[], AbstractContextManager[None]]
    scan: Callable[[Path], Any]
    reader: Callable[[list[Any], Options], Reader]


def _image_reader(headers: list[Any], options: Options) -> Reader:
    return ImageReader.for_headers(headers, options.channels, options.size, options.fit)


def _clip_reader(headers: list[Any], options: Options) -> Reader:
    size = options.size if options.size is None or len(options.size) == 2 else None
    return ClipReader.for_headers(headers, options.channels, options.frames, size, options.fit)


def _recording_reader(headers: list[Any], options: Options) -> Reader:
    return audio.RecordingReader.for_headers(headers, options.channels, options.size)


def _text_reader(headers: list[Any], options: Options) -> Reader:
    known = options.preparation.get("text")
    if known is not None:
        return TextReader(Vocabulary.from_dict(known))
    return TextReader(Vocabulary.fit(headers, options.size[0] if options.size else None))


IMAGES = Kind(pixels.image_suffixes, pixels.bombs_refused, pixels.scan, _image_reader)
CLIPS = Kind(lambda: pixels.image_suffixes() | VIDEOS, pixels.bombs_refused, scan_clip, _clip_reader)
RECORDINGS = Kind(lambda: audio.SUFFIXES, contextlib.nullcontext, audio.scan_recording, _recording_reader)
TEXTS = Kind(lambda: SUFFIXES, contextlib.nullcontext, read_text, _text_reader)


@dataclass
class Listing:
    """The files of a source: paths, class numbers and parts, in one order."""

    paths: list[Path]
    below: list[str]
    targets: np.ndarray
    part: np.ndarray
    classes: tuple[str, ...]
    folders: list[Path]
    bad: list[BadFile]


def class_folders(
    root: str | Path, options: Options | None = None, seed: int = 0, validation_fraction: float = 0.1
) -> Splits:
    """Return the splits of a folder that holds one folder of images, clips, recordings or texts per class.

    ``root`` may hold ``train``, ``val`` and ``test`` with the classes inside. Without a test part a fixed one
    is cut, without a validation part one by ``seed``. Hidden files, notebook checkpoints and files of
    other kinds are passed over; damaged ones are left out and listed in ``bad_files``. (A wrong bit in a format
    without checksums, such as JPEG, may leave a picture that can be read, and goes unnoticed.)

    Returns
    -------
    Splits
        Images uint8[N, C, H, W], clips uint8[N, C, frames, H, W], recordings float32[N, C, L], texts
        float32[N, 1, L]; streamed from the cache if they are too large for memory.

    Raises
    ------
    DataError
        If there are fewer than two classes, a class without a readable file, a class of a later part that
        the training part lacks, too many bad files, or no room for the decoded files.
    """
    return file_splits(Path(root), _list(Path(root)), options or Options(), seed, validation_fraction)


def file_splits(root: Path, listing: Listing, options: Options, seed: int, validation_fraction: float) -> Splits:
    """Return the splits of listed files; ``root`` names the source. Raises what `class_folders` does."""
    kind = _kind_of(listing, options)
    listing = _of_clips(listing) if kind is CLIPS else _without_foreign(listing, kind)
    if not listing.paths:
        raise DataError(
            f"{printable(root)}: images, recordings or texts are needed; its folders hold none. "
            "Check that this is the folder that holds a folder for each class."
        )
    groups = _groups(listing.below, options)
    part = _divide(root, listing, groups, options, seed, validation_fraction)
    order = np.concatenate([np.flatnonzero(part == number) for number in range(len(PARTS))])
    paths = [listing.paths[i] for i in order]
    with kind.guard():
        learnt = paths[: int((part == 0).sum())] if kind is TEXTS else paths  # words are learnt from training
        headers = scan_files(learnt, kind.scan) if _must_scan(kind, options) else []
        reader = kind.reader(headers, options)
        decoded = _decode(root, paths, reader, options)
    kept = np.delete(np.arange(len(order)), list(decoded.problems))
    bad = listing.bad + [BadFile(printable(paths[i]), str(problem)) for i, problem in decoded.problems.items()]
    check_bad_share(root, bad, len(kept), options.max_bad_share)
    rows = order[kept]
    parts = _assemble(root, listing, part[rows], rows, decoded.rows, groups)
    if isinstance(reader, TextReader):
        parts = {name: replace(data, symbols=reader.vocabulary.symbols) for name, data in parts.items()}
    return Splits(**parts, bad_files=tuple(sorted(bad)), preparation=reader.preparation)


def _list(root: Path) -> Listing:
    """Return all files below the folders of classes."""
    parts = find_parts(root)
    classes = tuple(subfolders(parts.get("train") or parts["all"]))
    if len(classes) < 2:
        raise DataError(
            f"{printable(root)}: at least 2 folders, one for each class, are needed; got {len(classes)}. "
            "Put the files of each class into a folder with its name."
        )
    listing = Listing([], [], np.zeros(0), np.zeros(0), _names_of(root, parts, classes), [], [])
    targets: list[int] = []
    numbers: list[int] = []
    for name, folder in parts.items():
        for label in subfolders(folder):
            if label not in classes:
                raise DataError(
                    f"{printable(folder)}: class {printable(label)!r} is not among the classes of the training "
                    f"part ({', '.join(listing.classes[:8])}). Rename or remove the folder."
                )
            listing.folders.append(folder / label)
            found = files_below(folder / label, listing.bad)
            listing.paths += found
            listing.below += [path.relative_to(folder / label).as_posix() for path in found]
            targets += [classes.index(label)] * len(found)
            numbers += [PARTS.index(name) if name in PARTS else -1] * len(found)
    listing.targets, listing.part = np.array(targets, np.int64), np.array(numbers, np.int64)
    return listing


def _names_of(root: Path, parts: Mapping[str, Path], classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the classes, from a list in the root or in the folder that holds the parts."""
    inner = parts.get("train", parts.get("all", root))
    for folder in dict.fromkeys((root, inner.parent if "train" in parts else inner)):
        names = class_names(folder, classes)
        if names != tuple(map(printable, classes)):
            return names
    return tuple(map(printable, classes))


def _kind_of(listing: Listing, options: Options) -> Kind:
    for kind in (RECORDINGS, TEXTS):
        suffixes = kind.suffixes()
        if sum(path.suffix.lower() in suffixes for path in listing.paths) > len(listing.paths) / 2:
            return kind
    return CLIPS if options.frames is not None or look_like_clips(listing.folders, listing.paths) else IMAGES


def _of_clips(listing: Listing) -> Listing:
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
    return replace(listing, paths=clips, below=below, targets=listing.targets[rows], part=listing.part[rows])


def _without_foreign(listing: Listing, kind: Kind) -> Listing:
    """Return the listing without the notes and lists that people keep beside their files.

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
        part=listing.part[kept],
    )


def _must_scan(kind: Kind, options: Options) -> bool:
    if kind is TEXTS:
        return "text" not in options.preparation
    if kind is CLIPS:
        return options.size is None or options.channels is None or options.frames is None
    return kind is RECORDINGS or options.size is None or options.channels is None


def _groups(below: list[str], options: Options) -> np.ndarray | None:
    """Return the number of each file's group (int64[N])."""
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


def _divide(
    root: Path,
    listing: Listing,
    groups: np.ndarray | None,
    options: Options,
    seed: int,
    validation_fraction: float,
) -> np.ndarray:
    """Return the part (0 train, 1 validation, 2 test) of each file, decided before any is decoded."""
    part = np.maximum(listing.part, 0)
    if options.fold is not None:
        part[part == PARTS.index("test")] = LEFT_OUT
    given = {PARTS[number] for number in set(listing.part.tolist()) - {-1}}
    learn = np.flatnonzero(part == 0)
    some = None if groups is None else groups[learn]
    name, fraction = printable(root.name), options.test_fraction
    part[learn] = divide(
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
    return part


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
    part: np.ndarray,
    order: np.ndarray,
    rows: Any,
    groups: np.ndarray | None,
) -> dict[str, Any]:
    """Return the parts as views of the rows, in which they follow one another."""
    found: dict[str, Dataset] = {}
    for number, name in enumerate(PARTS):
        places = np.flatnonzero(part == number)
        if len(places) == 0 and number > 0:
            continue
        files = order[places]
        targets = listing.targets[files]
        if number == 0 and len(np.unique(targets)) < len(listing.classes):
            empty = np.setdiff1d(np.arange(len(listing.classes)), targets)[0]
            raise DataError(
                f"{printable(root)}: every class needs a readable file to learn from; class "
                f"{listing.classes[empty]!r} has none. Add files to its folder, or remove it."
            )
        found[name] = Dataset(
            rows.take(places) if isinstance(rows, Stream) else rows[places[0] : places[-1] + 1],
            targets,
            listing.classes,
            printable(root.name),
            None if groups is None else groups[files],
            np.array([printable(listing.paths[i]) for i in files]),
        )
    return found
