"""What threads leave in each other's mailboxes; separate from ``runner`` so that reading it compiles nothing."""

ASLEEP, READY, BUSY, CALLED = range(4)
"""The state of a worker: it sleeps; it watches for work; it has work; it sleeps, has work and must be woken."""
LINE = 16  # int64 from one word that threads share to the next: two cache lines, which are fetched in pairs
