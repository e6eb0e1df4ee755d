"""The ranges that a search varies, and how a value changes a configuration."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate.data.dataset import Dataset
from striate.errors import UsageError, unknown_name
from striate.models.registry import MODELS
from striate.settings import settings_of
from striate.training.optimizers.registry import describe
from striate.training.run.config import RunConfig
from striate.training.settings.regularisation import Regularisation
from striate.training.settings.training import TrainingSettings

NETWORK, RECIPE = "network", "recipe"
AUGMENTATIONS = {
    "none": "none",
    "light": "rotation:5 shift:0.03",
    "strong": "rotation:15 zoom:0.8:1.25 shift:0.1 brightness:0.1 contrast:0.8:1.25",
}
CNN_RANGES = ("blocks", "convolutions", "channels", "kernel_size", "activation", "dropout")


@dataclass(frozen=True)
class Range:
    """The values that one setting may take: between two bounds, or one of some choices.

    Parameters
    ----------
    name : str
    low, high : float, optional
        Both ends belong to the range; whole numbers if both are.
    log : bool
        Tried evenly over orders of magnitude.
    choices : tuple
        In place of bounds.
    """

    name: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()

    def suggest(self, trial: Any) -> Any:
        """Ask a trial of Optuna for a value."""
        if self.choices:
            return trial.suggest_categorical(self.name, self.choices)
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        draw = trial.suggest_int if whole else trial.suggest_float
        return draw(self.name, self.low, self.high, log=self.log)

    def describe(self) -> list[Any]:
        """Return the range as JSON types, by which searches are compared."""
        return [self.name, self.low, self.high, self.log, list(self.choices)]


def parse_range(text: str) -> Range:
    """Return the range described by ``NAME=LOW:HIGH``, ``NAME=LOW:HIGH:log`` or ``NAME=A,B,C``.

    Raises
    ------
    UsageError
        If it stands for none.

    Examples
    --------
    >>> parse_range("learning_rate=1e-4:1e-1:log")
    Range(name='learning_rate', low=0.0001, high=0.1, log=True, choices=())
    >>> parse_range("batch_size=16,32").choices
    (16, 32)
    """
    name, sign, rest = text.partition("=")
    name, parts = name.strip().replace("-", "_"), rest.split(":")
    if not (name and sign and rest):
        raise _refused(text)
    if len(parts) == 1:
        return Range(name, choices=tuple(_value(part) for part in rest.split(",")))
    low, high = _value(parts[0]), _value(parts[1])
    log = parts[2:] == ["log"]
    numbers = all(isinstance(bound, int | float) and math.isfinite(bound) for bound in (low, high))
    if not numbers or (len(parts) > 2 and not log):
        raise _refused(text)
    if not low < high:
        raise UsageError(f"range: LOW must be less than HIGH; got {text!r}. Use {name}={parts[1]}:{parts[0]}.")
    if log and low <= 0:
        raise UsageError(
            f"range: LOW must be above 0 for orders of magnitude; got {text!r}. Raise it, or drop :log."
        )
    return Range(name, low, high, log)


def ranges_for(config: RunConfig, data: Dataset, given: Sequence[Range]) -> list[Range]:
    """Return the ranges of a search: those given, else what suits the data.

    Parameters
    ----------
    config : RunConfig
        With nothing left open; see `resolve`.
    data : Dataset
        The training split.
    given : sequence of Range

    Raises
    ------
    UsageError
        If a name is unknown or given twice.
    """
    known = known_names(config)
    names = [found.name for found in given]
    for name in names:
        if name not in known:
            raise unknown_name("range", name, known)
        if names.count(name) > 1:
            raise UsageError(f"range: {name} is given twice. Give each name once.")
    return list(given) or [*_networks(config, data), *_training(config, data)]


def known_names(config: RunConfig) -> list[str]:
    """Return every name that a range may have, for the network of a configuration."""
    options = inspect.signature(MODELS[config.model.name]).parameters if config.model.name in MODELS else ()
    own = [name for name in options if name not in ("classes", "input_shape")]
    plain = [name for name in settings_of(TrainingSettings) if name not in ("regularisation", "seed", "threads")]
    return [*plain, *settings_of(Regularisation), *own]


def changed(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """Return a configuration with the values of a trial."""
    values = dict(values)
    if values.pop(NETWORK, RECIPE) != RECIPE:
        options = {name: values.pop(name) for name in CNN_RANGES if name in values}
        config = config.changed(model=config.model.changed(name="cnn", options=options))
    training = config.training
    for name, value in values.items():
        if name == "optimizer":
            training = training if value == _optimizer(config) else training.changed(optimizer=value)
        elif name == "augmentation":
            text = AUGMENTATIONS.get(value, value)
            training = training if text == RECIPE else training.changed(augmentation=text)
        elif name in settings_of(Regularisation):
            training = training.changed(regularisation=training.regularisation.changed(**{name: value}))
        elif name in settings_of(TrainingSettings):
            training = training.changed(**{name: value})
        else:
            model = config.model
            config = config.changed(model=model.changed(options={**model.options, name: value}))
    return config.changed(training=training)


def recipe_values(config: RunConfig, ranges: Sequence[Range]) -> dict[str, Any]:
    """Return the values of the configuration itself, where they lie in the ranges: the first trial."""
    training = config.training
    own = {
        NETWORK: RECIPE,
        "augmentation": RECIPE,
        "learning_rate": training.learning_rate,
        "batch_size": training.batch_size,
        "optimizer": _optimizer(config),
        **training.regularisation.values(),
        **config.model.options,
    }
    return {found.name: own[found.name] for found in ranges if _holds(found, own.get(found.name))}


def _networks(config: RunConfig, data: Dataset) -> list[Range]:
    """Return the ranges of the network, where the samples have space to convolve over."""
    space = data.sample_shape[1:]
    if config.model.name not in MODELS:
        return []
    if data.symbols or not space or min(space) < 2:
        if config.model.name != "mlp":
            return []
        return [Range("hidden", choices=(16, 64, 256)), Range("activation", choices=("relu", "tanh"))]
    deepest = min(4, int(math.log2(min(space))))
    return [
        Range(NETWORK, choices=(RECIPE, "cnn")),
        Range("blocks", 1, deepest) if deepest > 1 else Range("blocks", choices=(1,)),
        Range("convolutions", 1, 2),
        Range("channels", choices=(4, 8, 16, 32)),
        Range("kernel_size", choices=(3, 5)),
        Range("activation", choices=("relu", "tanh")),
        Range("dropout", 0.0, 0.5),
    ]


def _training(config: RunConfig, data: Dataset) -> list[Range]:
    """Return the ranges of the training; what the recipe chose is among them."""
    training = config.training
    rate = training.learning_rate if isinstance(training.learning_rate, float) else 1e-3
    size = training.batch_size if isinstance(training.batch_size, int) else 64
    name = _optimizer(config)
    found = [
        Range("learning_rate", min(1e-4, rate), max(3e-2, rate), log=True),
        Range("batch_size", choices=tuple(sorted({16, 32, 64, 128, size}))),
        Range("optimizer", choices=tuple(dict.fromkeys([name, "adam", "adamw", "momentum"]))),
        Range("weight_decay", 0.0, 0.1),
    ]
    images = len(data.sample_shape) == 3 and not data.symbols
    return [*found, Range("augmentation", choices=(RECIPE, *AUGMENTATIONS))] if images else found


def _optimizer(config: RunConfig) -> str:
    rule = config.training.optimizer
    return "adam" if rule is None else str(describe(rule)["name"])


def _holds(found: Range, value: Any) -> bool:
    if found.choices:
        return value in found.choices
    return isinstance(value, int | float) and found.low is not None and found.low <= value <= (found.high or value)


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text, text)


def _refused(text: str) -> UsageError:
    return UsageError(
        f"range: must be NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C; got {text!r}. "
        "Use for example learning_rate=1e-4:1e-1:log."
    )
