"""The explanation page of one sample: the network, its feature maps, and the terms of every number."""

from __future__ import annotations

from striate.report.explanation.build import explain_page, page_data, page_of

__all__ = ["explain_page", "page_data", "page_of"]
