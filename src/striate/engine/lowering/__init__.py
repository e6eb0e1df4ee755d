"""How each layer becomes rows of kernel calls, forward and backward."""

from striate.engine.lowering import activation, convolution, dense, pooling, shape
from striate.engine.lowering.context import RULES, Lowering, Rule, rule
from striate.engine.lowering.fallback import FALLBACK

__all__ = ["FALLBACK", "RULES", "Lowering", "Rule", "activation", "convolution", "dense", "pooling", "rule", "shape"]
