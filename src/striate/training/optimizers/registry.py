"""Optimizers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from striate.errors import UsageError, unknown_name
from striate.training.optimizers.adam_variants import LAMB, Adamax, AMSGrad, NAdam, RAdam
from striate.training.optimizers.adaptive import Adam, AdamW
from striate.training.optimizers.base import Optimizer
from striate.training.optimizers.descent import GradientDescent, Momentum, Nesterov
from striate.training.optimizers.squares import Adadelta, Adagrad, RMSprop

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "adadelta": Adadelta,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamax": Adamax,
    "amsgrad": AMSGrad,
    "adamw": AdamW,
    "gradient_descent": GradientDescent,
    "lamb": LAMB,
    "momentum": Momentum,
    "nadam": NAdam,
    "nesterov": Nesterov,
    "radam": RAdam,
    "rmsprop": RMSprop,
    "sgd": GradientDescent,
}
"""The names that a command line or a configuration may use."""


def optimizer(name: str | Optimizer, **arguments: Any) -> Optimizer:
    """Return the optimizer called ``name``, or ``name`` itself if it is one already.

    Raises
    ------
    UsageError
        If there is no such optimizer, or it has no such argument.

    Examples
    --------
    >>> optimizer("adam", beta1=0.8)
    Adam(beta1=0.8, beta2=0.999, epsilon=1e-08)
    """
    if isinstance(name, Optimizer):
        return name
    if not isinstance(name, str) or name.lower() not in OPTIMIZERS:
        raise unknown_name("optimizer", name, OPTIMIZERS)
    cls = OPTIMIZERS[name.lower()]
    try:
        return cls(**arguments)
    except TypeError:
        known = ", ".join(cls().config()) or "none"
        got = ", ".join(arguments)
        raise UsageError(f"{name}: takes the arguments {known}; got {got}. Leave out the others.") from None


def describe(optimizer: Optimizer) -> dict[str, Any]:
    """Return an optimizer as JSON types: its name and every argument.

    Raises
    ------
    UsageError
        If it is not one of `OPTIMIZERS`.
    """
    for name, cls in OPTIMIZERS.items():
        if type(optimizer) is cls:
            return {"name": name, **optimizer.config()}
    raise UsageError(
        f"optimizer: a run needs one of {', '.join(OPTIMIZERS)}; got {type(optimizer).__name__}. "
        "Use a Trainer for one of your own."
    )


def from_description(description: Mapping[str, Any]) -> Optimizer:
    """Return the optimizer that ``describe`` wrote; raises UsageError if it is not one."""
    arguments = dict(description)
    return optimizer(arguments.pop("name", ""), **arguments)
