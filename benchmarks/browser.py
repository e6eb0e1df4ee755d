"""A headless Chromium for benchmarks, and packages of npm in it."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PEERS = ("onnxruntime-web", "convnetjs")
INSTALL_SECONDS = 170


class Tab:
    """A tab, and what it wrote to the console."""

    def __init__(self, page: Any) -> None:
        self.page, self.messages = page, list[str]()
        page.on("console", lambda message: self.messages.append(message.text))

    def open(self, url: str, ready: str = "true") -> float:
        """Open a page; return the seconds until ``ready`` is true in it."""
        start = time.perf_counter()
        self.page.goto(url)
        while not self.page.evaluate(f"Boolean({ready})"):
            time.sleep(0.005)
        return time.perf_counter() - start

    def run(self, function: str, argument: Any = None) -> Any:
        """Return what a function of JavaScript returns, or its promise gives."""
        return self.page.evaluate(function, argument)


@contextlib.contextmanager
def tabs() -> Iterator[Any]:
    """Yield a function that opens a new tab of a headless Chromium."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield lambda: Tab(browser.new_page())
        browser.close()


def install(folder: Path) -> dict[str, str] | str:
    """Install the peers; return their versions, or why that was not possible."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed"
    (folder / "package.json").write_text("{}")
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", *PEERS]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.CalledProcessError as error:
        return f"npm could not install them ({error.stderr.strip().splitlines()[-1]})"
    except subprocess.TimeoutExpired:
        return f"npm did not install them within {INSTALL_SECONDS} seconds"
    described = {name: folder / "node_modules" / name / "package.json" for name in PEERS}
    return {name: json.loads(path.read_text("utf-8"))["version"] for name, path in described.items()}


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the files of a folder; yield the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _Silent(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}  # noqa: RUF012

    def log_message(self, *_: object) -> None:
        """Write nothing."""
