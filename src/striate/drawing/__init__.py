"""Shared by all drawings: axes of matplotlib, mosaics of tiles, numbers as pictures."""
