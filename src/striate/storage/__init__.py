"""Files a user keeps: written so that nothing already saved can be lost, read without trusting them."""

from striate.storage.atomic import append, write_atomically

__all__ = ["append", "write_atomically"]
