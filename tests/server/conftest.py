"""A served model and a client that has its token."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate import Model, models
from striate.training.initialisation import initialise

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytest.importorskip("python_multipart")
httpx = pytest.importorskip("httpx")

HOST = "127.0.0.1:8000"


def make_model(seed: int = 0) -> Model:
    network = models.lenet5(3, (1, 8, 8))
    theta = initialise(network, "he", seed)[0].astype(np.float32)
    return Model(network, theta, classes=("ant", "bee", "cat"))


def picture(side: int = 20, seed: int = 0) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side), np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def make_run(folder: Path) -> Path:
    """Make a run with a model and pictures that are still there; return the folder of the pictures."""
    from striate.training.run.config import DataConfig, RunConfig

    make_model().save(folder / "model.safetensors")
    for name in ("ant", "bee", "cat"):
        (folder / "pictures" / name).mkdir(parents=True)
        for n in range(5):
            (folder / "pictures" / name / f"{n}.png").write_bytes(picture(8, seed=n))
    RunConfig(data=DataConfig(name=str(folder / "pictures"))).save(folder / "config.toml")
    return folder / "pictures"


class Served:
    """A served model, and requests to it."""

    def __init__(self, path: Path, **limits: Any) -> None:
        from striate.server.app import application
        from striate.server.guard import Access
        from striate.server.limits import Limits
        from striate.server.source import Source

        self.source, self.access = Source(path), Access.of("127.0.0.1", 8000)
        self.source.check()
        self.closing = False
        self.app = application(self.source, self.access, Limits(**limits), lambda: self.closing)

    def run(self, work: Callable[[Any], Any]) -> Any:
        """Return what an asynchronous function of a client without a token returns."""

        async def inside() -> Any:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
                return await work(client)

        return asyncio.run(inside())

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> Any:
        """Return the answer to a request with the token."""
        own = {"authorization": f"Bearer {self.access.token}", **(headers or {})}
        return self.ask_openly(method, path, own, **options)

    def ask_openly(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> Any:
        """Return the answer to a request without the token."""

        async def work(client: Any) -> Any:
            return await client.request(method, path, headers=headers or {}, **options)

        return self.run(work)


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model().save(tmp_path_factory.mktemp("model") / "model.safetensors")


@pytest.fixture(scope="module")
def served(model_path: Path) -> Served:
    return Served(model_path)
