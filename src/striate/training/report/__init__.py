"""A run as one HTML file that needs nothing else: no network, no script, no other file."""

from striate.training.report.page import report, write_report

__all__ = ["report", "write_report"]
