"""Pages: the report of a run and the explanation of a sample, each one HTML file that needs nothing else."""

from __future__ import annotations

from striate.report.explanation import explain_page
from striate.report.page import report, write_report

__all__ = ["explain_page", "report", "write_report"]
