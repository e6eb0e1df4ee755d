"""Data shared by the tests of training."""

from __future__ import annotations

import pytest

from striate.data.dataset import Dataset
from tasks import stripes


@pytest.fixture(scope="session")
def data() -> Dataset:
    return stripes(150)


@pytest.fixture(scope="session")
def validation() -> Dataset:
    return stripes(60, seed=1)
