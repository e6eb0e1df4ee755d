"""Learning: optimizers, schedules, losses, callbacks, the loop, metrics and runs that survive."""

from striate.training.history import EpochRecord, History
from striate.training.optimizers import (
    Adagrad,
    Adam,
    AdamW,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
)
from striate.training.trainer import Trainer

__all__ = [
    "Adagrad",
    "Adam",
    "AdamW",
    "EpochRecord",
    "GradientDescent",
    "History",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSprop",
    "Trainer",
]
