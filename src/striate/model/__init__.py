"""A network with its parameters: predict, evaluate, save, load."""

from striate.model.core import Model, load
from striate.model.evaluation import Evaluation

__all__ = ["Evaluation", "Model", "load"]
