"""Losses: what training minimises, what a target is to it, and what outputs mean."""

from striate.losses.base import Loss
from striate.losses.binary import BinaryCrossEntropy
from striate.losses.cross_entropy import CrossEntropy
from striate.losses.expression import ExpressionLoss
from striate.losses.hinge import Hinge
from striate.losses.interpretation import CLASSES, LABELS, NUMBERS, Interpretation, is_on, labels_on, usual_names
from striate.losses.likelihood import GaussianNegativeLogLikelihood, PoissonNegativeLogLikelihood
from striate.losses.registry import LOSSES, by_name, register
from striate.losses.regression import ErrorLoss, Huber, MeanAbsoluteError, MeanSquaredError
from striate.losses.shares import KLDivergence, SoftCrossEntropy
from striate.losses.targets import is_labelled

__all__ = [
    "CLASSES",
    "LABELS",
    "LOSSES",
    "NUMBERS",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "ErrorLoss",
    "ExpressionLoss",
    "GaussianNegativeLogLikelihood",
    "Hinge",
    "Huber",
    "Interpretation",
    "KLDivergence",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "PoissonNegativeLogLikelihood",
    "SoftCrossEntropy",
    "by_name",
    "is_labelled",
    "is_on",
    "labels_on",
    "register",
    "usual_names",
]
