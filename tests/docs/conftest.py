"""The modules that run and publish the pages of the documentation."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from striate.layers.registry import LAYERS
from striate.losses import LOSSES
from striate.reference.registry import OPERATIONS


def load(name: str) -> ModuleType:
    """Import a file of the documentation's folder, which is no package."""
    path = Path(__file__).parents[2] / "docs" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def execution() -> ModuleType:
    return load("execution")


@pytest.fixture(scope="session")
def hook() -> ModuleType:
    return load("hook")


@pytest.fixture(scope="session")
def evidence() -> ModuleType:
    return load("evidence")


@pytest.fixture(autouse=True)
def own_definitions():
    """Forget after each test which layers and losses it defined."""
    kept = [(table, dict(table)) for table in (LAYERS, LOSSES, OPERATIONS)]
    yield
    for table, before in kept:
        table.clear()
        table.update(before)
