"""The application: routes within limits, behind the guard."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from striate.server.guard import Access, Guard
from striate.server.limits import Limited, Limits
from striate.server.routes import Service
from striate.server.source import Source


def application(
    source: Source,
    access: Access,
    limits: Limits | None = None,
    is_closing: Callable[[], bool] = lambda: False,
) -> Guard:
    """Return the ASGI application that serves a model or a run.

    Parameters
    ----------
    source : Source
    access : Access
    limits : Limits, optional
    is_closing : function
        Whether endless answers should end.
    """
    limits = limits or Limits()
    service = Service(source, limits, is_closing)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await service.close()

    handlers = {HTTPException: _failed, 500: _failed}
    app = Starlette(routes=service.routes(), lifespan=lifespan, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return Guard(Limited(app, limits), access)


async def _failed(request: Request, error: Exception) -> Response:
    """Return an error as JSON, without internal details."""
    if isinstance(error, HTTPException):
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)
    return JSONResponse({"error": "the server failed; its log has more."}, 500)
