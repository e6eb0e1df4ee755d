"""MNIST and Fashion-MNIST: four IDX files, downloaded or in a folder of the user."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from striate.data.dataset import Dataset
from striate.data.download import RemoteFile, fetch
from striate.data.idx import read_idx
from striate.data.splits import Splits, with_validation
from striate.errors import DataError

DIGITS = tuple("0123456789")
CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
IMAGES = "{prefix}-images-idx3-ubyte"
LABELS = "{prefix}-labels-idx1-ubyte"
PREFIXES = {"train": "train", "test": "t10k"}
SUBFOLDERS = (".", "raw", "MNIST/raw", "FashionMNIST/raw")

MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
MNIST_CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
FASHION_MIRRORS = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)
MOST_CLASSES = 1000  # with fewer labels than this; a larger number is a sign of other content
FASHION_CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
}


def mnist(folder: str | Path | None = None, seed: int = 0, validation_fraction: float = 0.1) -> Splits:
    """Return MNIST: 60,000 handwritten digits for training and 10,000 for testing, light on dark.

    Parameters
    ----------
    folder : path, optional
        Holds the four IDX files, plain or ``.gz``. Without it they are downloaded once into the cache.
    seed : int
        Draws the validation split from the 60,000.
    validation_fraction : float
        0 for no validation split.

    Returns
    -------
    Splits
        inputs uint8[N, 1, 28, 28], targets int64[N].

    Raises
    ------
    DataError
        If a file is missing, damaged or of another kind, images and labels disagree, or a download fails.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document recognition".
    """
    if folder is None:
        folder = fetch("mnist", remote_files(MNIST_MIRRORS, MNIST_CHECKSUMS))
    return read_idx_folder(folder, DIGITS, "mnist", seed, validation_fraction)


def fashion_mnist(folder: str | Path | None = None, seed: int = 0, validation_fraction: float = 0.1) -> Splits:
    """Return Fashion-MNIST, pictures of clothes with the shapes and numbers of MNIST; see `mnist`.

    References
    ----------
    Xiao, Rasul and Vollgraf (2017), "Fashion-MNIST", arXiv:1708.07747.
    """
    if folder is None:
        folder = fetch("fashion-mnist", remote_files(FASHION_MIRRORS, FASHION_CHECKSUMS))
    return read_idx_folder(folder, CLOTHES, "fashion-mnist", seed, validation_fraction)


def remote_files(mirrors: tuple[str, ...], checksums: dict[str, str]) -> list[RemoteFile]:
    """Return the files with these checksums, each at every mirror (an address that ends in a slash)."""
    return [
        RemoteFile(name, checksum, tuple(mirror + name for mirror in mirrors))
        for name, checksum in checksums.items()
    ]


def read_idx_folder(
    folder: str | Path, classes: tuple[str, ...] | None, name: str, seed: int = 0, validation_fraction: float = 0.1
) -> Splits:
    """Return the splits of a folder with train and t10k images and labels in IDX; see `mnist`.

    Without ``classes`` they are called by their numbers, 0 to the largest label.

    Raises
    ------
    DataError
        If a file is missing, damaged or does not belong to the others.
    """
    folder = Path(folder)
    if classes is None:
        labels = [read_idx(_find(folder, LABELS.format(prefix=prefix)), ndim=1) for prefix in PREFIXES.values()]
        classes = _numbered(folder, max(int(some.max(initial=0)) for some in labels), sum(map(len, labels)))
    learn, test = (_read_split(folder, prefix, classes, name) for prefix in PREFIXES.values())
    if learn.sample_shape != test.sample_shape:
        raise DataError(
            f"{folder}: training and test images must have one size; got {_size(learn)} and {_size(test)}. "
            "Check that the files have not been mixed up."
        )
    return with_validation(learn, test, seed, validation_fraction)


def _numbered(folder: Path, largest: int, count: int) -> tuple[str, ...]:
    if largest >= max(MOST_CLASSES, count):
        raise DataError(
            f"{folder}: labels must number the classes from 0; got {largest:,} among {count:,}. Check the files."
        )
    return tuple(map(str, range(1 + largest)))


def read_idx_pair(images: str | Path, labels: str | Path, classes: tuple[str, ...], name: str) -> Dataset:
    """Return the data set of an IDX file of grey images (uint8[N, H, W]) and one of labels (uint8[N]).

    Raises DataError if they cannot be read or do not belong together.
    """
    pixels, targets = read_idx(images, ndim=3), read_idx(labels, ndim=1)
    if pixels.dtype != np.uint8 or targets.dtype.kind not in "ui":
        raise DataError(
            f"{images}: images must be bytes and labels whole numbers; "
            f"got {pixels.dtype} and {targets.dtype}. Check that the files have not been mixed up."
        )
    if len(pixels) != len(targets):
        raise DataError(
            f"{images}: every image needs one label; got {len(pixels):,} images here and {len(targets):,} "
            f"labels in {labels}. Use files that belong together."
        )
    if len(targets) and not 0 <= targets.min() <= targets.max() < len(classes):
        raise DataError(
            f"{labels}: labels must be 0 to {len(classes) - 1}; got {targets.min()} to {targets.max()}. "
            "Use the label file that belongs to these images."
        )
    if pixels.size == 0:
        raise DataError(f"{images}: a data set needs at least one pixel; got {pixels.shape}. Use another file.")
    return Dataset(pixels[:, np.newaxis], targets.astype(np.int64), classes, name)


def _read_split(folder: Path, prefix: str, classes: tuple[str, ...], name: str) -> Dataset:
    images, labels = (_find(folder, pattern.format(prefix=prefix)) for pattern in (IMAGES, LABELS))
    return read_idx_pair(images, labels, classes, name)


def _find(folder: Path, file_name: str) -> Path:
    """Return the path of a file in the folder, under the names and places of torchvision and Kaggle too."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder. Give the folder that holds {file_name} (--data-dir).")
    dotted = file_name.replace("-idx", ".idx")
    for subfolder in SUBFOLDERS:
        for candidate in (file_name, f"{file_name}.gz", dotted, f"{dotted}.gz", f"{dotted}/{dotted}"):
            path = folder / subfolder / candidate
            if path.is_file():
                return path
    raise DataError(f"{folder}: {file_name} or {file_name}.gz is missing. Put it there, or give another folder.")


def _size(dataset: Dataset) -> str:
    return "x".join(map(str, dataset.sample_shape[1:]))
