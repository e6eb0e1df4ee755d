"""The models, samples and data of the tests of pages."""

from __future__ import annotations

import pytest

from explain.conftest import digits, picture, random_lenet, trained_lenet
from striate.data.dataset import Dataset
from tasks import stripes

__all__ = ["data", "digits", "picture", "random_lenet", "trained_lenet", "validation"]


@pytest.fixture(scope="session")
def data() -> Dataset:
    return stripes(150)


@pytest.fixture(scope="session")
def validation() -> Dataset:
    return stripes(60, seed=1)
