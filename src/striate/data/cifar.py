"""CIFAR-10: 60,000 colour pictures of ten kinds of things, 32x32."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from striate.data.arrays import array_splits
from striate.data.dataset import Dataset
from striate.data.download import RemoteFile, fetch
from striate.data.problems import why
from striate.data.splits import Splits, with_validation
from striate.errors import DataError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ARCHIVE = RemoteFile(
    "cifar-10-binary.tar.gz",
    "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9dddda3db29a59bca1dd",
    (
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz",
    ),
)
TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_FILES = ("test_batch.bin",)
SUBFOLDERS = (".", "cifar-10-batches-bin")
RECORD_BYTES = 1 + 3 * 32 * 32
MAX_BYTES = 10_000 * RECORD_BYTES


def cifar10(folder: str | Path | None = None, seed: int = 0, validation_fraction: float = 0.1) -> Splits:
    """Return CIFAR-10: 50,000 training pictures and 10,000 test pictures.

    Parameters
    ----------
    folder : path, optional
        Holds the binary version, as its archive or unpacked, or one NPZ file with ``x_train, y_train,
        x_test, y_test``. Without it the archive is downloaded once.
    seed : int
        Draws the validation split from the 50,000.
    validation_fraction : float
        0 for no validation split.

    Returns
    -------
    Splits
        inputs uint8[N, 3, 32, 32], targets int64[N].

    Raises
    ------
    DataError
        If a file is missing, damaged or of another version, or the download fails.

    References
    ----------
    Krizhevsky (2009), "Learning Multiple Layers of Features from Tiny Images".
    """
    folder = fetch("cifar10", [ARCHIVE]) if folder is None else Path(folder)
    if _only_npz(folder):
        return _from_npz(folder, seed, validation_fraction)
    batches = _from_folder(folder) or _from_archive(folder)
    learn = _dataset(folder, [batches[name] for name in TRAIN_FILES])
    test = _dataset(folder, [batches[name] for name in TEST_FILES])
    return with_validation(learn, test, seed, validation_fraction)


def holds_cifar10(folder: Path) -> bool:
    """Return whether a folder holds the binary version, unpacked."""
    return any((folder / subfolder / TEST_FILES[0]).is_file() for subfolder in SUBFOLDERS)


def _only_npz(folder: Path) -> bool:
    return not holds_cifar10(folder) and not (folder / ARCHIVE.name).is_file() and any(folder.glob("*.npz"))


def _from_npz(folder: Path, seed: int, validation_fraction: float) -> Splits:
    """Return the splits of arrays that hold CIFAR-10 or a part of it."""
    path = min(folder.glob("*.npz"))
    splits = array_splits(path)
    if "test" not in splits or any(split.classes != tuple("0123456789") for split in splits.values()):
        raise DataError(f"{path}: CIFAR-10 as arrays needs x_train, y_train, x_test, y_test with labels 0 to 9.")
    learn, test = (replace(splits[name], classes=CLASSES, name="cifar10") for name in ("train", "test"))
    return with_validation(learn, test, seed, validation_fraction)


def _from_folder(folder: Path) -> dict[str, bytes] | None:
    """Return the six files of the unpacked archive, or None where the folder has none of them."""
    if not holds_cifar10(folder):
        return None
    place = next(folder / name for name in SUBFOLDERS if (folder / name / TEST_FILES[0]).is_file())
    batches = {}
    for name in TRAIN_FILES + TEST_FILES:
        path = place / name
        try:
            with path.open("rb") as file:
                batches[name] = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror}). Unpack {ARCHIVE.name} again.") from error
    return batches


def _from_archive(folder: Path) -> dict[str, bytes]:
    path = folder / ARCHIVE.name
    if not path.is_file():
        pickled = (folder / "cifar-10-batches-py").is_dir() or (folder / "cifar-10-python.tar.gz").is_file()
        note = " (the Python version is not read: it is pickled, and reading it could run code)" if pickled else ""
        raise DataError(
            f"{folder}: neither {ARCHIVE.name} nor {TRAIN_FILES[0]} is there{note}. Put the binary version there."
        )
    batches = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = Path(member.name).name
                content = archive.extractfile(member) if name in TRAIN_FILES + TEST_FILES else None
                if content is not None:
                    batches[name] = content.read(MAX_BYTES + 1)
    except Exception as error:  # damaged archives make tarfile and gzip raise nearly anything
        raise DataError(f"{path}: the archive is damaged ({why(error)}). Download it again.") from error
    missing = [name for name in TRAIN_FILES + TEST_FILES if name not in batches]
    if missing:
        raise DataError(f"{path}: {missing[0]} is missing in the archive. Download it again.")
    return batches


def _dataset(folder: Path, batches: list[bytes]) -> Dataset:
    """Return the data set of some files: records of a label and the red, green and blue planes."""
    for content in batches:
        if not content or len(content) % RECORD_BYTES or len(content) > MAX_BYTES:
            raise DataError(
                f"{folder}: a CIFAR-10 file holds up to 10,000 records of {RECORD_BYTES:,} bytes; "
                f"got {len(content):,} bytes. Download the files again."
            )
    records = np.frombuffer(b"".join(batches), np.uint8).reshape(-1, RECORD_BYTES)
    if records[:, 0].max() > 9:
        raise DataError(f"{folder}: labels must be 0 to 9; got {records[:, 0].max()}. Download the files again.")
    inputs = np.ascontiguousarray(records[:, 1:]).reshape(-1, 3, 32, 32)
    return Dataset(inputs, records[:, 0].astype(np.int64), CLASSES, "cifar10")
