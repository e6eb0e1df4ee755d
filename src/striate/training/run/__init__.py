"""Runs: a configuration and a folder, from which training continues after any interruption."""

from typing import TYPE_CHECKING

from striate.lazy import attach

if TYPE_CHECKING:
    from striate.training.run.config import DataConfig, LogsConfig, ModelConfig, RunConfig
    from striate.training.run.folder import RunFolder
    from striate.training.run.run import Run, resume, train
    from striate.training.settings.callbacks import CheckpointConfig
    from striate.training.settings.training import TrainingSettings

__all__ = [
    "CheckpointConfig",
    "DataConfig",
    "LogsConfig",
    "ModelConfig",
    "Run",
    "RunConfig",
    "RunFolder",
    "TrainingSettings",
    "resume",
    "train",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "striate.training.run.config": ["DataConfig", "LogsConfig", "ModelConfig", "RunConfig"],
        "striate.training.run.folder": ["RunFolder"],
        "striate.training.run.run": ["Run", "resume", "train"],
        "striate.training.settings.callbacks": ["CheckpointConfig"],
        "striate.training.settings.training": ["TrainingSettings"],
    },
)
