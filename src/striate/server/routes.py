"""The handlers of all paths."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from striate import __version__
from striate.errors import StriateError, UsageError, unknown_name
from striate.explain.tracing import score_step, trace
from striate.machine import available_cores
from striate.server.batching import Batcher
from striate.server.edited import edits_of, gradients
from striate.server.files import FILES
from striate.server.limits import STREAM, Limits
from striate.server.live import events
from striate.server.openapi import description
from striate.server.predictions import described
from striate.server.samples import samples_of
from striate.server.source import Loaded, Source
from striate.summary import summarize

Handler = Callable[[Request], Awaitable[Response]]


class Service:
    """The handlers of a server.

    Parameters
    ----------
    source : Source
    limits : Limits
    is_closing : function
        Whether endless answers should end.
    """

    def __init__(self, source: Source, limits: Limits, is_closing: Callable[[], bool] = lambda: False) -> None:
        self.source, self.limits, self.is_closing = source, limits, is_closing
        self._decoding = asyncio.Semaphore(available_cores())
        self._batchers: dict[int, tuple[Loaded, Batcher]] = {}

    def routes(self) -> list[Route]:
        """Return all routes."""
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/health", self.health),
            ("GET", "/openapi.json", self.openapi),
            ("GET", "/summary", self.summary),
            ("POST", "/predict", self.predict),
            ("POST", "/why", self.why),
            ("GET", STREAM, self.live),
            ("GET", "/explorer/info", self.info),
            ("GET", "/explorer/parameters", self.parameters),
            ("GET", "/explorer/samples", self.samples),
            ("POST", "/explorer/values", self.values),
            ("POST", "/explorer/scores", self.scores),
            ("POST", "/explorer/gradients", self.gradients),
        ]
        found = [Route(path, _answered(handler), methods=[method]) for method, path, handler in table]
        return [*found, *(Route(path, _file(path), methods=["GET"]) for path in FILES)]

    async def health(self, request: Request) -> Response:
        """Return that the server works."""
        return JSONResponse({"status": "ok", "version": __version__})

    async def openapi(self, request: Request) -> Response:
        """Return the description of the interface."""
        return JSONResponse(description(self.limits))

    async def summary(self, request: Request) -> Response:
        """Return layers, shapes, parameters and costs."""
        loaded = await self._loaded()
        return JSONResponse(summarize(loaded.model.network).to_dict())

    async def predict(self, request: Request) -> Response:
        """Return predictions for the samples of the body."""
        loaded = await self._loaded()
        samples, names = await samples_of(request, loaded.model, self.limits, self._decoding)
        outputs = await self._batcher(loaded).rows(samples)
        return JSONResponse({"predictions": described(loaded.model, names, outputs)})

    async def why(self, request: Request) -> Response:
        """Return the terms of one value for the sample of the body."""
        loaded = await self._loaded()
        samples, _ = await samples_of(request, loaded.model, self.limits, self._decoding)
        if len(samples) != 1:
            raise UsageError(f"body: must hold one sample; got {len(samples)}. Send them one by one.")
        layer, index = request.query_params.get("layer"), request.query_params.get("index")
        return JSONResponse(_plain(await run_in_threadpool(_why, loaded, samples[0], layer, index)))

    async def live(self, request: Request) -> Response:
        """Return the log of the run as it grows."""
        run = self.source.run
        if run is None:
            raise UsageError("live curves: need a run, but a model file is served. Serve the folder of a run.")
        from striate.training.run.log import RunLog

        return StreamingResponse(events(RunLog(run.log), self.is_closing), media_type="text/event-stream")

    async def info(self, request: Request) -> Response:
        """Return what the page needs to know; without a model only whether there is a run."""
        try:
            loaded = await self._loaded()
        except StriateError as error:
            if self.source.run is None:
                raise
            return JSONResponse({"model": None, "run": True, "reason": str(error)})
        info = await run_in_threadpool(lambda: loaded.info)
        run, differentiable = self.source.run is not None, loaded.differentiable
        return JSONResponse({"model": info, "run": run, "differentiable": differentiable})

    async def parameters(self, request: Request) -> Response:
        """Return the parameters as float32 bytes."""
        loaded = await self._loaded()
        return _bytes(loaded.model.theta.astype("<f4").tobytes())

    async def samples(self, request: Request) -> Response:
        """Return samples to try, which may take as long as reading the data of the run."""
        return JSONResponse({"samples": await run_in_threadpool(self.source.samples)})

    async def values(self, request: Request) -> Response:
        """Return the values of all layers for the raw numbers of one sample, float32 bytes both."""
        loaded = await self._loaded()
        (raw,) = await self._floats(request, loaded, 1)
        return _bytes(await run_in_threadpool(loaded.values, raw, _edits(request, loaded)))

    async def scores(self, request: Request) -> Response:
        """Return one score for the raw numbers of each sample, float32 bytes both."""
        loaded = await self._loaded()
        samples = await self._floats(request, loaded, self.limits.samples)
        target, edits = _target(request, loaded), _edits(request, loaded)
        return _bytes((await run_in_threadpool(loaded.scores, samples, target, edits)).astype("<f4").tobytes())

    async def gradients(self, request: Request) -> Response:
        """Return the weighted sum of a score's gradients, for raw samples with a weight after each."""
        loaded = await self._loaded()
        if not loaded.differentiable:
            raise UsageError(f"{loaded.model.network.name}: has no gradient by its input. Use occlusion.")
        rows = await self._floats(request, loaded, self.limits.samples, more=1)
        samples = rows[:, :-1].reshape(-1, *loaded.model.input_shape)
        work = (loaded.model, _edits(request, loaded), samples, rows[:, -1], _target(request, loaded))
        return _bytes((await run_in_threadpool(gradients, *work)).astype("<f4").tobytes())

    async def close(self) -> None:
        """Let batches end."""
        for _, batcher in self._batchers.values():
            batcher.close()

    async def _floats(self, request: Request, loaded: Loaded, most: int, more: int = 0) -> np.ndarray:
        """Return the samples of the body; with ``more`` as rows, so many numbers longer than a sample."""
        body, shape = await request.body(), loaded.model.input_shape
        size = 4 * (int(np.prod(shape)) + more)
        if not body or len(body) % size or len(body) > most * size:
            raise UsageError(f"body: must be 1 to {most} samples of {size:,} bytes; got {len(body):,} bytes.")
        samples = np.frombuffer(body, "<f4").reshape(-1, *(shape if not more else (size // 4,)))
        if not np.isfinite(samples).all():
            raise UsageError("body: must be finite numbers; got NaN or infinity. Remove them.")
        return samples

    async def _loaded(self) -> Loaded:
        known = self.source.unchanged()
        return known if known is not None else await run_in_threadpool(self.source.loaded)

    def _batcher(self, loaded: Loaded) -> Batcher:
        """Return the batcher of a model; those of models that were replaced end."""
        if id(loaded) not in self._batchers:
            old, self._batchers = self._batchers, {id(loaded): (loaded, Batcher(loaded.model.outputs))}
            for _, batcher in old.values():
                asyncio.get_running_loop().run_in_executor(None, batcher.close)
        return self._batchers[id(loaded)][1]


def _edits(request: Request, loaded: Loaded) -> dict[int, float]:
    """Return the parameters that the page has changed."""
    return edits_of(request.query_params.get("edits", ""), loaded.model.network.parameter_count)


def _target(request: Request, loaded: Loaded) -> int:
    """Return the number of the requested score."""
    text, count = request.query_params.get("target", ""), int(np.prod(loaded.model.network.output_shape))
    if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) < count):
        raise UsageError(f"target: must be from 0 to {count - 1}; got {text[:40]!r}. Correct it.")
    return int(text)


def _why(loaded: Loaded, sample: np.ndarray, layer: str | None, index: str | None) -> dict[str, Any]:
    model = loaded.model
    names = [step.name for step in model.network.steps]
    if layer is not None and layer not in names:
        raise unknown_name("layer", layer, names)
    found = trace(model, sample)
    layer = score_step(model.network) if layer is None else layer
    shape = model.network.step(layer).shape
    if index is None:
        place = tuple(int(i) for i in np.unravel_index(int(np.argmax(found[layer])), shape))
    else:
        place = _index(index, shape)
    asked = found.why_at(layer, place)
    field = asked.field()
    chain = [link.to_dict() for link in asked.chain()[1:]]
    return {**asked.to_dict(), "chain": chain, "receptive_field": {"spans": field.spans, "support": field.support}}


def _index(text: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    parts = text.split(",")
    if len(parts) == len(shape) and all(part.isascii() and part.isdigit() and len(part) < 9 for part in parts):
        place = tuple(map(int, parts))
        if all(at < side for at, side in zip(place, shape, strict=True)):
            return place
    last = ",".join(str(side - 1) for side in shape)
    raise UsageError(
        f"index: must be from {','.join('0' * len(shape))} to {last}; got {text!r}. Use an index in this range."
    )


def _answered(handler: Handler) -> Handler:
    """Return a handler whose StriateErrors become answers: 400 for a wrong request, 422 for unusable contents."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except StriateError as error:
            status = 400 if isinstance(error, UsageError) else 422
            return JSONResponse({"error": str(error)}, status)

    return answered


def _file(path: str) -> Handler:
    data, kind = FILES[path]

    async def answered(request: Request) -> Response:
        return Response(data, media_type=kind)

    return answered


def _bytes(data: bytes) -> Response:
    return Response(data, media_type="application/octet-stream")


def _plain(value: Any) -> Any:
    """Return JSON types from NumPy's."""

    def plain(item: Any) -> Any:
        return item.tolist() if hasattr(item, "tolist") else str(item)

    return json.loads(json.dumps(value, default=plain))
