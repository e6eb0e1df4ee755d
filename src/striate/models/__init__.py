"""Networks people teach and use: each a short function from classes and input size to a description."""

from striate.models.classic import logistic_regression, mlp
from striate.models.digit_recogniser import digit_recogniser
from striate.models.lenet import lenet5
from striate.models.registry import MODELS, build

__all__ = ["MODELS", "build", "digit_recogniser", "lenet5", "logistic_regression", "mlp"]
