"""Data sets: sources, splits, normalisation and augmentation."""
