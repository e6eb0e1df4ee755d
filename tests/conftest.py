"""Fixtures shared by every test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("same every time", derandomize=True, database=None, deadline=None)
settings.load_profile("same every time")  # no test passes or fails by chance, or by the load of the machine


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real data: ``../shared/data`` beside the repository, or ``$STRIATE_TEST_DATA``."""
    named = os.environ.get("STRIATE_TEST_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        message = f"the tests on real data need the folder {folder}; set STRIATE_TEST_DATA to where it is"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
