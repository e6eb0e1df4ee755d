"""A headless Chromium, driven over the WebDriver protocol with the standard library alone."""

from __future__ import annotations

import base64
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
    """One window; what it downloads is in the folder ``downloads``."""

    def __init__(self, address: str, session: str, folder: Path) -> None:
        self.address = f"{address}/session/{session}"
        self.downloads = folder

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
        self._point(selector, [self._move(selector, x, y)])

    def click(self, selector: str, x: int = 0, y: int = 0) -> None:
        """Click with the mouse."""
        press = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        self._point(selector, [self._move(selector, x, y), *press])

    def drag(self, selector: str, places: list[tuple[int, int]]) -> None:
        """Drag with the mouse from place to place, in pixels from the centre of the element."""
        first, *others = [self._move(selector, x, y) for x, y in places]
        down, up = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        self._point(selector, [first, down, *others, up])

    def press(self, text: str, held: str = "") -> None:
        """Type keys into what has the focus, while others are held down."""
        down, up = [[{"type": kind, "value": key} for key in held] for kind in ("keyDown", "keyUp")]
        typed = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        keys = [*down, *typed, *up]
        call("POST", f"{self.address}/actions", {"actions": [{"type": "key", "id": "keys", "actions": keys}]})

    def drop(self, name: str, content: bytes) -> None:
        """Drop a file on the page."""
        self.run(
            "const bytes = Uint8Array.from(atob(arguments[1]), (c) => c.charCodeAt(0)), data = new DataTransfer();"
            "data.items.add(new File([bytes], arguments[0]));"
            "document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }))",
            name,
            base64.b64encode(content).decode(),
        )

    def choose(self, selector: str, path: Path) -> None:
        """Choose a file of the disk in a field for files."""
        found = self._element(selector)[ELEMENT]
        call("POST", f"{self.address}/element/{found}/value", {"text": str(path)})

    def _element(self, selector: str) -> Any:
        return call("POST", f"{self.address}/element", {"using": "css selector", "value": selector})

    def _move(self, selector: str, x: int, y: int) -> dict[str, Any]:
        return {"type": "pointerMove", "duration": 0, "origin": self._element(selector), "x": x, "y": y}

    def _point(self, selector: str, actions: list[dict[str, Any]]) -> None:
        self.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        pointer = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
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
        flags += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]  # a camera
        flags += ["--window-size=1400,1000", f"--user-data-dir={folder / 'profile'}"]
        downloads = {"download.default_directory": str(folder), "download.prompt_for_download": False}
        options = {"args": flags, "binary": binary, "prefs": downloads}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        started = call("POST", f"{address}/session", {"capabilities": {"alwaysMatch": wanted}})
        yield Browser(address, started["sessionId"], folder)
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
