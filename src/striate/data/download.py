"""Files of public data sets: fetched once from the first mirror that answers, checked, kept in the cache."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.errors import DataError
from striate.machine import cache_folder

if TYPE_CHECKING:
    from rich.progress import Progress

CHUNK_BYTES = 1 << 16
MOST_BYTES = 1 << 31  # of one file; the largest of these data sets have a tenth of it


@dataclass(frozen=True)
class RemoteFile:
    """A file to download: its name, its checksum as ``algorithm:hex`` and the addresses that hold it."""

    name: str
    checksum: str
    urls: tuple[str, ...]


def fetch(name: str, files: Sequence[RemoteFile], folder: Path | None = None) -> Path:
    """Return the folder that holds the files of a data set, downloading the missing ones first.

    A file is checked before it appears in the folder, so an interrupted download goes on
    with the first file that is missing.

    Parameters
    ----------
    name : str
        The data set: a folder of the cache, and what messages call it.
    files : sequence of RemoteFile
    folder : path, optional
        Where to keep them instead of the cache.

    Raises
    ------
    DataError
        If a file can be had from none of its addresses.
    """
    folder = cache_folder() / "data" / name if folder is None else Path(folder)
    for file in files:
        _fetch_one(name, file, folder)
    return folder


def _fetch_one(name: str, file: RemoteFile, folder: Path) -> None:
    import pooch

    failures = []
    for url in file.urls:
        bar: Any = _ProgressBar(file.name)  # always passed, because it also stops downloads that never end
        downloader = pooch.HTTPDownloader(timeout=30, chunk_size=CHUNK_BYTES, progressbar=bar)
        try:
            pooch.retrieve(url, file.checksum, fname=file.name, path=folder, downloader=downloader)
            return
        except (
            OSError,
            ValueError,
        ) as error:  # requests' errors are OSErrors; a wrong checksum is a ValueError
            failures.append(f"{url}: {failure(error)}")
        finally:
            bar.close()
    raise DataError(
        f"{name}: cannot download {file.name} to {folder} ({'; '.join(failures)}). "
        "Check the network, or give a folder that holds the data set (--data-dir)."
    )


def failure(error: Exception) -> str:
    """Return why a download failed, in a few words: the messages of requests run over several lines."""
    import requests

    if isinstance(error, ValueError) and "hash" in str(error):
        return "wrong checksum"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    below = error.__cause__ or error.__context__  # Pooch raises some errors again without their reason
    return str(getattr(error, "strerror", None) or getattr(below, "strerror", None) or type(error).__name__)


class _ProgressBar:
    """The part of tqdm's interface that pooch calls, drawn on a terminal by Rich from the first byte on.

    Raises
    ------
    OSError
        In ``update``, once more bytes have come than any data set has.
    """

    def __init__(self, file_name: str) -> None:
        self.total = 0
        self._count = 0
        self._file_name = file_name
        self._progress: Progress | None = None

    def update(self, count: int) -> None:
        self._count += count
        if self._count > MOST_BYTES:
            raise OSError(errno.EFBIG, f"more than {MOST_BYTES:,} bytes")
        if sys.stderr is None or not sys.stderr.isatty():
            return
        if self._progress is None:
            self._progress = self._start()
        self._progress.update(self._progress.task_ids[0], advance=count, total=self.total or None)

    def reset(self) -> None:
        self._count = 0
        if self._progress is not None:
            self._progress.reset(self._progress.task_ids[0])

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()

    def _start(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        progress = Progress(*columns, console=Console(stderr=True))
        progress.add_task(self._file_name, total=None)
        progress.start()
        return progress
