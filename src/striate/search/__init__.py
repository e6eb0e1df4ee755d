"""Search for the settings and the network that suit a data set, with Optuna."""

from __future__ import annotations

from striate.search.search import Search, SearchSettings
from striate.search.space import Range, parse_range

__all__ = ["Range", "Search", "SearchSettings", "parse_range"]
