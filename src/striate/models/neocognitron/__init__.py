"""Fukushima's Neocognitrons of 1980 and 2003 as networks; `striate.training.neocognitron` trains them."""

from __future__ import annotations

from striate.models.neocognitron.figures import figures
from striate.models.neocognitron.y1980 import neocognitron_1980
from striate.models.neocognitron.y2003 import neocognitron_2003

__all__ = ["figures", "neocognitron_1980", "neocognitron_2003"]
