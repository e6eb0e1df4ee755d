"""The log of a run as it grows, as server-sent events.

References
----------
WHATWG, HTML Living Standard, section 9.2, "Server-sent events".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from striate.training.run.log import RunLog

EVERY = 0.5  # seconds between looks at the file
QUIET = 15.0  # seconds without news after which a comment keeps the connection open


async def events(log: RunLog, is_closing: Callable[[], bool]) -> AsyncIterator[str]:
    """Yield every entry of the diary, old ones first, until the server closes.

    A diary that was rewound, because the run was continued, begins again with the event "again".
    """
    sent, quiet, size = 0, 0.0, -1
    while not is_closing():
        now = log.path.stat().st_size if log.path.exists() else 0
        if now != size:
            entries = await asyncio.to_thread(log.entries)
            if now < size:
                sent = 0
                yield "event: again\ndata: {}\n\n"
            for entry in entries[sent:]:
                yield f"data: {json.dumps(_plain(entry))}\n\n"
            sent, size, quiet = len(entries), now, 0.0
        await asyncio.sleep(EVERY)
        quiet += EVERY
        if quiet >= QUIET:
            quiet = 0.0
            yield ": still here\n\n"


def _plain(value: object) -> object:
    """Return JSON types that browsers read: no NaN, no infinity."""
    if isinstance(value, float) and not -1e308 < value < 1e308:
        return None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
