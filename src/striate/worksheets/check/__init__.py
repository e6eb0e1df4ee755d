"""Check written calculations: find the wrong cells, show their terms, and guess what went wrong."""

from __future__ import annotations

from striate.worksheets.check.text import numbered_sums, split_sums
from striate.worksheets.check.verdict import Checked, check

__all__ = ["Checked", "check", "numbered_sums", "split_sums"]
