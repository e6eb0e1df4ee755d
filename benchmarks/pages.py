"""``python -m benchmarks.pages``: size and speed of the pages that ``striate export`` writes, in headless Chromium.

Needs Chromium, and Playwright (``pip install playwright``) to drive it.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from striate import Model, models
from striate.data.dataset import Dataset
from striate.data.splits import Splits
from striate.network import Network
from striate.pages import explorer, live
from striate.pages.choices import Choice
from striate.storage.atomic import write_atomically
from striate.training.initialisation import initialise

NETWORKS = {
    "LeNet-5, 28 x 28": lambda: models.lenet5(10, (1, 28, 28)),
    "small VGG, 32 x 32": lambda: models.small_vgg(10, (3, 32, 32)),
}
TIMES = """async () => {
  const times = [];
  for (let i = 0; i < 50; i++) times.push((await striate.source.run(striate.raw)).milliseconds);
  return times;
}"""
STEPS = """async () => {
  const rates = [];
  for (let i = 0; i < 8; i++) {
    const start = performance.now();
    await striate.worker.call("steps", 64);
    rates.push((64000 * striate.info.batch) / (performance.now() - start));
  }
  return rates;
}"""


def model_of(network: Network) -> Model:
    """Return a model with random parameters."""
    return Model(network, initialise(network)[0], network.initial_states())


def opened(browser: Any, path: Path, ready: str) -> tuple[Any, float, list[str]]:
    """Open a page; return it, the seconds until it is ready, and what it wrote to the console."""
    page, messages = browser.new_page(), list[str]()
    page.on("console", lambda message: messages.append(message.text))
    start = time.perf_counter()
    page.goto(path.as_uri())
    while not page.evaluate(f"Boolean({ready})"):
        time.sleep(0.005)
    return page, time.perf_counter() - start, messages


def explorers(browser: Any, folder: Path) -> None:
    """Print what the explorers of some networks take."""
    for name, make in NETWORKS.items():
        path = explorer.write(model_of(make()), folder / "page.html")
        page, seconds, messages = opened(browser, path, "window.striate && striate.raw && !striate.busy")
        milliseconds = statistics.median(page.evaluate(TIMES))
        print(
            f"{name}: {path.stat().st_size / 1e6:.2f} MB, opens in {seconds:.2f} s, {len(messages)} messages, "
            f"{milliseconds:.2f} ms a picture with all layers kept"
        )


def training(browser: Any, folder: Path) -> None:
    """Print how fast LeNet-5 learns 28 x 28 pictures in a page."""
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 256, (4096, 1, 28, 28), np.uint8)
    data = Dataset(inputs, rng.integers(0, 10, 4096), tuple("0123456789"), "random")
    only = {"network": Choice("network", {"lenet5": "LeNet-5"})}
    text = live.page_of(
        Splits(data), "random", only, lambda classes, shape: {"lenet5": models.lenet5(classes, shape)}
    )
    path = write_atomically(folder / "learn.html", text.encode())
    page, _, _ = opened(browser, path, "window.striate && striate.ready")
    print(f"training LeNet-5, 28 x 28: {max(page.evaluate(STEPS)):,.0f} pictures a second")


def main() -> None:
    """Measure both pages."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as player, tempfile.TemporaryDirectory() as folder:
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        explorers(browser, Path(folder))
        training(browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
