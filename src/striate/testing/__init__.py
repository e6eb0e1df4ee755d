"""Tests for layers: ``check_layer``, and the table of cases that striate's own tests draw from."""

from __future__ import annotations

from striate.testing.check import CHECKS, check_layer
from striate.testing.choices import Seeded, Small
from striate.testing.draws import Case
from striate.testing.operations import OPERATIONS, Operation

__all__ = ["CHECKS", "OPERATIONS", "Case", "Operation", "Seeded", "Small", "check_layer"]
