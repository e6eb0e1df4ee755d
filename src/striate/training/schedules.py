"""Learning rate schedules: plain functions of the number of steps already taken.

The functions below return such functions. Any other function of the step works as well. Reducing the
rate when progress stalls depends on more than the step, so it is a callback and not a schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from striate.errors import UsageError, unknown_name
from striate.layers.arguments import integer, real

Schedule = Callable[[int], float]
"""A function from the number of steps already taken to the learning rate of the next one."""


def constant(rate: float) -> Schedule:
    """Return ``alpha(t) = rate``."""
    return partial(_constant, check_learning_rate(rate))


def step_decay(rate: float, every: int | Sequence[int], factor: float = 0.1) -> Schedule:
    """Return ``alpha(t) = rate * factor^k``, where k counts the reductions up to step t.

    Parameters
    ----------
    every : int or increasing sequence of int
        Reduce the rate every N steps, or after each of these steps.
    factor : float
        Above 0, at most 1.

    Examples
    --------
    >>> alpha = step_decay(0.1, every=100, factor=0.5)
    >>> alpha(99), alpha(100), alpha(200)
    (0.1, 0.05, 0.025)
    """
    rate, factor = check_learning_rate(rate), _factor(factor)
    if isinstance(every, Sequence):
        falls = tuple(integer(fall, "step decay: every") for fall in every)
        if list(falls) != sorted(set(falls)):
            raise UsageError(f"step decay: the steps must increase; got {list(falls)}.")
        return partial(_after_falls, rate, factor, falls)
    return partial(_every, rate, factor, integer(every, "step decay: every"))


def exponential(rate: float, every: int, factor: float) -> Schedule:
    """Return ``alpha(t) = rate * factor^(t / every)``.

    Examples
    --------
    >>> round(exponential(0.1, every=100, factor=0.25)(50), 12)
    0.05
    """
    rate, factor, width = check_learning_rate(rate), _factor(factor), integer(every, "exponential: every")
    return partial(_exponential, rate, factor, width)


def cosine(rate: float, steps: int, floor: float = 0.0) -> Schedule:
    """Return ``alpha(t) = floor + (rate - floor) (1 + cos(pi t / steps)) / 2``, and ``floor`` after ``steps``.

    References
    ----------
    Loshchilov and Hutter (2017), "SGDR: stochastic gradient descent with warm restarts", equation 5.

    Examples
    --------
    >>> alpha = cosine(0.2, steps=100)
    >>> alpha(0), round(alpha(50), 12), alpha(100)
    (0.2, 0.1, 0.0)
    """
    rate, floor, steps = check_learning_rate(rate), _floor(floor, rate), integer(steps, "cosine: steps")
    return partial(_cosine, rate, floor, steps)


def warm_up(steps: int, then: float | Schedule) -> Schedule:
    """Return a rate that rises linearly over ``steps`` to the first rate of ``then``, which follows.

    ``alpha(t) = then(0) (t + 1) / (steps + 1)`` for t < steps, else ``then(t - steps)``.

    References
    ----------
    Goyal et al. (2017), "Accurate, large minibatch SGD: training ImageNet in 1 hour", section 2.2.

    Examples
    --------
    >>> alpha = warm_up(3, then=0.4)
    >>> [round(alpha(t), 12) for t in range(5)]
    [0.1, 0.2, 0.3, 0.4, 0.4]
    """
    return partial(_warm_up, integer(steps, "warm-up: steps"), as_schedule(then))


def one_cycle(
    rate: float, steps: int, rise: float = 0.3, start_factor: float = 25.0, end_factor: float = 1e4
) -> Schedule:
    """Return a rate that rises once and falls once.

    It begins at ``rate / start_factor``, reaches ``rate`` after the share ``rise`` of the steps, and ends at
    ``rate / start_factor / end_factor``. Both legs are half a cosine. The meaning of the arguments is that
    in PyTorch's ``OneCycleLR``.

    References
    ----------
    Smith and Topin (2018), "Super-convergence: very fast training of neural networks using large
    learning rates".
    """
    rate, steps = check_learning_rate(rate), integer(steps, "one-cycle: steps", minimum=2)
    rise = real(rise, "one-cycle: rise", above=0, below=1)
    start = rate / real(start_factor, "one-cycle: start_factor", above=0)
    end = start / real(end_factor, "one-cycle: end_factor", above=0)
    return partial(_one_cycle, (start, rate, end), rise * steps - 1.0, steps - 1.0)


def as_schedule(value: float | Schedule) -> Schedule:
    """Return a constant schedule for a number, and a function as it is.

    Raises
    ------
    UsageError
        If a number is negative, NaN or infinite, or the value is neither a number nor a function.
    """
    if callable(value):
        return value
    if isinstance(value, str):
        raise UsageError(f"learning rate: must be a number or a function of the step; got {value!r}.")
    return constant(value)


def check_learning_rate(value: object) -> float:
    """Return a learning rate as a float; raises UsageError unless it is finite and not negative."""
    return real(value, "learning rate", above=0, closed=True)


# The schedules by their formulas: functions of a module, so that a trainer with a schedule can be pickled.


def _constant(rate: float, step: int) -> float:
    return rate


def _after_falls(rate: float, factor: float, falls: Sequence[int], step: int) -> float:
    return float(rate * factor ** sum(step >= fall for fall in falls))


def _every(rate: float, factor: float, width: int, step: int) -> float:
    return float(rate * factor ** (step // width))


def _exponential(rate: float, factor: float, width: int, step: int) -> float:
    return float(rate * factor ** (step / width))


def _cosine(rate: float, floor: float, steps: int, step: int) -> float:
    return floor + (rate - floor) * (1.0 + math.cos(math.pi * min(step, steps) / steps)) / 2.0


def _warm_up(steps: int, following: Schedule, step: int) -> float:
    return following(0) * (step + 1) / (steps + 1) if step < steps else following(step - steps)


def _one_cycle(rates: tuple[float, float, float], top: float, last: float, step: int) -> float:
    start, rate, end = rates
    if step < top:
        return _between(start, rate, step / top)
    return _between(rate, end, min(1.0, (step - top) / (last - top)))


def _between(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1.0 + math.cos(math.pi * share)) / 2.0


def _factor(value: float) -> float:
    factor = real(value, "learning rate: factor", above=0)
    if factor > 1:
        raise UsageError(f"learning rate: factor must be at most 1; got {factor:g}. Use for example 0.1.")
    return factor


def _floor(value: float, rate: float) -> float:
    floor = real(value, "learning rate: floor", above=0, closed=True)
    if floor > rate:
        raise UsageError(f"learning rate: the floor must be at most the rate {rate:g}; got {floor:g}.")
    return floor


ARGUMENTS: dict[str, dict[str, float]] = {
    "constant": {},
    "step": {"every_epochs": 10.0, "factor": 0.1},
    "exponential": {"every_epochs": 1.0, "factor": 0.95},
    "cosine": {"floor": 0.0},
    "one_cycle": {"rise": 0.3, "start_factor": 25.0, "end_factor": 1e4},
}
"""The schedules that a configuration or a command line may name, and their arguments."""
WARM_UP = "warm_up_epochs"
"""An argument of every schedule."""


def schedule(
    name: str, rate: float, steps_per_epoch: int, epochs: int, *, warm_up_epochs: float = 0.0, **arguments: float
) -> Schedule:
    """Return a schedule by name, spread over a run.

    Parameters
    ----------
    name : {"constant", "step", "exponential", "cosine", "one_cycle"}
    rate : float
        The largest learning rate.
    steps_per_epoch, epochs : int
        How long the run is.
    warm_up_epochs : float
        The number of epochs over which the rate first rises linearly.
    **arguments
        Those of `ARGUMENTS`.

    Raises
    ------
    UsageError
        If there is no such schedule, or it has no such argument.
    """
    known = _check_names(name, arguments)
    warm = round(real(warm_up_epochs, "schedule: warm_up_epochs", above=0, closed=True) * steps_per_epoch)
    following = _named(name, rate, max(2, steps_per_epoch * epochs - warm), steps_per_epoch, known | arguments)
    return warm_up(warm, following) if warm else following


def schedule_arguments(description: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return ``name`` and all arguments of a schedule that is given by its name, or with some of them.

    Raises
    ------
    UsageError
        If there is no such schedule, it has no such argument, or an argument is invalid.
    """
    given = {"name": description} if isinstance(description, str) else dict(description)
    name = given.pop("name", "constant")
    defaults = _check_names(name, [key for key in given if key != WARM_UP])
    schedule(name, 1.0, 100, 10, **given)  # refuses values that are not valid
    return {"name": name, WARM_UP: 0.0, **defaults, **given}


