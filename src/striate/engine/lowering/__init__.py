"""How each layer becomes rows of kernel calls, forward and backward."""

from striate.engine.lowering import activation, convolution, dense, pooling, shape
from striate.engine.lowering.context import RULES, Lowering, Rule, rule

__all__ = ["RULES", "Lowering", "Rule", "activation", "convolution", "dense", "pooling", "rule", "shape"]
