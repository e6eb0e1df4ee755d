"""Images, clips, recordings, logs and texts: how their files are recognised and read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.data import audio, logs, pixels
from striate.data.bombs import bombs_refused
from striate.data.clips import VIDEOS, ClipReader, scan_clip
from striate.data.decoding import Reader
from striate.data.images import ImageReader
from striate.data.options import Options
from striate.data.text import SUFFIXES, TextReader, Vocabulary, read_text


@dataclass(frozen=True)
class Kind:
    """What differs between images, clips, recordings, logs and texts; ``axes`` counts the channels too."""

    title: str
    axes: int
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
    return audio.RecordingReader.for_headers(headers, options.channels, options.length("recordings"))


def _log_reader(headers: list[Any], options: Options) -> Reader:
    known, length = options.preparation.get("series"), options.length("series")
    if known is not None and length is not None:
        return logs.LogReader.from_dict(known, length)
    return logs.LogReader.for_headers(headers, length, options.ignore)


def _text_reader(headers: list[Any], options: Options) -> Reader:
    known = options.preparation.get("text")
    if known is not None:
        return TextReader(Vocabulary.from_dict(known))
    return TextReader(Vocabulary.fit(headers, options.length("texts")))


IMAGES = Kind("images", 3, pixels.image_suffixes, bombs_refused, pixels.scan, _image_reader)
CLIPS = Kind("clips", 4, lambda: pixels.image_suffixes() | VIDEOS, bombs_refused, scan_clip, _clip_reader)
RECORDINGS = Kind(
    "recordings", 2, lambda: audio.SUFFIXES, contextlib.nullcontext, audio.scan_recording, _recording_reader
)
LOGS = Kind("series", 2, lambda: logs.SUFFIXES, contextlib.nullcontext, logs.scan_log, _log_reader)
TEXTS = Kind("texts", 2, lambda: SUFFIXES, contextlib.nullcontext, read_text, _text_reader)


def must_scan(kind: Kind, options: Options) -> bool:
    """Return whether the files must be inspected before they are decoded, to find sizes or words."""
    if kind is TEXTS:
        return "text" not in options.preparation
    if kind is LOGS:
        return "series" not in options.preparation or options.size is None
    if kind is CLIPS:
        return options.size is None or options.channels is None or options.frames is None
    return kind is RECORDINGS or options.size is None or options.channels is None
