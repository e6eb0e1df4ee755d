"""Optimizers: frozen descriptions, each with its textbook formula and the kernel that computes it."""

from striate.training.optimizers.adaptive import Adagrad, Adam, AdamW, RMSprop
from striate.training.optimizers.base import Optimizer, State
from striate.training.optimizers.descent import SGD, GradientDescent, Momentum, Nesterov
from striate.training.optimizers.registry import OPTIMIZERS, optimizer

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "GradientDescent",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSprop",
    "State",
    "optimizer",
]
