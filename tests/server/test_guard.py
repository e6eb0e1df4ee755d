"""Attacks on the server: every one is refused, before anything is computed."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from tests.server.conftest import HOST, Served, picture

from striate.server import guard
from striate.server.files import FILES
from striate.server.guard import Access

PATHS = ["/", "/predict", "/why", "/summary", "/live", "/openapi.json", "/explorer/info", "/explorer/samples"]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1", "127.0.0.1:8001", "localhost:80", "127.0.0.1:8000.evil.com",
     "127.0.0.1:8000@evil.example", "", "127.0.0.1:8000/", "127.0.0.1:8000, evil.example", "127.0.0.2:8000",
     "[::1]", "2130706433:8000", "localhost.:8000"],
)  # fmt: skip
def test_refuses_foreign_hosts_as_dns_rebinding_sends_them(served: Served, host: str) -> None:
    for path in ("/health", "/predict", f"/?token={served.access.token}"):
        answer = served.ask("GET", path, {"host": host})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


def test_refuses_none_and_two_hosts(served: Served) -> None:
    for hosts in ([], [HOST, HOST], [HOST, "evil.example"]):
        assert status_of(served, "/health", [(b"host", host.encode()) for host in hosts]) == 403


@pytest.mark.parametrize("host", [HOST, "LOCALHOST:8000", "[::1]:8000"])
def test_answers_its_own_names(served: Served, host: str) -> None:
    assert served.ask_openly("GET", "/health", {"host": host}).json()["status"] == "ok"


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://127.0.0.1:8000", "http://127.0.0.1", "http://127.0.0.1:8001", "null", "",
     "http://127.0.0.1:8000.evil.example", "http://localhost:8000/", "file://"],
)  # fmt: skip
def test_refuses_foreign_origins(served: Served, origin: str) -> None:
    answer = served.ask("POST", "/predict", {"origin": origin}, content=picture())
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything", "none, cross-site"])
def test_refuses_requests_of_other_sites(served: Served, site: str) -> None:
    assert served.ask("GET", "/summary", {"sec-fetch-site": site}).status_code == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer "}, {"authorization": "Basic x"},
     {"cookie": "striate-8000=wrong"}, {"cookie": "striate-8000="}, {"cookie": "=;;\x7f"}],
)  # fmt: skip
def test_refuses_missing_and_wrong_tokens(served: Served, path: str, headers: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        assert served.ask_openly(method, path, headers).status_code == 401


@pytest.mark.parametrize(
    "query",
    ["token=", "token=wrong", "token=a&token=b", "token=%ff", "Token=x", "&".join("a=b" for _ in range(99))],
)
def test_refuses_wrong_tokens_in_the_address(served: Served, query: str) -> None:
    answer = served.ask_openly("GET", f"/?{query}")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_takes_the_token_in_the_address_of_the_page_alone(served: Served) -> None:
    token = served.access.token
    assert served.ask_openly("GET", f"/summary?token={token}").status_code == 401
    assert served.ask_openly("POST", f"/?token={token}").status_code == 401


def test_exchanges_the_token_for_a_cookie(served: Served) -> None:
    answer = served.ask_openly("GET", f"/?token={served.access.token}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("striate-8000=")
    assert set(cookie.split("; ")[1:]) == {"Path=/", "HttpOnly", "SameSite=Strict"}
    assert served.access.token not in cookie
    mine = {"cookie": cookie.partition(";")[0]}
    assert served.ask_openly("GET", "/", mine).status_code == 200
    own = {**mine, "origin": f"http://{HOST}"}
    assert served.ask_openly("POST", "/predict", own, content=picture()).status_code == 200
    without_origin = served.ask_openly("POST", "/predict", mine, content=picture())
    assert without_origin.status_code == 401  # what a browser sends by itself is not enough


@pytest.mark.parametrize(
    "path",
    ["/web/../../etc/passwd", "/web/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/web/%5c..%5cx",
     "/web/%00", "/web/./page.css", "//etc/passwd", "/web/bundle.py", "/web/", "/web/page.css/", "/etc/passwd"],
)  # fmt: skip
def test_no_path_leads_to_a_file_of_the_disk(served: Served, path: str) -> None:
    from urllib.parse import unquote

    token = [(b"host", HOST.encode()), (b"authorization", f"Bearer {served.access.token}".encode())]
    assert status_of(served, unquote(path), token) in (403, 404)
    assert path not in FILES


def test_decides_on_the_path_of_the_scope(served: Served) -> None:
    """A header cannot make a secret path look like an open one."""
    forged = [(b"host", HOST.encode()), (b"x-forwarded-prefix", b"/health"), (b"x-original-url", b"/health")]
    assert status_of(served, "/summary", forged) == 401


def test_refuses_web_sockets(served: Served) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": [(b"host", HOST.encode())]}
    asyncio.run(served.app(scope, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("path", [*PATHS, "/health", "/nothing", "/web/serve.js"])
def test_every_answer_carries_the_headers(served: Served, path: str) -> None:
    if path == "/live":
        return
    for answer in (served.ask("GET", path), served.ask_openly("GET", path), served.ask("GET", path, {"host": "x"})):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_page_has_no_script_of_its_own() -> None:
    text = FILES["/"][0].decode()
    assert text.count("<script") == 1
    assert '<script type="module" src="/web/serve.js"></script>' in text
    assert "style=" not in text
    assert "<style" not in text


def test_compares_secrets_in_constant_time() -> None:
    assert "secrets.compare_digest" in inspect.getsource(guard._same)
    first, second = Access.of("127.0.0.1", 1), Access.of("127.0.0.1", 1)
    assert len({first.token, second.token, first.session, second.session}) == 4
    assert first.token not in repr(first)


def test_listening_everywhere_adds_no_host() -> None:
    assert "0.0.0.0:8000" not in Access.of("0.0.0.0", 8000).hosts
    assert "lab7.local:8000" in Access.of("0.0.0.0", 8000, ["Lab7.local"]).hosts
    assert "localhost" in Access.of("127.0.0.1", 80).hosts


def status_of(served: Served, path: str, headers: list[tuple[bytes, bytes]]) -> int:
    """Return the status of a GET request as it comes from the socket."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers,
             "http_version": "1.1", "scheme": "http", "root_path": "", "server": ("127.0.0.1", 8000)}  # fmt: skip
    asyncio.run(served.app(scope, receive, send))
    return int(sent[0]["status"])
