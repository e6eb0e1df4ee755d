from __future__ import annotations

import subprocess
import sys

import pytest

from striate.data.registry import NAMES, load
from striate.errors import UsageError


def test_the_embedded_set_needs_no_folder():
    assert load("digits", seed=2).train.name == "digits"


def test_a_folder_is_used(shared_data):
    assert len(load("mnist", shared_data / "mnist", validation_fraction=0).train) == 60_000


def test_an_unknown_name_gives_the_nearest():
    with pytest.raises(UsageError, match="no file, folder or data set is called 'minst'; did you mean 'mnist'"):
        load("minst")


def test_importing_the_table_imports_no_heavy_library():
    heavy = {"sklearn", "pooch", "PIL", "requests", "rich", "scipy", "numba"}
    code = "import sys, striate.data.registry; print(*sorted(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not heavy & set(loaded.stdout.split())
    assert NAMES
