"""Clips and stacks of slices: folders of frames, animations, and video files where PyAV is installed."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from striate.data.bombs import FILMED, check_clip, check_frames
from striate.data.images import NEARLY_ALL
from striate.data.pixels import Fit, decode, decode_frames, image_suffixes, opened, scan
from striate.data.problems import FileProblem, printable, why
from striate.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

VIDEOS = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv"})
ANIMATIONS = frozenset({".gif", ".apng"})
DEFAULT_SIZE = (64, 64)
LARGEST_KEPT = 96
"""Rows or columns of frames that keep their size without being asked."""
DEFAULT_FRAMES = 16
DIGITS = re.compile(r"\d+")


class ClipHeader(NamedTuple):
    """What a clip's header says before it is decoded."""

    size: tuple[int, int]
    grey: bool
    frames: int


@dataclass(frozen=True)
class ClipReader:
    """Brings clips to one shape: a number of frames, spread evenly over the clip, each decoded as an image."""

    channels: int
    frames: int
    size: tuple[int, int]
    fit: Fit = "stretch"
    dtype = np.dtype(np.uint8)

    @classmethod
    def for_headers(
        cls,
        headers: Iterable[ClipHeader],
        channels: int | None,
        frames: int | None,
        size: tuple[int, int] | None,
        fit: Fit,
    ) -> ClipReader:
        """Return the reader for clips with these headers, where something is not given.

        Clips are grey if all are, keep the size that nearly all have up to 96 x 96 (64 x 64 otherwise), and have
        16 frames, or fewer if more than a tenth of them are shorter.
        """
        known = list(headers)
        if channels is None:
            channels = 1 if known and all(header.grey for header in known) else 3
        if frames is None:
            lengths = sorted(header.frames for header in known)
            frames = min(DEFAULT_FRAMES, lengths[len(lengths) // 10]) if lengths else DEFAULT_FRAMES
        if size is None:
            sizes = Counter(header.size for header in known)
            common, count = sizes.most_common(1)[0] if sizes else (DEFAULT_SIZE, 0)
            size = common if max(common) <= LARGEST_KEPT and count >= NEARLY_ALL * sizes.total() else DEFAULT_SIZE
        return cls(channels, frames, size, fit)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample, (C, frames, H, W)."""
        return (self.channels, self.frames, *self.size)

    @property
    def preparation(self) -> dict[str, str | int]:
        """The arguments, other than the shape, with which `read_unlabelled` makes inputs in the same way."""
        return {"fit": self.fit}

    def read(self, path: Path) -> np.ndarray:
        """Return the frames of a clip (uint8[C, frames, H, W]), or raise FileProblem."""
        if path.is_dir():
            names = frames_of(path)
            chosen = spread(len(names), self.frames)
            found = [self._frame(names[place]) for place in chosen]
        elif path.suffix.lower() in VIDEOS:
            found = decode_frames(_video(path, self.frames), self.channels, self.size, self.fit)
        else:
            found = decode_frames(_animation(path, self.frames), self.channels, self.size, self.fit)
        if not found:
            raise FileProblem("it holds no frames")
        return np.stack([found[place] for place in spread(len(found), self.frames)], axis=1)

    def _frame(self, path: Path) -> np.ndarray:
        try:
            return decode(path, self.channels, self.size, self.fit)
        except FileProblem as problem:
            raise FileProblem(f"{printable(path.name)}: {problem}") from problem


def spread(count: int, wanted: int) -> list[int]:
    """Return which of ``count`` frames are read, the first and the last among them; a short clip repeats some.

    Examples
    --------
    >>> spread(9, 5), spread(2, 4)
    ([0, 2, 4, 6, 8], [0, 0, 1, 1])
    """
    return [int(place) for place in np.rint(np.linspace(0, max(0, count - 1), wanted))] if count else []


def scan_clip(path: Path) -> ClipHeader:
    """Return the header of a folder of frames, an animation or a video; raise FileProblem for anything else."""
    if path.is_dir():
        frames = frames_of(path)
        if not frames:
            raise FileProblem("it holds no frames", foreign=True)
        return ClipHeader(*scan(frames[0]), len(frames))
    if path.suffix.lower() in VIDEOS:
        first = next(_video(path, 1), None)
        if first is None:
            raise FileProblem("it holds no frames")
        return ClipHeader((first.height, first.width), False, DEFAULT_FRAMES)
    return ClipHeader(*scan(path), _length(path))


def frames_of(folder: Path) -> list[Path]:
    """Return the images of a folder in the order of the numbers in their names."""
    suffixes = image_suffixes()
    return sorted((path for path in folder.iterdir() if path.suffix.lower() in suffixes), key=_natural)


def clips_among(files: Sequence[Path]) -> list[Path]:
    """Return the folders that hold images, and the videos and animations, among files, each once and in order."""
    suffixes = image_suffixes()
    found: dict[Path, None] = {}
    for path in files:
        suffix = path.suffix.lower()
        if suffix in VIDEOS or suffix in ANIMATIONS:
            found[path] = None
        elif suffix in suffixes:
            found[path.parent] = None
    return list(found)


def look_like_clips(folders: Sequence[Path], files: Sequence[Path]) -> bool:
    """Return whether the files below folders of classes are clips.

    They are if most are videos or animations, or if all images lie in folders of numbered frames. Such folders
    begin alike (``frame0001.png``, ``frame0001.png``, ...), which those of photographs, for example of days, do
    not.
    """
    moving = [path for path in files if path.suffix.lower() in VIDEOS | ANIMATIONS]
    if len(moving) > len(files) / 2:
        return any(path.suffix.lower() in VIDEOS for path in moving) or _first_length(moving) > 1
    suffixes, tops = image_suffixes() - ANIMATIONS, set(folders)
    images = [path for path in files if path.suffix.lower() in suffixes]
    by_folder: dict[Path, list[str]] = {}
    for path in images:
        by_folder.setdefault(path.parent, []).append(path.name)
    if len(by_folder) < 2 or tops & set(by_folder):
        return False
    firsts = Counter(min(names) for names in by_folder.values())
    numbered = all(len({DIGITS.sub("0", name) for name in names}) == 1 for names in by_folder.values())
    return numbered and firsts.most_common(1)[0][1] == len(by_folder) and DIGITS.search(min(firsts)) is not None


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def _first_length(paths: Sequence[Path]) -> int:
    """Return the number of frames of the first animation that can be read, 0 if none can."""
    for path in paths:
        with contextlib.suppress(FileProblem):
            return _length(path)
    return 0


def _length(path: Path) -> int:
    with opened(path) as image:
        return int(getattr(image, "n_frames", 1))


def _animation(path: Path, frames: int) -> Iterator[Image]:
    with opened(path) as image:
        count = int(getattr(image, "n_frames", 1))
        if count == 1:
            raise FileProblem("a single picture is not a clip; give a folder of frames, an animation or a video")
        check_clip(image, count)
        for place in spread(count, frames):
            image.seek(place)
            yield image.copy()


def _video(path: Path, frames: int) -> Iterator[Image]:
    """Yield the chosen frames of a video, which are counted first because headers may not give their number."""
    try:
        import av
    except ImportError as error:
        raise DataError(
            f"{printable(path)}: videos are read by PyAV, which is not installed. pip install 'striate[video]', or "
            "give folders of frames."
        ) from error

    try:
        with av.open(str(path)) as container:
            chosen = Counter(spread(_count(container, path.stat().st_size), frames))
        with av.open(str(path)) as container:
            for place, frame in enumerate(container.decode(video=0)):
                yield from [frame.to_image()] * chosen[place]
    except (av.FFmpegError, IndexError) as error:  # IndexError: no stream of pictures
        raise FileProblem(f"damaged or unsupported video ({why(error)})") from error


def _count(container: Any, length: int) -> int:
    """Return how many pictures a video holds; raise FileProblem once they are too many for ``length`` bytes."""
    count = 0
    for count, frame in enumerate(container.decode(video=0), 1):
        check_frames(3 * frame.width * frame.height, count, length, FILMED)
    return count
