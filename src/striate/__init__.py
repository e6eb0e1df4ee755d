"""striate: convolutional networks you can see through, trained fast on the CPU you already have."""

__version__ = "0.1.0"
