"""What threads leave in each other's mailboxes; separate from ``runner`` so that reading it compiles nothing."""

ASLEEP, READY, BUSY, CALLED, ENDED = range(5)
"""The state of a worker: it sleeps; watches for work; works; is called to work and has not come yet; ends.

A worker that has not come when the run is over is READY again, even if it has not woken yet: nobody waits for it.
"""
LINE = 16  # int64 from one word that threads share to the next: two cache lines, which are fetched in pairs
SEMAPHORE = 1  # the word of a mailbox that says what its worker sleeps on
