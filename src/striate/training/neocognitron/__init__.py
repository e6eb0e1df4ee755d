"""How a Neocognitron learns: by competition, without gradients; in 2003 with a teacher for the last stage."""

from __future__ import annotations

from striate.training.neocognitron.cells import SCell, is_s_layer, s_cell
from striate.training.neocognitron.train_1980 import train_1980
from striate.training.neocognitron.train_2003 import train_2003

__all__ = ["SCell", "is_s_layer", "s_cell", "train_1980", "train_2003"]
