"""A page of its own for one sample: the network, its feature maps, and every number's terms."""

from __future__ import annotations

from striate.report.explanation.build import explain_page, page_data, page_of

__all__ = ["explain_page", "page_data", "page_of"]
