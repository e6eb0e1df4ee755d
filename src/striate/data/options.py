"""How a source that is not one of the named sets is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from striate.data.images import check_options
from striate.data.pixels import Fit
from striate.errors import UsageError, unknown_name

Missing = Literal["impute", "refuse"]
Task = Literal["classification", "regression"]
TEST_SEED = 1998  # the test part cut from a source does not change with the seed of a run


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a user may say about a folder, table or array.

    Parameters
    ----------
    size : (rows, columns) or (length,), optional
        Of images or recordings. Without it images keep theirs where nearly all have one and it is at most
        256 x 256, and become 128 x 128 otherwise; recordings keep the length of the longest.
    channels : int, optional
        1 (grey) or 3 (colour). Without it images are grey where all files are.
    fit : {"stretch", "crop", "pad"}
        How another aspect ratio fits the size; see `read_image`.
    shape : tuple of int, optional
        The shape (channels, *space) that the numbers of a row, or of one array entry, stand for.
    label : str, optional
        Name of the column with labels (its number, from 0, where columns have no names).
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
        Share cut out for testing where the source has no test part of its own; 0 for none.
    max_bad_share : float
        More unreadable files than this share are an error.
    progress : function of (done, total), optional
        Called now and then while files are decoded.
    preparation : mapping
        How the inputs of a model were made (``Splits.preparation``), to make these in the same way.

    Raises
    ------
    UsageError
        If a value cannot mean anything.
    """

    size: tuple[int, ...] | None = None
    channels: int | None = None
    fit: Fit = "stretch"
    shape: tuple[int, ...] | None = None
    label: str | None = None
    group: str | None = None
    ignore: tuple[str, ...] = ()
    missing: Missing = "impute"
    task: Task | None = None
    test_fraction: float = 0.2
    max_bad_share: float = 0.2
    progress: Callable[[int, int], None] | None = field(default=None, repr=False, compare=False)
    preparation: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        image_size = self.size if self.size is not None and len(self.size) == 2 else None
        check_options(self.channels or 3, image_size, self.fit)
        if self.size is not None and (len(self.size) not in (1, 2) or min(self.size) < 1):
            raise UsageError(
                f"size: must be (rows, columns) or (length,), each from 1; got {self.size}. "
                "Use for example (64, 64)."
            )
        if self.shape is not None and (len(self.shape) not in (2, 3, 4) or min(self.shape) < 1):
            raise UsageError(
                f"shape: must be (channels, length), (channels, rows, columns) or (channels, depth, rows, "
                f"columns), each from 1; got {self.shape}. Use for example (1, 28, 28)."
            )
        for name, known in (("missing", get_args(Missing)), ("task", (None, *get_args(Task)))):
            if getattr(self, name) not in known:
                raise unknown_name(name, str(getattr(self, name)), [word for word in known if word])
        for name in ("test_fraction", "max_bad_share"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(
                    f"{name}: must be from 0 to below 1; got {getattr(self, name)}. Use for example 0.2."
                )

    def group_pattern(self) -> re.Pattern[str] | None:
        """Return the regular expression that finds the group of a file."""
        if self.group is None:
            return None
        try:
            return re.compile(self.group)
        except re.error as error:
            raise UsageError(
                f"group: must be a regular expression; got {self.group!r} ({error}). Use for example '^[^_]+'."
            ) from error
