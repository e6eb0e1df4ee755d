from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import striate.data

MODULES = [module.name for module in pkgutil.walk_packages(striate.data.__path__, "striate.data.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
