"""Pages: the report of a run and the explanation of a sample, each one HTML file that needs nothing else."""

from typing import TYPE_CHECKING

from striate.lazy import attach

if TYPE_CHECKING:
    from striate.report.explanation import explain_page
    from striate.report.page import report, write_report

__all__ = ["explain_page", "report", "write_report"]

__getattr__, __dir__ = attach(
    __name__,
    {"striate.report.explanation": ["explain_page"], "striate.report.page": ["report", "write_report"]},
)
