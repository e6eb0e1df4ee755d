"""Settings: fields of dataclasses that hold their kind, default and help."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from typing import Any, Self

from striate.errors import UsageError, unknown_name
from striate.settings.kinds import Kind
from striate.settings.place import Place

NONE, AUTO = "none", "auto"
"""How None is written in a file, since TOML has no word for it: "auto" where a value is chosen in its place."""


@dataclass(frozen=True)
class Setting:
    """The metadata of a setting.

    Parameters
    ----------
    kind : Kind
    help : str
        One sentence: what the setting does.
    off : str
        What None means, such as "no limit"; empty where None is not allowed, or means ``auto``.
    auto : str
        What is chosen in place of None, such as "chosen from the data"; empty where nothing is.
    option : str
        Its option on the command line, such as ``--epochs``; empty for none.
    metavar : str
        What stands for its value in the help of the command line.
    panel : str
        The heading under which the help lists it.
    exact : bool
        A training can go on bit for bit only with the same value.
    """

    kind: Kind
    help: str
    off: str = ""
    auto: str = ""
    option: str = ""
    metavar: str | None = None
    panel: str | None = None
    exact: bool = False

    def read(self, value: Any, place: Place) -> Any:
        """Return a value in canonical form; text means what it means on the command line.

        Raises
        ------
        UsageError
            If the value is none of the setting's kind.
        """
        if value is None or (isinstance(value, str) and value in self._words()):
            if not (self.off or self.auto):
                raise UsageError(f"{place}: must be {self.kind.description}; got nothing.")
            return None
        return self.kind.check(self._parsed(value, place), place)

    def _words(self) -> tuple[str, ...]:
        """Return the words that stand for None; some kinds have "none" as a value."""
        words = (AUTO,) if self.auto else ()
        return (*words, NONE) if (self.off or self.auto) and not self.kind.has_none else words

    def _parsed(self, value: Any, place: Place) -> Any:
        if self.kind.settings is None and not isinstance(value, str):
            value = _with_none(value)
        listed = self.kind.option == list[str] and isinstance(value, list | tuple)
        typed = isinstance(value, str) or (listed and all(isinstance(item, str) for item in value))
        if self.kind.parse is None or not typed:
            return value
        try:
            return self.kind.parse(value)
        except UsageError as error:
            raise UsageError(f"{place}: {error}") from None

    def plain(self, value: Any) -> Any:
        """Return a canonical value as types that TOML and JSON have."""
        return None if value is None else self.kind.plain(value)

    @property
    def word(self) -> str:
        """How None is written in a file."""
        return AUTO if self.auto else NONE


def setting(default: Any, kind: Kind, help: str, **more: Any) -> Any:
    """Return the dataclass field of a setting; further arguments are those of `Setting`.

    A setting whose default is None, and that cannot be None, must be given.
    """
    metadata = {"setting": Setting(kind, help, **more)}
    if default is None and not (more.get("off") or more.get("auto")):
        return dataclasses.field(metadata=metadata)
    if isinstance(default, dict | Settings):
        return dataclasses.field(default_factory=lambda: default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def settings_of(cls: type | Any) -> dict[str, Setting]:
    """Return the settings of a class by name, in order."""
    fields = dataclasses.fields(cls)
    return {field.name: field.metadata["setting"] for field in fields if "setting" in field.metadata}


def default_of(cls: type | Any, name: str) -> Any:
    """Return the default of a setting; ``MISSING`` if it must be given."""
    field = next(field for field in dataclasses.fields(cls) if field.name == name)
    return field.default_factory() if field.default_factory is not MISSING else field.default


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A group of settings; every value is checked and made canonical when it is built."""

    def __post_init__(self) -> None:
        for name, known in settings_of(self).items():
            object.__setattr__(self, name, known.read(getattr(self, name), Place(name)))

    def changed(self, **values: Any) -> Self:
        """Return the same settings with some values replaced."""
        return dataclasses.replace(self, **values)

    def values(self) -> dict[str, Any]:
        """Return every value by name, in canonical form."""
        return {name: getattr(self, name) for name in settings_of(self)}

    def to_dict(self) -> dict[str, Any]:
        """Return every value, as types that TOML and JSON have."""
        return {name: known.plain(getattr(self, name)) for name, known in settings_of(self).items()}


def build(cls: type, values: Any, place: Place) -> Any:
    """Return the settings ``cls`` with values by name; messages begin with the place of the value.

    Raises
    ------
    UsageError
        If ``values`` is not a table, a name is unknown, a value is none of its kind, or one is missing.
    """
    if not isinstance(values, Mapping):
        raise UsageError(f"{place}: must be a table; got {values!r}.")
    known = settings_of(cls)
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise unknown_name(_group(place, name), name, known)
        found[name] = known[name].read(value, place.at(name))
    for name, setting_ in known.items():
        if name not in found and default_of(cls, name) is MISSING:
            raise UsageError(f"{place.at(name)}: is missing; it must be {setting_.kind.description}.")
    return cls(**found)


def _with_none(value: Any) -> Any:
    """Return a table or list from a file with None in place of "none", at every depth."""
    if isinstance(value, Mapping):
        return {key: None if item == NONE else _with_none(item) for key, item in value.items()}
    if isinstance(value, list):
        return [None if item == NONE else _with_none(item) for item in value]
    return value


def _group(place: Place, name: str) -> str:
    """Return the words for the group of settings that has no setting ``name``, with the line of that name."""
    return ": ".join(filter(None, (place.at(name).source(), place.key or "settings")))
