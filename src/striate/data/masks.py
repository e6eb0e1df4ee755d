"""Images with a class for every pixel: a folder of images, and a folder of masks with the same file names."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from striate.data.bombs import bombs_refused
from striate.data.class_names import class_names
from striate.data.dataset import Dataset
from striate.data.decoding import scan_files
from striate.data.images import ImageReader
from striate.data.options import Options
from striate.data.pixels import COLOUR, decode_mask, image_suffixes, scan
from striate.data.problems import BadFile, FileProblem, check_bad_share, printable
from striate.data.walk import SPLIT_NAMES, files_below, subfolders
from striate.errors import DataError

IMAGES = ("images", "image", "imgs", "img")
MASKS = ("masks", "mask", "labels", "annotations", "segmentation")
ENDINGS = ("", "_mask", "-mask", "_seg", "_label", "_gt")
MOST_CLASSES = 64
TWO = ("background", "object")
Pairs = list[tuple[Path, Path]]


class Read(NamedTuple):
    """Images that could be read with their masks: paths, uint8[N, C, H, W], and values, int64[N, H, W]."""

    kept: list[Path]
    images: np.ndarray
    maps: np.ndarray


def mask_folders(root: Path) -> dict[str, tuple[Path, Path]]:
    """Return the folders of images and of masks of every split ("all" without splits); none if there are none."""
    lower = {name.lower(): root / name for name in subfolders(root)}
    whole = _folders_in(root)
    if whole is not None:
        return {"all": whole} if len(lower) == 2 else {}
    splits = {split: lower[word] for split, words in SPLIT_NAMES.items() for word in words[::-1] if word in lower}
    found = {split: _folders_in(folder) for split, folder in splits.items()}
    return {split: pair for split, pair in found.items() if pair is not None} if found.get("train") else {}


def _folders_in(folder: Path) -> tuple[Path, Path] | None:
    """Return the folder of images and that of masks, if all masks are images too."""
    lower = {name.lower(): folder / name for name in subfolders(folder)}
    images = next((lower[name] for name in IMAGES if name in lower), None)
    masks = next((lower[name] for name in MASKS if name in lower), None)
    if images is None or masks is None:
        return None
    return (images, masks) if any(path.suffix.lower() in image_suffixes() for path in masks.iterdir()) else None


def mask_parts(root: Path, options: Options) -> tuple[dict[str, Dataset], tuple[BadFile, ...]]:
    """Return the data sets of images with masks ("train", "validation", "test", or "all"), and what was left out.

    Images are uint8[N, C, H, W], targets int64[N, H, W]. A class is a value of the masks: a number of a palette, a
    grey level or a colour. Names come from a list in the root (``0 road`` on every line, or ``#ff0000 road``).
    Images without a mask, or with one of another size, and damaged files are left out.

    Raises
    ------
    DataError
        If too many have to be left out, or the masks hold too many values.
    """
    bad: list[BadFile] = []
    with bombs_refused():
        pairs = {split: _pairs(*folders, bad) for split, folders in mask_folders(root).items()}
        paths = [image for split in pairs.values() for image, _ in split]
        check_bad_share(root, bad, len(paths), options.max_bad_share)
        reader = ImageReader.for_headers(scan_files(paths, scan), options.channels, options.size, options.fit)
        read = {split: _read(found, reader, bad) for split, found in pairs.items()}
    check_bad_share(root, bad, sum(len(part.kept) for part in read.values()), options.max_bad_share)
    values = np.unique(np.concatenate([np.unique(part.maps) for part in read.values()]))
    if len(values) > MOST_CLASSES:
        raise DataError(
            f"{printable(root)}: masks may hold {MOST_CLASSES} values, one for each class; got {len(values)}. "
            "Save them as PNG, without smoothing."
        )
    classes = _names(root, values)
    name = printable(root.name)
    found = {
        split: Dataset(
            part.images,
            np.searchsorted(values, part.maps),
            classes,
            name,
            files=np.array([printable(image) for image in part.kept]),
        )
        for split, part in read.items()
        if part.kept or split in ("train", "all")
    }
    return found, tuple(sorted(bad))


def _pairs(images: Path, masks: Path, bad: list[BadFile]) -> Pairs:
    """Return every image with its mask; those without one go to ``bad``."""
    known = {path.relative_to(masks).with_suffix("").as_posix(): path for path in files_below(masks, [])}
    pairs, missing = [], f"it has no mask of the same name in {printable(masks)}"
    for image in files_below(images, []):
        if image.suffix.lower() not in image_suffixes():
            continue
        stem = image.relative_to(images).with_suffix("").as_posix()
        mask = next((known[stem + ending] for ending in ENDINGS if stem + ending in known), None)
        if mask is None:
            bad.append(BadFile(printable(image), missing))
        else:
            pairs.append((image, mask))
    if not pairs and not bad:
        raise DataError(f"{printable(images)}: holds no images. Check that this is the right folder.")
    return pairs


def _read(pairs: Pairs, reader: ImageReader, bad: list[BadFile]) -> Read:
    """Return the images that could be read, uint8[N, C, H, W], and the values of their masks, int64[N, H, W]."""
    images = np.empty((len(pairs), *reader.shape), np.uint8)
    maps = np.empty((len(pairs), *reader.size), np.int64)
    kept: list[Path] = []
    for image, mask in pairs:
        path = image
        try:
            images[len(kept)], size = reader.read(image), scan(image).size
            path = mask
            found = decode_mask(mask, reader.size, reader.fit)
            if found.size != size:
                raise FileProblem(
                    f"must have the size of its image, {size[0]} x {size[1]}; got {found.size[0]} x {found.size[1]}"
                )
        except FileProblem as problem:
            bad.append(BadFile(printable(path), str(problem)))
            continue
        maps[len(kept)] = found.values
        kept.append(image)
    return Read(kept, images[: len(kept)], maps[: len(kept)])


def _names(root: Path, values: np.ndarray) -> tuple[str, ...]:
    codes = [f"#{value - COLOUR:06x}" if value >= COLOUR else str(value) for value in values.tolist()]
    names = class_names(root, codes)
    return TWO if len(codes) == 2 and names == tuple(codes) else names
