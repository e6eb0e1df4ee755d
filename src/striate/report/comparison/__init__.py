"""Several runs on one page."""

from __future__ import annotations

from striate.report.comparison.entries import Entry, load_entries
from striate.report.comparison.page import write_comparison
from striate.report.comparison.results import facts, metrics, pairs

__all__ = ["Entry", "facts", "load_entries", "metrics", "pairs", "write_comparison"]
