"""What the threads of a team tell each other, without a word about how: see ``striate.kernels.runner``."""

ASLEEP, READY, BUSY, CALLED = range(4)
"""What a worker's post says: it sleeps; it watches for work; it has work; it sleeps, has work and must be woken."""
LINE = 16  # int64 from one word that threads share to the next: two cache lines, which are fetched in pairs
