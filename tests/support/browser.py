"""A headless Chromium, driven over the WebDriver protocol with the standard library alone."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def missing() -> str:
    """Return what is missing to run a browser, or an empty text."""
    if not any(map(shutil.which, CHROMIUM)):
        return "no Chromium is installed"
    return "" if shutil.which("chromedriver") else "no chromedriver is installed"


class Browser:
    """One window."""

    def __init__(self, address: str, session: str) -> None:
        self.address = f"{address}/session/{session}"

    def open(self, page: Path) -> None:
        self.visit(page.as_uri())

    def visit(self, url: str) -> None:
        call("POST", f"{self.address}/url", {"url": url})

    def run(self, script: str, *arguments: Any) -> Any:
        return call("POST", f"{self.address}/execute/sync", {"script": script, "args": list(arguments)})

    def answer(self, expression: str, *arguments: Any, seconds: float = 30.0) -> Any:
        """Return what the promise of an expression gives."""
        done = "arguments[arguments.length - 1]"
        body = f"Promise.resolve({expression}).then({done}, (error) => {done}(String(error)))"
        call("POST", f"{self.address}/timeouts", {"script": int(1000 * seconds)})
        return call("POST", f"{self.address}/execute/async", {"script": body, "args": list(arguments)})

    def until(self, expression: str, seconds: float = 30.0) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.run(f"return Boolean({expression})"):
            if time.monotonic() > end:
                raise TimeoutError(
                    f"{expression} did not come true; {self.run('return document.body.innerText')[:300]}"
                )
            time.sleep(0.03)

    def hover(self, selector: str, x: int, y: int) -> None:
        """Move the mouse to (x, y) pixels from the centre of the element."""
        self.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        found = call("POST", f"{self.address}/element", {"using": "css selector", "value": selector})
        move = {"type": "pointerMove", "duration": 0, "origin": found, "x": x, "y": y}
        pointer = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [move]}
        call("POST", f"{self.address}/actions", {"actions": [pointer]})

    def console(self) -> list[str]:
        """Return the warnings and errors of the console since the last call."""
        entries = call("POST", f"{self.address}/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("WARNING", "SEVERE")]


def call(method: str, url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise RuntimeError(error.read().decode()[:500]) from None


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start a browser that keeps its files in ``folder``, and end it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (folder / "driver.log").open("w") as log:
        driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=log, stderr=log)
    try:
        wait(address)
        binary = next(filter(None, map(shutil.which, CHROMIUM)))
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        flags += ["--window-size=1400,1000", f"--user-data-dir={folder / 'profile'}"]
        options = {"args": flags, "binary": binary}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        started = call("POST", f"{address}/session", {"capabilities": {"alwaysMatch": wanted}})
        yield Browser(address, started["sessionId"])
        call("DELETE", f"{address}/session/{started['sessionId']}")
    finally:
        driver.terminate()
        driver.wait(20)


def wait(address: str) -> None:
    """Return when the driver answers."""
    for _ in range(200):
        try:
            if call("GET", f"{address}/status")["ready"]:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("chromedriver does not answer")
