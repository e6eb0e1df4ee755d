"""Quantisation: from a trained model to one that computes in 8-bit integers."""

from striate.model.quantisation.quantise import quantise

__all__ = ["quantise"]
