"""Learning: optimizers, schedules, losses, callbacks, the loop, metrics and runs that survive."""

from striate.losses import Loss
from striate.training.history import EpochRecord, History
from striate.training.optimizers import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
)
from striate.training.regularisation import Regularisation
from striate.training.trainer import Trainer

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "EpochRecord",
    "GradientDescent",
    "History",
    "Loss",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSprop",
    "Regularisation",
    "Trainer",
]
