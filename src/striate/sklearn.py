"""Estimators for scikit-learn: ``from striate.sklearn import CNNClassifier, CNNRegressor``."""

from importlib.util import find_spec

if find_spec("sklearn") is None:
    raise ImportError("striate.sklearn: needs scikit-learn. Install it with: pip install 'striate[sklearn]'.")

from striate.interop.sklearn.classifier import CNNClassifier
from striate.interop.sklearn.regressor import CNNRegressor

__all__ = ["CNNClassifier", "CNNRegressor"]
