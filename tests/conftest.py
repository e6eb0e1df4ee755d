"""Fixtures shared by every test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


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
