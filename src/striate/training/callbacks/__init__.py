"""What happens beside training: one callback per file, with the semantics of Keras where Keras has one."""

from striate.training.callbacks.base import Callback
from striate.training.callbacks.function import FunctionCallback, as_callbacks

__all__ = ["Callback", "FunctionCallback", "as_callbacks"]
