"""The place of a setting: the beginning of messages about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Place:
    """A key of a configuration, an option, or an argument.

    Parameters
    ----------
    key : str
        With dots, such as ``training.epochs``; empty for the whole.
    file : str
        The configuration file, where the value comes from one.
    lines : mapping of str to int
        The line of each key in it.

    Examples
    --------
    >>> str(Place("training", "run.toml", {"training": 3, "training.epochs": 4}).at("epochs"))
    'run.toml, line 4: training.epochs'
    """

    key: str = ""
    file: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)

    def at(self, key: str) -> Place:
        """Return the place of a key inside this one."""
        return replace(self, key=f"{self.key}.{key}" if self.key else key)

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.source(), self.key)))

    def source(self) -> str:
        """Return the file and line, such as "run.toml, line 4"; empty without a file."""
        if not self.file:
            return ""
        key = self.key
        while key and key not in self.lines:
            key = key.rpartition(".")[0]
        return f"{self.file}, line {self.lines[key]}" if key else self.file
