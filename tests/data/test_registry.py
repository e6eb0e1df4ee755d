from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from striate.data.options import Options
from striate.data.registry import NAMES, load
from striate.errors import UsageError


def test_the_embedded_set_needs_no_folder():
    assert load("digits", seed=2).train.name == "digits"


def test_a_folder_is_used(shared_data):
    assert len(load("mnist", shared_data / "mnist", validation_fraction=0).train) == 60_000


def test_settings_are_given_by_name(tmp_path):
    for label in (0, "0", "status"):
        rows = "status,a,b\n" if label == "status" else ""
        (tmp_path / "t.csv").write_text(rows + "0,1,2\n1,3,4\n" * 10)
        assert load(tmp_path / "t.csv", label=label, test_fraction=0.5).train.sample_shape == (2, 1)
    base = Options(label="a", test_fraction=0.5)
    (tmp_path / "t.csv").write_text("a,b,c\n" + "0,1,0\n1,3,1\n" * 10)
    found = load(tmp_path / "t.csv", options=base, label=["a", "c"])
    assert (found.train.sample_shape, len(found.test)) == ((1, 1), 10)
    with pytest.raises(UsageError, match=r"settings: unknown name 'lable'; did you mean 'label'"):
        load(tmp_path / "t.csv", lable="a")
    with pytest.raises(UsageError, match=r"label: must be text; got True"):
        load(tmp_path / "t.csv", label=True)
    assert "label" in inspect.signature(load).parameters


def test_an_unknown_name_gives_the_nearest():
    with pytest.raises(UsageError, match="no file, folder or data set is called 'minst'; did you mean 'mnist'"):
        load("minst")


def test_importing_the_table_imports_no_heavy_library():
    heavy = {"sklearn", "pooch", "PIL", "requests", "rich", "scipy", "numba"}
    code = "import sys, striate.data.registry; print(*sorted(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not heavy & set(loaded.stdout.split())
    assert NAMES
