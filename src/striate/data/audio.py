"""Recordings from WAV files as 1-D inputs."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, gcd
from pathlib import Path
from typing import NamedTuple

import numpy as np

from striate.data.problems import FileProblem, why

MOST_RATIO = 50
SUFFIXES = frozenset({".wav", ".wave"})


class WavHeader(NamedTuple):
    """What a recording is like: rate in Hz, number of channels, length in samples."""

    rate: int
    channels: int
    length: int


@contextmanager
def damage_refused() -> Iterator[None]:
    """Make SciPy raise on a file that ends early instead of warning, and silence its other warnings.

    It changes the warning filters of the whole process: enter it outside of threads.
    """
    from scipy.io.wavfile import WavFileWarning

    with warnings.catch_warnings(action="ignore", category=WavFileWarning):
        warnings.filterwarnings("error", message="Reached EOF", category=WavFileWarning)
        yield


def decode_wav(path: str | Path) -> tuple[int, np.ndarray]:
    """Return rate in Hz and samples (float32[C, L], from -1 to 1); enter `damage_refused` before.

    Raises
    ------
    FileProblem
        If the file is missing, not WAV, truncated or empty.
    """
    from scipy.io import wavfile

    try:
        if not Path(path).stat().st_size:
            raise FileProblem("the file is empty", foreign=True)
        rate, data = wavfile.read(path)
    except FileProblem:
        raise
    except Exception as error:  # damaged headers make the reader raise nearly anything
        if isinstance(error, OSError) and error.errno is not None:
            raise FileProblem(f"cannot be read ({error.strerror})") from error
        raise FileProblem(f"damaged or no WAV file ({why(error)})", foreign="format" in str(error)) from error
    if data.size == 0 or rate <= 0:
        raise FileProblem("it holds no samples")
    samples = _to_float(data).reshape(len(data), -1).T
    if not np.isfinite(samples).all():
        raise FileProblem("it holds samples that are not finite")
    return int(rate), samples


def scan_wav(path: str | Path) -> WavHeader:
    """Return what a recording is like, or raise FileProblem."""
    rate, samples = decode_wav(path)
    return WavHeader(rate, *samples.shape)


def _to_float(data: np.ndarray) -> np.ndarray:
    """Return samples as float32 from -1 to 1: bytes are stored with 128 for silence, the rest signed."""
    if data.dtype == np.uint8:
        return (data.astype(np.float32) - 128) / 128
    if data.dtype.kind == "i":
        return (data / -float(np.iinfo(data.dtype).min)).astype(np.float32)
    return data.astype(np.float32)


def _is_near(rate: int, usual: int) -> bool:
    """Return whether a rate may be true beside the usual one: recordings are made at 4 to 192 kHz."""
    return usual <= MOST_RATIO * rate and rate <= MOST_RATIO * usual


@dataclass(frozen=True)
class WavReader:
    """Brings recordings to one rate, number of channels and length."""

    rate: int
    channels: int
    length: int
    dtype = np.dtype(np.float32)

    @classmethod
    def for_headers(
        cls, headers: Iterable[WavHeader], channels: int | None, size: tuple[int, ...] | None
    ) -> WavReader:
        """Return the reader for files like these: the most common rate, their channels, the longest length.

        Recordings of several numbers of channels are mixed down to one.
        """
        known = list(headers) or [WavHeader(1, 1, 1)]
        rate = Counter(header.rate for header in known).most_common(1)[0][0]
        numbers = {header.channels for header in known}
        alike = [header for header in known if _is_near(header.rate, rate)]
        longest = max(ceil(header.length * rate / header.rate) for header in alike)
        return cls(rate, channels or (numbers.pop() if len(numbers) == 1 else 1), size[0] if size else longest)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample, (C, L)."""
        return (self.channels, self.length)

    @property
    def preparation(self) -> dict[str, str | int]:
        """What `read_unlabelled` needs besides the shape to make inputs in the same way."""
        return {"rate": self.rate}

    def read(self, path: Path) -> np.ndarray:
        """Return a recording (float32[C, L]), resampled, mixed, and cut or padded with silence at its end."""
        rate, samples = decode_wav(path)
        if not _is_near(rate, self.rate):
            raise FileProblem(f"its header claims a rate of {rate:,} Hz; the others have {self.rate:,} Hz")
        if rate != self.rate:
            from scipy.signal import resample_poly

            divisor = gcd(rate, self.rate)
            samples = resample_poly(samples, self.rate // divisor, rate // divisor, axis=1)
        if len(samples) != self.channels:
            samples = np.repeat(samples.mean(axis=0, keepdims=True), self.channels, axis=0)
        fitted = np.zeros(self.shape, np.float32)
        kept = min(self.length, samples.shape[1])
        fitted[:, :kept] = samples[:, :kept]
        return fitted
