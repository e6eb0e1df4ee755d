"""From the options of a command line to the configuration of a run."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.data.options import Options
    from striate.training.run import RunConfig

Tables = dict[str, Any]
NONE = "none"

PLACES: dict[str, str] = {
    "dataset": "data.name",
    "data_dir": "data.folder",
    "validation": "data.validation_fraction",
    "size": "data.options.size",
    "channels": "data.options.channels",
    "fit": "data.options.fit",
    "shape": "data.options.shape",
    "label": "data.options.label",
    "group": "data.options.group",
    "ignore": "data.options.ignore",
    "missing": "data.options.missing",
    "task": "data.options.task",
    "test_fraction": "data.options.test_fraction",
    "max_bad_share": "data.options.max_bad_share",
    "model": "model.name",
    "model_option": "model.options",
    "new_head": "model.new_head",
    "epochs": "training.epochs",
    "batch_size": "training.batch_size",
    "optimizer": "training.optimizer",
    "learning_rate": "training.learning_rate",
    "schedule": "training.schedule",
    "warm_up": "training.schedule.warm_up_epochs",
    "initial": "training.initial",
    "loss": "training.loss",
    "seed": "training.seed",
    "threads": "training.threads",
    "no_winograd": "training.winograd",
    "class_weights": "training.class_weights",
    "sampling": "training.sampling",
    "weighted_validation": "training.weighted_validation",
    "freeze": "training.freeze",
    "rate": "training.rates",
    "reduce_on_plateau": "reduce_on_plateau",
    "early_stopping": "early_stopping",
    "augment": "augmentation",
    "weight_decay": "regularisation.weight_decay",
    "l1": "regularisation.l1",
    "l2": "regularisation.l2",
    "label_smoothing": "regularisation.label_smoothing",
    "max_norm": "regularisation.max_norm",
    "clip_norm": "regularisation.clip_norm",
    "clip_value": "regularisation.clip_value",
    "weight_noise": "regularisation.weight_noise",
    "checkpoint_steps": "checkpoint.every_steps",
    "checkpoint_minutes": "checkpoint.every_minutes",
    "keep_checkpoints": "checkpoint.keep",
    "csv_log": "logs.csv",
    "tensorboard": "logs.tensorboard",
}
"""Where the value of each option goes."""


def run_config(given: Mapping[str, Any], file: Path | None = None) -> RunConfig:
    """Return the run that the options describe, on top of a file; the recipe of the data decides the rest.

    Parameters
    ----------
    given : mapping
        The options by name; None where nothing was typed.

    Raises
    ------
    UsageError
        If a value cannot mean anything, or there is no data set.
    """
    from striate.training.run import RunConfig

    typed = {name: value for name, value in given.items() if name in PLACES and not _is_missing(value)}
    tables = RunConfig.load(file).to_dict() if file is not None else {}
    if file is None and "dataset" not in typed:
        raise UsageError("train: needs a data set; got none. Write for example striate train digits.")
    if "model" in typed:
        tables["model"] = {}  # another network has other options
    for name, value in typed.items():
        convert = _CONVERT.get(name, _as_it_is)
        _put(tables, PLACES[name], convert(value))
    return RunConfig.from_dict(tables)


def model_label(config: RunConfig) -> str | None:
    """Return the model by name, or None where data that are not read yet will decide."""
    from striate.training.run.recipes import AUTO, NAMED

    if config.model.name != AUTO:
        return config.model.name
    return NAMED[config.data.name].model if config.data.name in NAMED else None


def with_progress(config: RunConfig, progress: Callable[[int, int], None]) -> RunConfig:
    """Return the configuration with a function that is told how far decoding has come."""
    options = dataclasses.replace(config.data.options, progress=progress)
    return dataclasses.replace(config, data=dataclasses.replace(config.data, options=options))


def data_options(given: Mapping[str, Any]) -> Options:
    """Return how a path is read, from options by name."""
    from striate.data.options import Options

    names = {name: place.removeprefix("data.options.") for name, place in PLACES.items() if "data.options" in place}
    chosen = {names[key]: value for key, value in given.items() if key in names and value is not None}
    return Options(**{key: _CONVERT.get(key, _as_it_is)(value) for key, value in chosen.items()})


def _is_missing(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, list | tuple) and not value)


def _put(tables: Tables, place: str, value: Any) -> None:
    *path, last = place.split(".")
    for name in path:
        tables[name] = dict(tables.get(name) or {})
        tables = tables[name]
    tables[last] = value


def _as_it_is(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _sides(text: str) -> tuple[int, ...]:
    from striate.cli.parsing import sizes

    found = sizes(text, "--size or --shape")
    return found if isinstance(found, tuple) else (found,)


def _batch_size(text: str) -> int | str:
    if text == "full":
        return text
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"--batch-size: must be a number or full; got {text!r}.") from None


def _model_options(words: list[str]) -> Tables:
    options: Tables = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not name or not text:
            raise UsageError(f"--model-option: must be NAME=VALUE, such as dropout=true; got {word!r}.")
        values = [_value(part) for part in text.split(",")]
        options[name] = values[0] if len(values) == 1 else tuple(values)
    return options


def _value(text: str) -> bool | int | float | str:
    """Return a truth value or a number where the text is one, else the text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _augment(text: str) -> Tables:
    from striate.cli.augmentation import augmentation

    return augmentation("" if text == NONE else text).to_dict()


def _learning(name: str) -> Callable[[Any], Any]:
    """Return the function of ``striate.cli.learning`` of that name; it is imported when it is called."""

    def convert(text: Any) -> Any:
        from striate.cli import learning

        return getattr(learning, name)(text)

    return convert


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "model_option": _model_options,
    "size": _sides,
    "shape": _sides,
    "ignore": tuple,
    "batch_size": _batch_size,
    "optimizer": lambda name: {"name": name},
    "schedule": _learning("schedule"),
    "augment": _augment,
    "no_winograd": lambda wanted: not wanted,
    "loss": _learning("loss"),
    "class_weights": _learning("class_weights"),
    "rate": _learning("rates"),
    "reduce_on_plateau": _learning("reduce_on_plateau"),
    "early_stopping": _learning("early_stopping"),
}
