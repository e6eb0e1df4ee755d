"""Responses sent before routing: errors as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Send


async def refuse(send: Send, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
    """Send an error with a message."""
    body = json.dumps({"error": text}).encode()
    fields = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    start = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
