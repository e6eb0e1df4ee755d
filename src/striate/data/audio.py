"""Recordings as 1-D inputs: WAV, FLAC, MP3, OGG and AIFF."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np

from striate.data.problems import FileProblem
from striate.data.windows import Unit

MOST_RATIO = 50
SUFFIXES = frozenset({".wav", ".wave", ".flac", ".mp3", ".ogg", ".opus", ".aif", ".aiff"})
STREAMED = 0x7F000000  # bytes; a length that stands for an unknown one


class RecordingHeader(NamedTuple):
    """The format of a recording: rate in Hz, number of channels, length in samples."""

    rate: int
    channels: int
    length: int


def decode_recording(path: str | Path) -> tuple[int, np.ndarray]:
    """Return rate in Hz and samples (float32[C, L], from -1 to 1).

    Raises
    ------
    FileProblem
        If the file is missing, not of a known format, truncated or empty.
    """
    import soundfile

    try:
        with open(path, "rb") as file:
            start = file.read(12)
            missing = _missing_bytes(start, file.seek(0, 2))
            file.seek(0)
            data, rate = soundfile.read(file, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        if not start:
            raise FileProblem("the file is empty") from None
        reason = error.error_string.rstrip(".")
        raise FileProblem(f"damaged, or not a recording ({reason})", foreign="not recogni" in reason) from error
    except OSError as error:
        raise FileProblem(f"cannot be read ({error.strerror})") from error
    if missing > 0:
        raise FileProblem(f"truncated: {missing:,} bytes are missing at its end")
    if data.size == 0 or rate <= 0:
        raise FileProblem("it holds no samples")
    if not np.isfinite(data).all():
        raise FileProblem("it holds samples that are not finite")
    return int(rate), np.ascontiguousarray(data.T)


def _missing_bytes(start: bytes, length: int) -> int:
    """Return by how many bytes a WAV file is shorter than its header claims; 2 GB or more come from pipes."""
    claimed = int.from_bytes(start[4:8], "little") + 8
    return claimed - length if start[:4] == b"RIFF" and claimed < STREAMED else 0


def scan_recording(path: str | Path) -> RecordingHeader:
    """Return the format of a recording, or raise FileProblem."""
    rate, samples = decode_recording(path)
    return RecordingHeader(rate, *samples.shape)


def _is_near(rate: int, usual: int) -> bool:
    """Return whether a rate is plausible next to the usual one: recordings are made at 4 to 192 kHz."""
    return usual <= MOST_RATIO * rate and rate <= MOST_RATIO * usual


@dataclass(frozen=True)
class RecordingReader:
    """Brings recordings to one rate, number of channels and length."""

    rate: int
    channels: int
    length: int
    dtype = np.dtype(np.float32)

    @classmethod
    def for_headers(
        cls, headers: Iterable[RecordingHeader], channels: int | None, length: int | None
    ) -> RecordingReader:
        """Return the reader for files like these: the most common rate, their channels, the longest length.

        Recordings of several numbers of channels are mixed down to one.
        """
        known = list(headers) or [RecordingHeader(1, 1, 1)]
        rate = Counter(header.rate for header in known).most_common(1)[0][0]
        numbers = {header.channels for header in known}
        alike = [header for header in known if _is_near(header.rate, rate)]
        longest = max(ceil(header.length * rate / header.rate) for header in alike)
        return cls(rate, channels or (numbers.pop() if len(numbers) == 1 else 1), length or longest)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample, (C, L)."""
        return (self.channels, self.length)

    @property
    def preparation(self) -> dict[str, str | int]:
        """The arguments, other than the shape, with which `read_unlabelled` makes inputs in the same way."""
        return {"rate": self.rate}

    @property
    def note(self) -> str:
        """A line that says how recordings are read."""
        return f"recordings of {self.rate:,} Hz, {self.length / self.rate:.3g} s"

    @property
    def unit(self) -> Unit:
        """In what lengths are told: seconds."""
        return Unit("s", self.rate)

    def read(self, path: Path) -> np.ndarray:
        """Return a recording (float32[C, L]), resampled, mixed, and cut or padded with silence at its end."""
        return self.fitted(self.whole(path))

    def whole(self, path: Path) -> np.ndarray:
        """Return a recording of any length (float32[C, N]), resampled and mixed."""
        rate, samples = decode_recording(path)
        if not _is_near(rate, self.rate):
            raise FileProblem(f"its header claims a rate of {rate:,} Hz; the others have {self.rate:,} Hz")
        if rate != self.rate:
            import soxr

            samples = soxr.resample(samples.T, rate, self.rate).T
        if len(samples) != self.channels:
            samples = np.repeat(samples.mean(axis=0, keepdims=True), self.channels, axis=0)
        return np.asarray(samples)

    def fitted(self, samples: np.ndarray) -> np.ndarray:
        """Return samples (float32[C, L]) cut, or padded with silence, at their end."""
        fitted = np.zeros(self.shape, np.float32)
        kept = min(self.length, samples.shape[1])
        fitted[:, :kept] = samples[:, :kept]
        return fitted
