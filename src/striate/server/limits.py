"""Limits on requests: their size, their time, and how many run at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from striate.server.replies import refuse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

STREAM = "/live"
"""The path whose answer has no end."""


@dataclass(frozen=True)
class Limits:
    """Limits of requests.

    Parameters
    ----------
    body : int
        Bytes.
    body_seconds, request_seconds : float
        Until the whole body is here; until it is answered.
    in_flight : int
        Requests that are answered at the same time.
    streams : int
        Pages that follow live curves at the same time.
    samples : int
        Of one request.
    """

    body: int = 32 * 2**20
    body_seconds: float = 20.0
    request_seconds: float = 120.0
    in_flight: int = 256
    streams: int = 16
    samples: int = 256


class _Refusal(HTTPException):
    """A status and a message, after which the connection is closed."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text, {"connection": "close"})


class Limited:
    """An application with limits: 413, 408, 503 or 504 for requests that exceed them.

    Parameters
    ----------
    app : ASGI application
    limits : Limits
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app, self.limits = app, limits
        self._busy = {True: 0, False: 0}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        endless = scope["path"] == STREAM
        if self._busy[endless] >= (self.limits.streams if endless else self.limits.in_flight):
            return await refuse(send, 503, "the server is busy. Try again in a second.", {"retry-after": "1"})
        self._busy[endless] += 1
        try:
            await self._answer(scope, receive, send, None if endless else self.limits.request_seconds)
        finally:
            self._busy[endless] -= 1
        return None

    async def _answer(self, scope: Scope, receive: Receive, send: Send, seconds: float | None) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            self._check_length(scope)
            async with asyncio.timeout(seconds):
                await self.app(scope, self._measured(receive), watched)
        except ClientDisconnect:
            pass  # nobody is there to read an answer
        except _Refusal as refusal:
            if not begun:
                await refuse(send, refusal.status_code, refusal.detail, refusal.headers)
        except TimeoutError:
            if not begun:
                await refuse(send, 504, f"no answer within {seconds:g} seconds. Send fewer samples.")

    def _check_length(self, scope: Scope) -> None:
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in scope["headers"]}:
            raise _Refusal(400, "a body has either a Content-Length or a Transfer-Encoding. Send one of them.")
        for name, value in scope["headers"]:
            if name == b"content-length" and (not value.isdigit() or int(value) > self.limits.body):
                raise self._too_large()

    def _too_large(self) -> _Refusal:
        return _Refusal(413, f"the body may have at most {self.limits.body:,} bytes. Send less at a time.")

    def _measured(self, receive: Receive) -> Receive:
        """Return ``receive`` that counts bytes and seconds until the body is complete."""
        state: dict[str, Any] = {"bytes": 0, "complete": False}
        end = asyncio.get_running_loop().time() + self.limits.body_seconds

        async def measured() -> Message:
            if state["complete"]:
                return await receive()
            try:
                async with asyncio.timeout_at(end):
                    message = await receive()
            except TimeoutError:
                seconds = self.limits.body_seconds
                raise _Refusal(
                    408, f"the body did not arrive within {seconds:g} seconds. Send it faster."
                ) from None
            state["bytes"] += len(message.get("body", b""))
            state["complete"] = not message.get("more_body", False)
            if state["bytes"] > self.limits.body:
                raise self._too_large()
            return message

        return measured
