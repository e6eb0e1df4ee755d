"""Estimators for scikit-learn: ``from striate.sklearn import CNNClassifier, CNNRegressor``."""

from striate.interop.sklearn import CNNClassifier, CNNRegressor

__all__ = ["CNNClassifier", "CNNRegressor"]
