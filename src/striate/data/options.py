"""How to read a source that is not one of the named sets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, get_args

from striate.data.streaming.choice import HOW
from striate.errors import UsageError
from striate.settings import Kind, Place, Settings, choice, number, setting, sizes, text, texts, value_of, whole
from striate.settings.setting import build

if TYPE_CHECKING:
    from striate.data.pixels import Fit

Missing = Literal["impute", "refuse"]
Task = Literal["classification", "regression"]
TEST_SEED = 1998  # the test split cut from a source does not change with the seed of a run


@dataclass(frozen=True)
class Fold:
    """One of the folds that cross-validation holds out in turn: ``number`` from 1 to ``count``."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @classmethod
    def of(cls, value: Any) -> Fold:
        """Return the fold described by text such as ``2/5``.

        Raises
        ------
        UsageError
            If it stands for none.

        Examples
        --------
        >>> Fold.of("2/5")
        Fold(number=2, count=5)
        """
        if isinstance(value, cls):
            return value
        parts = str(value).split("/")
        if len(parts) == 2 and all(part.isdecimal() and len(part) < 7 for part in parts):
            found = cls(*map(int, parts))
            if found.count >= 2 and 1 <= found.number <= found.count:
                return found
        raise UsageError(f"fold: must be a number and the number of folds, such as 2/5; got {value!r}.")


def _option(default: Any, kind: Kind, help: str, option: str, metavar: str, **more: Any) -> Any:
    return setting(default, kind, help, option=option, metavar=metavar, panel="Data", **more)


def _column(value: Any) -> str:
    """Return the name of a column; a number, from 0, as text, and several with commas between."""
    if isinstance(value, list | tuple):
        return ",".join(map(_column, value))
    whole_number = isinstance(value, Integral) and not isinstance(value, bool)
    name: str = text().check(str(value) if whole_number else value, Place("label"))
    return name


