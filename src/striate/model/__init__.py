"""A network with its parameters: predict, evaluate, save, load."""

from striate.model.core import Model
from striate.model.evaluation import Evaluation
from striate.model.files import load

__all__ = ["Evaluation", "Model", "load"]
