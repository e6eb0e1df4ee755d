"""Requests per second and latency of ``striate serve``: one picture each, from 64 clients at a fixed rate.

    python benchmarks/serve.py [--rate 200] [--seconds 10] [--clients 64]

Prints one line of JSON. Clients send at their times whatever the answers do, so waiting counts (no coordinated
omission). ``growth`` compares the most memory that the server held in the second half with that in the first.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from striate import Model, models
from striate.training.initialisation import initialise

WARM_UP_SECONDS = 5.0  # in which kernels are compiled and buffers filled


def picture() -> bytes:
    """Return a PNG file of random pixels."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)).save(file, "PNG")
    return file.getvalue()


async def client(port: int, token: str, times: list[float], begin: float, found: list[float], body: bytes) -> int:
    """Send a request at each of ``times``, over one connection; return how many failed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    failed = 0
    for at in times:
        await asyncio.sleep(max(0.0, begin + at - time.perf_counter()))
        writer.write(head + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
        assert length is not None
        await reader.readexactly(int(length[1]))
        found.append(time.perf_counter() - begin - at)
        failed += not answer.startswith(b"HTTP/1.1 200")
    writer.close()
    return failed


def resident(process: int) -> int:
    """Return the kilobytes that a process holds."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) if found else 0


async def burst(port: int, token: str, rate: float, seconds: float, clients: int) -> tuple[list[float], int, float]:
    """Return how late each answer was, how many requests failed, and how long all took."""
    times, body, found = [(n + 0.5) / rate for n in range(int(rate * seconds))], picture(), list[float]()
    begin = time.perf_counter() + 0.2
    own = [client(port, token, times[c::clients], begin, found, body) for c in range(clients)]
    failed = sum(await asyncio.gather(*own))
    return found, failed, time.perf_counter() - begin


async def measure(
    port: int, token: str, rate: float, seconds: float, clients: int, process: int
) -> dict[str, float]:
    """Return how many requests were answered, how late, and the memory of the server."""
    await burst(port, token, rate, WARM_UP_SECONDS, clients)
    memory, over = list[int](), asyncio.Event()

    async def watch() -> None:
        while not over.is_set():
            memory.append(resident(process))
            await asyncio.sleep(min(1.0, seconds / 20))

    watching = asyncio.create_task(watch())
    found, failed, spent = await burst(port, token, rate, seconds, clients)
    over.set()
    await watching
    late = np.percentile(np.array(found) * 1000, [50, 99, 100]).round(2).tolist()
    half = len(memory) // 2
    growth = max(memory[half:]) / max(memory[:half]) - 1
    return {"requests": len(found), "failed": failed, "per_second": round(len(found) / spent, 1),
            "median_ms": late[0], "p99_ms": late[1], "slowest_ms": late[2],
            "kilobytes": memory[-1], "growth": round(growth, 4)}  # fmt: skip


def main() -> None:
    """Measure a server in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=64)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        network = models.lenet5(10, (1, 28, 28))
        theta = initialise(network, "he", 0)[0].astype(np.float32)
        path = Model(network, theta, classes=[str(i) for i in range(10)]).save(Path(folder) / "model.safetensors")
        command = [sys.executable, "-m", "striate", "serve", str(path), "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                server.stdout.readline()
                port, token = re.search(r":(\d+)/\?token=(\S+)", server.stdout.readline()).groups()
                load = options.rate, options.seconds, options.clients
                print(json.dumps(asyncio.run(measure(int(port), token, *load, server.pid))))
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
