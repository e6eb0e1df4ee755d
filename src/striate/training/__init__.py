"""Training: optimizers, schedules, callbacks, the loop, checkpoints, and runs that survive interruptions."""

from typing import TYPE_CHECKING

from striate.lazy import attach

if TYPE_CHECKING:
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
    from striate.training.settings.regularisation import Regularisation
    from striate.training.settings.training import TrainingSettings
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
    "TrainingSettings",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "striate.training.history": ["EpochRecord", "History"],
        "striate.losses": ["Loss"],
        "striate.training.optimizers": [
            "SGD",
            "Adagrad",
            "Adam",
            "AdamW",
            "GradientDescent",
            "Momentum",
            "Nesterov",
            "Optimizer",
            "RMSprop",
        ],
        "striate.training.settings.regularisation": ["Regularisation"],
        "striate.training.settings.training": ["TrainingSettings"],
        "striate.training.trainer": ["Trainer"],
    },
)
