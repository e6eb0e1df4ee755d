"""Everything that a run depends on, as one TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from striate.data.options import Options
from striate.settings import Place, Settings, flag, number, setting, table, text
from striate.settings.setting import NONE, build
from striate.settings.toml import read_tables, to_toml
from striate.storage import write_atomically
from striate.training.settings import words
from striate.training.settings.callbacks import CheckpointConfig, EarlyStoppingSettings, ReduceOnPlateauSettings
from striate.training.settings.canonical import MODEL_OPTIONS
from striate.training.settings.training import LEARNING, TrainingSettings

AUTO = "auto"
"""The name of a model that is to be chosen from the data."""
DATA, RUN = "Data", "Run"


@dataclass(frozen=True, kw_only=True)
class DataConfig(Settings):
    """Where the data come from."""

    name: str = setting(None, text("name of a data set, or path"), "The data set: a name, a folder or a file.")
    folder: str | None = setting(
        None,
        text("path"),
        "Folder with the files of a named data set.",
        off="they are downloaded",
        option="--data-dir",
        metavar="DIR",
        panel=DATA,
    )
    validation_fraction: float = setting(
        0.1,
        number(0, 1, closed=True),
        "Fraction of the training data held out for validation.",
        option="--validation",
        metavar="FRACTION",
        panel=DATA,
    )
    options: Options = setting(Options(), table(Options), "How a folder or file is read.")


@dataclass(frozen=True, kw_only=True)
class ModelConfig(Settings):
    """Which network is trained."""

    name: str = setting(
        AUTO,
        text("name of a network, path of a model or of a TOML file with layers, or auto"),
        "Network to train, or a saved model to continue from; auto: chosen from the data.",
        option="--model",
        metavar="NAME|FILE",
    )
    start: str | None = setting(
        None,
        text("name of a pretrained network, or path of a model"),
        "Model to fine-tune: a pretrained network such as resnet18-imagenet, a file, or the folder of a run.",
        off="a new network",
        option="--start",
        metavar="NAME|FILE",
    )
    options: Mapping[str, Any] = setting(
        {},
        MODEL_OPTIONS,
        "Options of the network, such as dropout=true or hidden=256,100; can be repeated.",
        option="--model-option",
        metavar="NAME=VALUE",
    )
    new_head: bool = setting(
        False, flag(), "Replace the last layer of a saved model to predict other classes.", option="--new-head"
    )


@dataclass(frozen=True, kw_only=True)
class LogsConfig(Settings):
    """Which logs are written in addition to ``log.jsonl``."""

    csv: bool = setting(
        False, flag(), "Also write log.csv, with one line per epoch.", option="--csv-log", panel=RUN
    )
    tensorboard: bool = setting(
        False,
        flag(),
        "Also write event files for TensorBoard, which must be installed.",
        option="--tensorboard",
        panel=RUN,
    )


@dataclass(frozen=True, kw_only=True)
class RunConfig(Settings):
    """A run: what ``config.toml`` holds."""

    data: DataConfig = setting(None, table(DataConfig, lambda name: {"name": name}), "The data.")
    model: ModelConfig = setting(ModelConfig(), table(ModelConfig, lambda name: {"name": name}), "The network.")
    training: TrainingSettings = setting(TrainingSettings(), table(TrainingSettings), "How the network learns.")
    early_stopping: EarlyStoppingSettings | None = setting(
        None,
        table(EarlyStoppingSettings, words.early_stopping),
        "Stop after N epochs without improvement; or EPOCHS:MIN_DELTA:METRIC.",
        off="train for all epochs",
        option="--early-stopping",
        metavar="EPOCHS",
        panel=LEARNING,
    )
    reduce_on_plateau: ReduceOnPlateauSettings | None = setting(
        None,
        table(ReduceOnPlateauSettings, words.reduce_on_plateau),
        "Reduce the learning rate after N epochs without improvement; or EPOCHS:FACTOR:FLOOR:METRIC.",
        off="never",
        option="--reduce-on-plateau",
        metavar="EPOCHS",
        panel=LEARNING,
    )
    checkpoint: CheckpointConfig = setting(CheckpointConfig(), table(CheckpointConfig), "When the run is saved.")
    logs: LogsConfig = setting(LogsConfig(), table(LogsConfig), "Additional logs.")

    def save(self, path: str | Path) -> Path:
        """Write the run as TOML, every value explicit, with a comment on each; return the path."""
        return write_atomically(path, to_toml(self).encode())

    @classmethod
    def load(cls, path: str | Path, data: str | None = None) -> RunConfig:
        """Return the run of a TOML file; keys that it leaves out have their defaults.

        Parameters
        ----------
        path : path
        data : str, optional
            The data set, in place of the one that the file names, if it names one.

        Raises
        ------
        UsageError
            If the file cannot be read, is not TOML, or holds a key or value that a run does not have.
        """
        tables, place = read_tables(path)
        known = tables.get("data", {})
        if data is not None and isinstance(known, Mapping):
            tables = {**tables, "data": {**known, "name": data}}
        return _build(tables, place)

    @classmethod
    def from_dict(cls, tables: Mapping[str, Any]) -> RunConfig:
        """Return the run that ``to_dict`` described; raises UsageError for what a run does not have."""
        return _build(tables, Place())


def _build(tables: Mapping[str, Any], place: Place) -> RunConfig:
    tables, lines = dict(tables), dict(place.lines)
    for name in ("regularisation", "augmentation"):  # tables of their own until version 0.1
        if name in tables:
            moved = {name: AUTO if tables[name] == NONE else tables.pop(name)}
            training = tables.get("training", {})
            tables["training"] = {**training, **moved} if isinstance(training, Mapping) else training
            lines |= {f"training.{key}": line for key, line in lines.items() if key.split(".")[0] == name}
            tables.pop(name, None)
    config: RunConfig = build(RunConfig, tables, replace(place, lines=lines))
    return config
