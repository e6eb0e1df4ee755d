"""Estimators for scikit-learn; import them from `striate.sklearn`."""
