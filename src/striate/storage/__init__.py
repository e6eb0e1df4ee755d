"""Files a user keeps: written so that nothing already saved can be lost, read without trusting them."""

from striate.storage.atomic import write_atomically

__all__ = ["write_atomically"]
