"""Runs that survive: a configuration, a folder, and going on after whatever stopped them."""

from striate.training.run.config import CheckpointConfig, DataConfig, ModelConfig, RunConfig, TrainingConfig
from striate.training.run.folder import RunFolder
from striate.training.run.run import Run, resume, train

__all__ = [
    "CheckpointConfig",
    "DataConfig",
    "ModelConfig",
    "Run",
    "RunConfig",
    "RunFolder",
    "TrainingConfig",
    "resume",
    "train",
]
