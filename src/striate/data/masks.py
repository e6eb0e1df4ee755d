"""Images with a class for every pixel: a folder of images, and a folder of masks with the same file names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from striate.data.bombs import bombs_refused
from striate.data.class_names import class_names
from striate.data.dataset import Dataset
from striate.data.decoding import scan_files
from striate.data.images import ImageReader
from striate.data.options import Options
from striate.data.pixels import COLOUR, decode_mask, image_suffixes, scan
from striate.data.problems import FileProblem, printable
from striate.data.walk import SPLIT_NAMES, files_below, subfolders
from striate.errors import DataError

IMAGES = ("images", "image", "imgs", "img")
MASKS = ("masks", "mask", "labels", "annotations", "segmentation")
ENDINGS = ("", "_mask", "-mask", "_seg", "_label", "_gt")
MOST_CLASSES = 64
TWO = ("background", "object")
Pairs = list[tuple[Path, Path]]


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


def mask_parts(root: Path, options: Options) -> dict[str, Dataset]:
    """Return the data sets of images with masks: "train", "validation", "test", or "all".

    Images are uint8[N, C, H, W], targets int64[N, H, W]. A class is a value of the masks: a number of a palette, a
    grey level or a colour. Names come from a list in the root (``0 road`` on every line, or ``#ff0000 road``).

    Raises
    ------
    DataError
        If an image has no mask, either cannot be read, their sizes differ, or the masks hold too many values.
    """
    with bombs_refused():
        pairs = {split: _pairs(*folders) for split, folders in mask_folders(root).items()}
        paths = [image for split in pairs.values() for image, _ in split]
        reader = ImageReader.for_headers(scan_files(paths, scan), options.channels, options.size, options.fit)
        read = {split: _read(found, reader) for split, found in pairs.items()}
    values = np.unique(np.concatenate([np.unique(maps) for _, maps in read.values()]))
    if len(values) > MOST_CLASSES:
        raise DataError(
            f"{printable(root)}: masks may hold {MOST_CLASSES} values, one for each class; got {len(values)}. "
            "Save them as PNG, without smoothing."
        )
    classes = _names(root, values)
    name = printable(root.name)
    return {
        split: Dataset(
            images,
            np.searchsorted(values, maps),
            classes,
            name,
            files=np.array([printable(image) for image, _ in pairs[split]]),
        )
        for split, (images, maps) in read.items()
    }


def _pairs(images: Path, masks: Path) -> Pairs:
    """Return every image with its mask."""
    known = {path.relative_to(masks).with_suffix("").as_posix(): path for path in files_below(masks, [])}
    pairs = []
    for image in files_below(images, []):
        if image.suffix.lower() not in image_suffixes():
            continue
        stem = image.relative_to(images).with_suffix("").as_posix()
        mask = next((known[stem + ending] for ending in ENDINGS if stem + ending in known), None)
        if mask is None:
            raise DataError(
                f"{printable(image)}: needs a mask of the same name; {printable(masks)} has none. "
                "Add the mask, or remove the image."
            )
        pairs.append((image, mask))
    if not pairs:
        raise DataError(f"{printable(images)}: holds no images. Check that this is the right folder.")
    return pairs


def _read(pairs: Pairs, reader: ImageReader) -> tuple[np.ndarray, np.ndarray]:
    """Return images, uint8[N, C, H, W], and the values of their masks, int64[N, H, W]."""
    images = np.empty((len(pairs), *reader.shape), np.uint8)
    maps = np.empty((len(pairs), *reader.size), np.int64)
    for number, (image, mask) in enumerate(pairs):
        path = image
        try:
            images[number], size = reader.read(image), scan(image).size
            path = mask
            found = decode_mask(mask, reader.size, reader.fit)
        except FileProblem as problem:
            raise DataError(f"{printable(path)}: {problem}. Repair it, or remove image and mask.") from problem
        if found.size != size:
            raise DataError(
                f"{printable(mask)}: must have the size of its image, {size[0]} x {size[1]}; got {found.size[0]} x "
                f"{found.size[1]}. Save both in the same size."
            )
        maps[number] = found.values
    return images, maps


def _names(root: Path, values: np.ndarray) -> tuple[str, ...]:
    codes = [f"#{value - COLOUR:06x}" if value >= COLOUR else str(value) for value in values.tolist()]
    names = class_names(root, codes)
    return TWO if len(codes) == 2 and names == tuple(codes) else names
