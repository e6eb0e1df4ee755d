"""Layers: immutable descriptions of the operations of a network."""

from striate.layers.activation import ReLU, Sigmoid, Softmax, Tanh
from striate.layers.base import Layer, Node
from striate.layers.convolution import Conv1d, Conv2d, Conv3d
from striate.layers.dense import Linear
from striate.layers.pooling import AvgPool1d, AvgPool2d, AvgPool3d, MaxPool1d, MaxPool2d, MaxPool3d
from striate.layers.shape import Flatten, Input

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "Flatten",
    "Input",
    "Layer",
    "Linear",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Node",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
]
