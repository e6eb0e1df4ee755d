"""EuroSAT (RGB): 27,000 satellite pictures of ten kinds of land, 64x64."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from striate.data.download import RemoteFile, fetch
from striate.data.folders import class_folders
from striate.data.options import Options
from striate.data.problems import why
from striate.data.splits import Splits
from striate.errors import DataError

ARCHIVE = RemoteFile(
    "EuroSAT.zip",
    "md5:c8fa014336c82ac7804f0398fcb19387",
    (
        "https://huggingface.co/datasets/torchgeo/eurosat/resolve/c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
        "https://madm.dfki.de/files/sentinel/EuroSAT.zip",
    ),
)
MAX_BYTES = 1 << 30  # of the archive unpacked; the real one takes 100 MB


def eurosat(folder: str | Path | None = None, seed: int = 0, validation_fraction: float = 0.1) -> Splits:
    """Return EuroSAT's RGB version; a fixed fifth of it is the test split.

    Parameters
    ----------
    folder : path, optional
        Holds one folder per class, or ``EuroSAT.zip``. Without it the archive is downloaded once.
    seed : int
        Draws the validation split.
    validation_fraction : float
        0 for no validation split.

    Returns
    -------
    Splits
        inputs uint8[N, 3, 64, 64], targets int64[N].

    Raises
    ------
    DataError
        If the files are missing or damaged, or the download fails.

    References
    ----------
    Helber, Bischke, Dengel and Borth (2019), "EuroSAT", IEEE J. Sel. Top. Appl. Earth Obs. Remote Sens.
    """
    folder = fetch("eurosat", [ARCHIVE]) if folder is None else Path(folder)
    archive = folder / ARCHIVE.name
    root = unpack(archive) if archive.is_file() else folder
    return class_folders(root, Options(size=(64, 64), channels=3), seed, validation_fraction)


def unpack(archive: Path) -> Path:
    """Return the folder with the contents of an archive, beside it; the folder appears only when it is complete.

    Raises DataError if the archive is damaged or too large.
    """
    target = archive.with_suffix("")
    if target.is_dir():
        return target
    try:
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=archive.parent))
        try:
            with zipfile.ZipFile(archive) as content:
                size = sum(member.file_size for member in content.infolist())
                if size > MAX_BYTES:
                    raise DataError(
                        f"{archive}: unpacks to {size:,} bytes; at most {MAX_BYTES:,} are allowed. "
                        "Download it again."
                    )
                content.extractall(partial)
            os.replace(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except DataError:
        raise
    except Exception as error:  # damaged archives make zipfile raise nearly anything
        raise DataError(
            f"{archive}: cannot be unpacked ({why(error)}). Download it again, or unpack it yourself."
        ) from error
    return target
