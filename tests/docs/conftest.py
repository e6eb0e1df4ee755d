"""Pages may define layers of their own; other tests must not meet them."""

import pytest

from striate.layers.registry import LAYERS
from striate.reference.registry import OPERATIONS


@pytest.fixture(autouse=True)
def own_layers():
    """Forget after each test which layers it defined."""
    kept = [(table, dict(table)) for table in (LAYERS, OPERATIONS)]
    yield
    for table, before in kept:
        table.clear()
        table.update(before)
