"""Optimizers: frozen descriptions, each with its textbook formula and the kernel that computes it."""

from striate.training.optimizers.adam_variants import LAMB, Adamax, AMSGrad, NAdam, RAdam
from striate.training.optimizers.adaptive import Adam, AdamW
from striate.training.optimizers.base import Optimizer, OptimizerState
from striate.training.optimizers.descent import SGD, GradientDescent, Momentum, Nesterov
from striate.training.optimizers.registry import OPTIMIZERS, optimizer
from striate.training.optimizers.squares import Adadelta, Adagrad, RMSprop

__all__ = [
    "LAMB",
    "OPTIMIZERS",
    "SGD",
    "AMSGrad",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "GradientDescent",
    "Momentum",
    "NAdam",
    "Nesterov",
    "Optimizer",
    "OptimizerState",
    "RAdam",
    "RMSprop",
    "optimizer",
]
