"""Everything that a run depends on, as one TOML file."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from striate.data.augmentation import Augmentation
from striate.data.options import Options
from striate.errors import UsageError, unknown_name
from striate.storage import write_atomically
from striate.training import defaults
from striate.training.regularisation import Regularisation
from striate.training.run.recipes import AUTO
from striate.training.run.toml import NONE, dumps


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where the data come from.

    Parameters
    ----------
    name : str
        A named data set or a path.
    folder : str, optional
        Where the files of a named set are.
    validation_fraction : float
    options : Options
        How a path is read.
    """

    name: str
    folder: str | None = None
    validation_fraction: float = defaults.VALIDATION_FRACTION
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What learns.

    Parameters
    ----------
    name : str
        A network by name, the file of a saved model to go on from, or "auto" for one that suits the data.
    options : mapping
        Arguments of the named network.
    new_head : bool
        Replace the last learning layer of a saved model, for other classes.
    """

    name: str = AUTO
    options: Mapping[str, Any] = field(default_factory=dict)
    new_head: bool = False


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How it learns; the arguments of ``Trainer`` and ``fit`` by name.

    Where ``epochs``, ``batch_size``, ``optimizer``, ``learning_rate``, ``schedule`` or ``initial`` are None, the
    recipe of the data decides; see `recipe`.

    Parameters
    ----------
    optimizer : mapping
        ``name``, and arguments.
    schedule : mapping
        ``name``, and arguments; see ``schedules.schedule``.
    loss : str or mapping, optional
        A name, or ``name`` and the options of ``Loss``.
    """

    epochs: int | None = None
    batch_size: int | str | None = None
    optimizer: Mapping[str, Any] | None = None
    learning_rate: float | None = None
    schedule: Mapping[str, Any] | None = None
    loss: str | Mapping[str, Any] | None = None
    auxiliary_weight: float = defaults.AUXILIARY_WEIGHT
    seed: int = 0
    threads: int | None = None
    winograd: bool = True
    initial: str | None = None
    sampling: str = "shuffled"
    class_weights: Any = None
    weighted_validation: bool = False
    freeze: tuple[str, ...] = ()
    rates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig:
    """How often a run is saved; the arguments of the callback ``Checkpoint``."""

    every_epochs: int = 1
    every_steps: int | None = None
    every_minutes: float | None = 5.0
    keep: int = 3
    monitor: str | None = None
    least_seconds: float = 1.0


@dataclass(frozen=True, kw_only=True)
class LogsConfig:
    """Which logs of the epochs are written beside ``log.jsonl``: ``log.csv``, and events for TensorBoard."""

    csv: bool = False
    tensorboard: bool = False


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """A run.

    Parameters
    ----------
    augmentation : Augmentation or None
        None for what the recipe of the data has; ``Augmentation()`` for none.
    early_stopping, reduce_on_plateau : mapping or None
        The arguments of these callbacks; None for not at all.
    """

    data: DataConfig
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    regularisation: Regularisation = field(default_factory=Regularisation)
    augmentation: Augmentation | None = None
    early_stopping: Mapping[str, Any] | None = None
    reduce_on_plateau: Mapping[str, Any] | None = None
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    logs: LogsConfig = field(default_factory=LogsConfig)

    def explicit(self) -> RunConfig:
        """Return the same run with every argument of optimizer, schedule, model and callbacks written out.

        Paths become absolute, so that the run can go on from any folder. What is left to the recipe of the
        data stays open; ``suited`` fills it in.
        """
        from striate.training.run.explicit import explicit

        return explicit(self)

    def to_dict(self) -> dict[str, Any]:
        """Return every value, as TOML types and None."""
        data: dict[str, Any] = {"name": self.data.name, "folder": self.data.folder}
        data |= {"validation_fraction": self.data.validation_fraction, "options": _fields(self.data.options)}
        return {
            "data": data,
            "model": _fields(self.model),
            "training": _fields(self.training),
            "regularisation": _fields(self.regularisation),
            "augmentation": None if self.augmentation is None else self.augmentation.to_dict(),
            "early_stopping": self.early_stopping,
            "reduce_on_plateau": self.reduce_on_plateau,
            "checkpoint": _fields(self.checkpoint),
            "logs": _fields(self.logs),
        }

    def save(self, path: str | Path) -> Path:
        """Write the run as TOML, every value explicit; return the path."""
        return write_atomically(path, dumps(self.to_dict()).encode())

    @classmethod
    def load(cls, path: str | Path) -> RunConfig:
        """Return the run of a TOML file; what it leaves out has its default.

        Raises
        ------
        UsageError
            If the file cannot be read, is not TOML, or holds something that a run does not have.
        """
        try:
            tables = tomllib.loads(Path(path).read_text("utf-8"))
        except OSError as error:
            raise UsageError(f"{path}: cannot be read ({error.strerror}). Check the name.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: must be TOML; {error}.") from error
        return cls.from_dict(tables)

    @classmethod
    def from_dict(cls, tables: Mapping[str, Any]) -> RunConfig:
        """Return the run that ``to_dict`` described; raises UsageError for what a run does not have."""
        found = dict(_canonical(tables))
        parts: dict[str, Any] = {}
        for name, kind in _PARTS.items():
            parts[name] = _build(kind, name, found.pop(name, {}))
        moved = found.pop("augmentation", None)
        parts["augmentation"] = None if moved is None else Augmentation.from_dict(moved)
        for name in ("early_stopping", "reduce_on_plateau"):
            parts[name] = found.pop(name, None)
        if found:
            raise unknown_name("configuration", next(iter(found)), [*parts])
        return cls(**parts)


_PARTS: dict[str, type] = {
    "data": DataConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "regularisation": Regularisation,
    "checkpoint": CheckpointConfig,
    "logs": LogsConfig,
}


def _fields(value: Any) -> dict[str, Any]:
    """Return what can be written of a dataclass."""
    names = [item.name for item in dataclasses.fields(value) if item.compare]
    return {name: getattr(value, name) for name in names}


def _build(kind: type, where: str, table: Any) -> Any:
    if not isinstance(table, Mapping):
        raise UsageError(f"configuration: [{where}] must be a table; got {table!r}.")
    known = {item.name: item for item in dataclasses.fields(kind) if item.compare}
    for key in table:
        if key not in known:
            raise unknown_name(f"configuration: [{where}]", key, known)
    arguments = dict(table)
    if kind is DataConfig and "options" in arguments:
        arguments["options"] = _build(Options, "data.options", arguments["options"])
    if kind is DataConfig and not isinstance(arguments.get("name"), str):
        raise UsageError('configuration: [data] needs a name, such as name = "digits".')
    return kind(**arguments)


def _canonical(value: Any) -> Any:
    """Turn the text "none" into None and lists into tuples, at every depth."""
    if isinstance(value, Mapping):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(map(_canonical, value))
    return None if isinstance(value, str) and value == NONE else value
