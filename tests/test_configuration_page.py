"""The page of every key is written from the settings."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "docs" / "configuration_page.py"


def test_the_page_is_current():
    spec = importlib.util.spec_from_file_location("configuration_page", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text("utf-8") == module.page(), "run: python docs/configuration_page.py"
