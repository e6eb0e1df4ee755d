"""Callbacks: one per file, with the semantics of Keras where Keras has the same one."""

from striate.training.callbacks.base import Callback
from striate.training.callbacks.checkpoint import Checkpoint
from striate.training.callbacks.csv_log import CSVLog
from striate.training.callbacks.early_stopping import EarlyStopping
from striate.training.callbacks.function import FunctionCallback, as_callbacks
from striate.training.callbacks.progress import ProgressHook
from striate.training.callbacks.progress_bar import ProgressBar
from striate.training.callbacks.reduce_on_plateau import ReduceOnPlateau
from striate.training.callbacks.tensorboard_log import TensorBoardLog

__all__ = [
    "CSVLog",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "FunctionCallback",
    "ProgressBar",
    "ProgressHook",
    "ReduceOnPlateau",
    "TensorBoardLog",
    "as_callbacks",
]