@dataclass(frozen=True, kw_only=True)
class Options(Settings):
    """How a folder, table or array is read.

    Parameters
    ----------
    size : (rows, columns) or (length,), optional
        Of images or recordings. Without it images keep theirs where nearly all have one and it is at most
        256 x 256, and become 128 x 128 otherwise; recordings keep the length of the longest.
    channels : int, optional
        1 (grey) or 3 (colour). Without it images are grey where all files are.
    frames : int, optional
        Of a clip: folders of frames, animations and videos are then read as clips, with so many frames spread
        evenly over each. Without it videos, and folders of frames that all begin alike, are read as clips.
    fit : {"stretch", "crop", "pad"}
        How another aspect ratio fits the size; see `read_image`.
    shape : tuple of int, optional
        The shape (channels, *space) that the numbers of a row, or of one array entry, stand for.
    label : str or int, or several, optional
        Name of the column with labels (its number, from 0, where columns have no names); several of numbers, or of
        0 and 1, are a list, or text with commas between.
    group : str, optional
        Keeps samples together in every split: for folders a regular expression searched in the path
        below the class folder (its first group, else all it matches), for tables a column.
    ignore : tuple of str
        Columns of a table that are no inputs.
    missing : {"impute", "refuse"}
        Whether a missing number in a table becomes the median of its column, or is an error.
    task : {"classification", "regression"}, optional
        What the labels of a table or array are. Without it text is classes, and so are whole numbers with few
        distinct values; see `make_targets`.
    test_fraction : float
        Share cut out for testing where the source has no test split of its own; 0 for none.
    fold : Fold, optional
        The part of the training samples that is held out as the test split in cross-validation, such as ``2/5``.
    max_bad_share : float
        Fail if more than this fraction of files is unreadable.
    read : {"auto", "memory", "stream"}
        Whether all samples of images, recordings and arrays are loaded, or read while the training goes on; by
        default they are streamed if they would take half of the free memory. The result is the same.
    progress : function of (done, total), optional
        Called now and then while files are decoded.
    preparation : mapping
        How the inputs of a model were made (``Splits.preparation``), to make these in the same way.
    axes : int, optional
        How many axes a sample of that model has, channels included; files of another kind are refused.

    Raises
    ------
    UsageError
        If a value cannot mean anything.
    """

    size: tuple[int, ...] | None = _option(
        None,
        sizes(1, 2),
        "Resize images to this size, such as 64x64.",
        "--size",
        "RxC",
        auto="chosen from the files",
    )
    channels: int | None = _option(
        None,
        choice(1, 3),
        "Read images in grey (1) or colour (3).",
        "--channels",
        "1|3",
        auto="grey if all files are",
    )
    frames: int | None = _option(
        None,
        whole(2),
        "Read folders of frames, animations and videos as clips of N frames.",
        "--frames",
        "N",
        auto="16 where the files are clips",
    )
    fit: Fit = _option(
        "stretch",
        choice("stretch", "crop", "pad"),
        "How to fit images of a different aspect ratio: stretch, crop or pad.",
        "--fit",
        "HOW",
    )
    shape: tuple[int, ...] | None = _option(
        None,
        sizes(1, 2, 3, 4),
        "Shape of a table row, or of one array entry, such as 1x28x28.",
        "--shape",
        "CxHxW",
        off="a list of numbers",
    )
    label: str | None = _option(
        None,
        value_of("name or number of a column", _column),
        "Table column that holds the labels, or several: a,b.",
        "--label",
        "COLUMN",
        auto="chosen from the table",
    )
    group: str | None = _option(
        None,
        text("column, or regular expression"),
        "Keep samples together in splits: a table column, or a pattern in file names.",
        "--group",
        "COLUMN|PATTERN",
        off="no groups",
    )
    ignore: tuple[str, ...] = _option(
        (),
        texts("list of columns"),
        "Table column to leave out; can be repeated.",
        "--ignore",
        "COLUMN",
    )
    missing: Missing = _option(
        "impute",
        choice(*get_args(Missing)),
        "Missing numbers in a table: impute (the median) or refuse.",
        "--missing",
        "RULE",
    )
    task: Task | None = _option(
        None,
        choice(*get_args(Task)),
        "What the labels are: classification or regression.",
        "--task",
        "TASK",
        auto="chosen from the labels",
    )
    test_fraction: float = _option(
        0.2,
        number(0, 1, closed=True),
        "Fraction held out for testing if the data have no test split.",
        "--test-fraction",
        "FRACTION",
    )
    fold: Fold | None = _option(
        None,
        value_of("fold, such as 2/5", Fold.of, plain=str),
        "Hold out one fold of a cross-validation for testing, such as 2/5.",
        "--fold",
        "K/N",
        off="--test-fraction decides",
    )
    max_bad_share: float = _option(
        0.2,
        number(0, 1, closed=True),
        "Fail if more than this fraction of files is unreadable.",
        "--max-bad-share",
        "FRACTION",
    )
    read: str = _option(
        "auto",
        choice(*HOW),
        "Load all samples (memory), read them while training (stream), or choose by size (auto).",
        "--read",
        "HOW",
    )
    progress: Callable[[int, int], None] | None = field(default=None, repr=False, compare=False)
    preparation: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    axes: int | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size is not None and len(self.size) == 2:
            from striate.data.images import check_options

            check_options(self.channels or 3, self.size, self.fit)

    def length(self, what: str) -> int | None:
        """Return the size of samples with one axis, None if left open; raises UsageError for a size of two axes."""
        if self.size is not None and len(self.size) != 1:
            raise UsageError(
                f"size: {what} have one length, such as 1000; got {'x'.join(map(str, self.size))}. Give one number "
                "(--size), or leave it out."
            )
        return None if self.size is None else self.size[0]

    @classmethod
    def of(cls, options: Options | None, settings: Mapping[str, Any]) -> Options:
        """Return ``options`` with some settings replaced by name; the defaults without ``options``.

        Raises
        ------
        UsageError
            If a setting is not known, or its value cannot mean anything.
        """
        options = options or cls()
        checked = build(cls, settings, Place())
        return options.changed(**{name: getattr(checked, name) for name in settings}) if settings else options

    def group_pattern(self) -> re.Pattern[str] | None:
        """Return the regular expression that finds the group of a file; raises UsageError if it is not one."""
        if self.group is None:
            return None
        try:
            return re.compile(self.group)
        except re.error as error:
            raise UsageError(
                f"group: must be a regular expression; got {self.group!r} ({error}). Use for example '^[^_]+'."
            ) from error
