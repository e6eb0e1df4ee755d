"""From a trained model to one that computes with whole numbers of 8 bits."""

from striate.model.quantisation.quantise import quantise

__all__ = ["quantise"]
