"""Hostile files of every kind that striate reads; ``python -m tests.fuzz --help``."""
