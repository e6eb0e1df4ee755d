"""Access control: exact hosts and origins, a token, and headers that keep other sites out.

Everything is decided before routing and on ``scope["path"]``, which no header can forge.

References
----------
OWASP cheat sheets "Cross-Site Request Forgery Prevention" and "HTTP Security Response Headers"; W3C, "Fetch
Metadata Request Headers".
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from striate.server.replies import refuse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Headers of every response; none of them lets other origins read it."""
OPEN = ("/health",)
"""Paths that need no token."""
SAFE = ("GET", "HEAD")


@dataclass(frozen=True)
class Access:
    """The rules for who may use the server.

    Parameters
    ----------
    hosts : iterable of str
        What the header Host may say, with the port.
    token : str
        The secret of the printed address.
    """

    hosts: frozenset[str]
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @classmethod
    def of(cls, host: str, port: int, names: Iterable[str] = ()) -> Access:
        """Return the access to a server at an address, under its own names and those of a list.

        Examples
        --------
        >>> sorted(Access.of("127.0.0.1", 8000).hosts)
        ['127.0.0.1:8000', '[::1]:8000', 'localhost:8000']
        """
        known = {"127.0.0.1", "localhost", "[::1]", *names}
        if host not in ("0.0.0.0", "::", "::1"):
            known.add(host)
        ports = [f":{port}", ""] if port == 80 else [f":{port}"]
        return cls(frozenset(f"{name.lower()}{end}" for name in known for end in ports))

    @property
    def cookie(self) -> str:
        """The name of the cookie, which depends on the port because cookies do not."""
        return "striate-" + "-".join(sorted({host.rpartition(":")[2] for host in self.hosts if ":" in host}))

    def refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Return status and message for a request that is refused before routing."""
        host = _values(scope, b"host")
        if len(host) != 1 or host[0].lower() not in self.hosts:
            return 403, "the header Host must name this server. Use the printed address, or --allow-host."
        if any(origin not in self._origins for origin in _values(scope, b"origin")):
            return 403, "requests of pages of other origins are refused."
        if any(site not in ("same-origin", "none") for site in _values(scope, b"sec-fetch-site")):
            return 403, "requests of other sites are refused. Open the printed address itself."
        path = scope["path"]
        if not path.startswith("/") or "\\" in path or "\0" in path or {"..", "."} & set(path.split("/")):
            return 403, "this path is refused."
        return None

    @property
    def _origins(self) -> set[str]:
        return {f"http://{host}" for host in self.hosts}

    def may(self, scope: Scope) -> bool:
        """Return whether a request brings the token, or the cookie that it was exchanged for.

        A browser sends the cookie by itself, so what changes something must also come from our own page.
        """
        for value in _values(scope, b"authorization"):
            kind, _, given = value.partition(" ")
            if kind.lower() == "bearer" and _same(given.strip(), self.token):
                return True
        if scope["method"] not in SAFE and not _values(scope, b"origin"):
            return False
        return any(_same(value, self.session) for value in self._cookies(scope))

    def brings_token(self, scope: Scope) -> bool:
        """Return whether this is the printed address."""
        if scope["path"] != "/" or scope["method"] != "GET":
            return False
        try:
            given = parse_qs(scope["query_string"].decode("ascii"), max_num_fields=8).get("token", [])
        except ValueError:
            return False
        return len(given) == 1 and _same(given[0], self.token)

    def _cookies(self, scope: Scope) -> list[str]:
        found = []
        for header in _values(scope, b"cookie"):
            try:
                cookie = SimpleCookie(header).get(self.cookie)
            except CookieError:
                continue
            found += [cookie.value] if cookie is not None else []
        return found


class Guard:
    """An application that answers only permitted requests, with ``HEADERS``.

    Parameters
    ----------
    app : ASGI application
    access : Access
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app, self.access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *own]}
            await send(message)

        refusal = self.access.refusal(scope)
        if refusal is not None:
            return await refuse(guarded, *refusal)
        if self.access.brings_token(scope):
            return await refuse(guarded, 303, "see /", self._exchange())
        if scope["path"] not in OPEN and not self.access.may(scope):
            text = "needs the token of the printed address, or the header Authorization: Bearer TOKEN."
            return await refuse(guarded, 401, text, {"www-authenticate": "Bearer"})
        return await self.app(scope, receive, guarded)

    def _exchange(self) -> dict[str, str]:
        cookie = f"{self.access.cookie}={self.access.session}; Path=/; HttpOnly; SameSite=Strict"
        return {"location": "/", "set-cookie": cookie}


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _same(given: str, secret: str) -> bool:
    """Compare texts in constant time."""
    return secrets.compare_digest(given.encode(), secret.encode())