def run_schedule(
    rate: float | Schedule, arguments: Mapping[str, Any], steps_per_epoch: int, epochs: int, first_step: int = 0
) -> Schedule:
    """Return the schedule of a training that begins with step ``first_step``; a function stays as it is."""
    if callable(rate) or isinstance(rate, str):
        return as_schedule(rate)
    options = dict(arguments)
    alpha = schedule(options.pop("name"), rate, steps_per_epoch, epochs, **options)
    return (lambda step: alpha(step - first_step)) if first_step else alpha


def arguments_of(name: str) -> dict[str, float]:
    """Return the arguments of a schedule with their defaults; raises UsageError with the nearest names."""
    if name not in ARGUMENTS:
        raise unknown_name("schedule", name, ARGUMENTS)
    return dict(ARGUMENTS[name])


def _check_names(name: str, arguments: Iterable[str]) -> dict[str, float]:
    """Return the arguments of a schedule with their defaults; raises UsageError if one is not among them."""
    known = arguments_of(name)
    for key in arguments:
        if key not in known:
            raise UsageError(
                f"schedule: {name} takes the arguments {', '.join((*known, WARM_UP))}; got {key!r}. Leave it out."
            )
    return known


def _named(name: str, rate: float, steps: int, per_epoch: int, arguments: dict[str, float]) -> Schedule:
    if "every_epochs" in arguments:
        epochs = real(arguments["every_epochs"], "schedule: every_epochs", above=0)
        make = step_decay if name == "step" else exponential
        return make(rate, max(1, round(epochs * per_epoch)), arguments["factor"])
    if name == "cosine":
        return cosine(rate, steps, **arguments)
    return one_cycle(rate, steps, **arguments) if name == "one_cycle" else constant(rate)
