"""The models, samples and data of the tests of pages."""

from __future__ import annotations

from explain.conftest import digits, picture, random_lenet, trained_lenet
from training.conftest import data, validation

__all__ = ["data", "digits", "picture", "random_lenet", "trained_lenet", "validation"]
