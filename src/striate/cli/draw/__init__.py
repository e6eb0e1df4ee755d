"""``striate draw``: pictures of what a network learnt and of what it makes of data."""

from striate.cli.draw import image, network, patches, samples  # noqa: F401  (they add the commands)
from striate.cli.draw.common import draw

__all__ = ["draw"]
