"""What the server answers: the numbers of the model, and one line for what it cannot use."""

from __future__ import annotations

import asyncio
import io
import json
import os
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.server.conftest import HOST, Served, make_model, picture

from striate import load
from striate.errors import ModelFileError


def samples(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 1, 8, 8)).astype(np.float32)


def test_predicts_for_an_image(served: Served, model_path: Path, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(picture())
    (item,) = served.ask("POST", "/predict", content=picture()).json()["predictions"]
    expected = load(model_path).predict_proba(str(tmp_path / "x.png"))[0]
    np.testing.assert_allclose([item["probabilities"][name] for name in ("ant", "bee", "cat")], expected, atol=1e-6)
    assert item["class"] == ("ant", "bee", "cat")[int(expected.argmax())] == ("ant", "bee", "cat")[item["index"]]


def test_predicts_for_several_images_and_for_numbers(served: Served, model_path: Path) -> None:
    form = {"a": ("a.png", picture(seed=1)), "b": ("../b.png", picture(9, seed=2))}
    answer = served.ask("POST", "/predict", files=form).json()["predictions"]
    assert [item["name"] for item in answer] == ["a.png", "b.png"]
    raw = samples(3)
    answer = served.ask("POST", "/predict", json={"samples": raw.tolist()}).json()["predictions"]
    found = [list(item["probabilities"].values()) for item in answer]
    np.testing.assert_allclose(found, load(model_path).predict_proba(raw), atol=1e-6)
    (flat,) = served.ask("POST", "/predict", json={"samples": raw[0].ravel().tolist()}).json()["predictions"]
    assert flat["probabilities"] == answer[0]["probabilities"]


def test_requests_that_arrive_together_are_computed_together(model_path: Path, monkeypatch: Any) -> None:
    served, sizes = Served(model_path), []
    model = served.source.loaded().model
    whole = model.outputs
    monkeypatch.setattr(model, "outputs", lambda x, *more: sizes.append(len(x)) or whole(x, *more))
    raw = samples(40)

    async def work(client: Any) -> list[Any]:
        headers = {"authorization": f"Bearer {served.access.token}"}
        asked = [client.post("/predict", json={"samples": x.tolist()}, headers=headers) for x in raw]
        return await asyncio.gather(*asked)

    answers = served.run(work)
    found = [list(answer.json()["predictions"][0]["probabilities"].values()) for answer in answers]
    np.testing.assert_allclose(found, model.predict_proba(raw), atol=1e-6)
    assert sum(sizes[:-1]) == 40
    assert len(sizes) - 1 < 40


def test_one_bad_batch_fails_alone(model_path: Path, monkeypatch: Any) -> None:
    served = Served(model_path)
    model = served.source.loaded().model
    whole, factors = model.outputs, [np.float32(1), np.float32("nan")]
    monkeypatch.setattr(model, "outputs", lambda x: whole(x) * factors.pop())
    answer = served.ask("POST", "/predict", json={"samples": samples(1).tolist()})
    assert (answer.status_code, "must be finite" in answer.text) == (422, True)
    assert served.ask("POST", "/predict", json={"samples": samples(1).tolist()}).status_code == 200


def test_why_takes_one_value_apart(served: Served) -> None:
    found = served.ask("POST", "/why?layer=conv2&index=3,0,0", content=picture()).json()
    assert (found["layer"], found["index"]) == ("conv2", [3, 0, 0])
    total = sum(term["product"] for term in found["terms"]) + sum(found["constants"].values())
    assert total == pytest.approx(found["value"], rel=1e-5)
    assert served.ask("POST", "/why", content=picture()).json()["chain"]


def test_explorer_gets_the_values_of_all_layers(served: Served, model_path: Path) -> None:
    from striate.explain.tracing import score_step, trace

    raw, model = samples(1)[0], load(model_path)
    info = served.ask("GET", "/explorer/info").json()["model"]
    found = np.frombuffer(served.ask("POST", "/explorer/values", content=raw.tobytes()).content, "<f4")
    traced, at = trace(model, raw), 0
    for layer in info["layers"]:
        count = int(np.prod(layer["shape"]))
        expected = traced[layer["name"]].ravel()
        if layer["inputs"]:
            np.testing.assert_allclose(found[at : at + count], expected, atol=1e-4 * np.abs(expected).max())
        at += count
    assert at == len(found)
    answer = served.ask("POST", "/explorer/scores?target=2", content=raw.tobytes() * 2).content
    expected = traced[score_step(model.network)].ravel()[2]
    np.testing.assert_allclose(np.frombuffer(answer, "<f4"), [expected] * 2, rtol=1e-4)
    theta = np.frombuffer(served.ask("GET", "/explorer/parameters").content, "<f4")
    np.testing.assert_array_equal(theta, model.theta)


def test_describes_itself(served: Served) -> None:
    document = served.ask("GET", "/openapi.json").json()
    assert {"/predict", "/why", "/summary", "/health", "/live"} == set(document["paths"])
    assert served.ask("GET", "/summary").json()["network"] == "lenet5"


def bomb() -> bytes:
    """Return a PNG that says it has 10^9 pixels."""
    body = struct.pack(">IIBBBBB", 40_000, 25_000, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", body), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def vast(kind: str, *fields: tuple[bytes, int, str]) -> bytes:
    """Return an image file whose header says 40,000 x 25,000: at each place after a mark, in some format."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, kind)
    data = bytearray(file.getvalue())
    for mark, further, form in fields:
        sides = (25_000, 40_000) if kind == "JPEG" else (40_000, 25_000)
        struct.pack_into(form, data, data.index(mark) + further, *sides)
    return bytes(data)


VAST_GIF = vast("GIF", (b"GIF8", 6, "<HH"), (b",\0\0\0\0", 5, "<HH"))
VAST_JPEG = vast("JPEG", (b"\xff\xc0", 5, ">HH"))
VAST_BMP = vast("BMP", (b"BM", 18, "<ii"))
JSON = "application/json"
FORM = "multipart/form-data; boundary=x"
PART_OF_FILE = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\nabc\r\n'
BAD: list[tuple[str, str, bytes, str]] = [
    ("an image of 10^9 pixels", "image/png", bomb(), "pixels"),
    ("a GIF of 10^9 pixels", "image/gif", VAST_GIF, "pixels"),
    ("a JPEG of 10^9 pixels", "image/jpeg", VAST_JPEG, "pixels"),
    ("a BMP of 10^9 pixels", "image/bmp", VAST_BMP, "pixels"),
    ("no image", "image/png", b"junk" * 20, "not a supported image format"),
    ("half an image", "image/png", picture()[:100], "damaged"),
    ("nothing", "image/png", b"", "0 bytes"),
    (
        "half a form",
        FORM,
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\nabc',
        "form|none",
    ),
    ("a broken form", FORM, b"--y\r\nbroken", "form|none"),
    ("a form of nothing", FORM, b"--x--\r\n", "none"),
    ("a form without boundary", "multipart/form-data", b"abc", "boundary"),
    (
        "a form with text alone",
        FORM,
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nabc\r\n--x--\r\n',
        "none",
    ),
    ("a part without a header", FORM, b"--x\r\n\r\nabc\r\n--x--\r\n", "form|none"),
    ("a part with a huge header", FORM, b"--x\r\nA: " + b"a" * 100_000 + b"\r\n\r\n--x--\r\n", "form|none"),
    ("a form of 2,000 files", FORM, PART_OF_FILE * 2000 + b"--x--\r\n", "files"),
    ("no header", "application/x-www-form-urlencoded", b' {"samples": [1]}', "need the header Content-Type: app"),
    ("broken JSON", JSON, b'{"samples": [', "JSON"),
    ("deep JSON", JSON, b'{"samples": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "JSON|numbers"),
    ("too many lists", JSON, b'{"samples": [' + b"[]," * 100_000 + b"0]}", "at most 256 samples of 64 numbers"),
    ("too many numbers", JSON, b'{"samples": [' + b"0," * 100_000 + b"0]}", "holds more numbers"),
    ("too many keys", JSON, b"{" + b",".join(b'"%d":0' % k for k in range(50_000)) + b"}", "holds more numbers"),
    ("too many digits", JSON, b'{"samples": [' + b"9" * 5000 + b"]}", "too many digits"),
    ("deep lists", JSON, b'{"samples": ' + b"[" * 1200 + b"]" * 1200 + b"}", "lists|numbers"),
    ("an SVG", "image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not a supported image format"),
    ("NaN", JSON, b'{"samples": [NaN]}', "not a JSON number"),
    ("huge numbers", JSON, b'{"samples": [1e99' + b",0" * 63 + b"]}", "finite"),
    ("texts", JSON, b'{"samples": ["1"' + b",0" * 63 + b"]}", "numbers"),
    ("ragged lists", JSON, b'{"samples": [[1, 2], [3]]}', "one length"),
    ("another shape", JSON, b'{"samples": [[1, 2], [3, 4]]}', "must be 1 x 8 x 8"),
    ("other keys", JSON, b'{"sample": []}', "other JSON"),
    ("a list", JSON, b"[1]", "other JSON"),
    ("bytes that are no text", JSON, b"\xff\xfe\x00", "JSON"),
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Starlette's file of half a form
@pytest.mark.parametrize(("kind", "body", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_refuses_what_it_cannot_use_in_one_line(served: Served, kind: str, body: bytes, message: str) -> None:
    import re

    for path in ("/predict", "/why"):
        answer = served.ask("POST", path, {"content-type": kind}, content=body)
        assert answer.status_code in (400, 422)
        assert re.search(message, answer.json()["error"])
        assert "Traceback" not in answer.text
        assert "/tmp" not in answer.text
    assert served.ask("GET", "/health").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "layer=conv9",
        "layer=conv2&index=0",
        "layer=conv2&index=0,0,9999",
        "layer=conv2&index=-1,0,0",
        "index=%F0%9F%98%80",
    ],
)
def test_why_refuses_places_that_are_not_there(served: Served, query: str) -> None:
    assert served.ask("POST", f"/why?{query}", content=picture()).status_code == 400


@pytest.mark.parametrize("body", [b"", b"abc", b"\0" * 255, np.full(64, np.inf, "<f4").tobytes(), b"\0" * 512])
def test_explorer_refuses_other_bytes(served: Served, body: bytes) -> None:
    assert served.ask("POST", "/explorer/values", content=body).status_code == 400


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("values?edits=1", "edits: must look like 12:0.5,40:-1; got '1'"),
        ("values?edits=-1:2", "edits: must be finite values of parameters 0 to"),
        ("values?edits=0:nan", "edits: must be finite values"),
        ("scores?target=3", "target: must be from 0 to 2; got '3'"),
        ("scores", "target: must be from 0 to 2; got ''"),
        ("gradients?target=0", "body: must be 1 to 256 samples of 260 bytes"),
    ],
)
def test_explorer_refuses_other_questions(served: Served, path: str, message: str) -> None:
    answer = served.ask("POST", f"/explorer/{path}", content=samples(1)[0].tobytes())
    assert answer.status_code == 400
    assert message in answer.json()["error"]


def test_refuses_huge_bodies(model_path: Path) -> None:
    served = Served(model_path, body=1000, samples=2)
    assert served.ask("POST", "/predict", content=b"x" * 1001).status_code == 413

    async def drops() -> Any:
        for _ in range(200):
            yield b"x" * 10

    answer = served.ask("POST", "/predict", content=drops())  # without a length
    assert (answer.status_code, "1,000 bytes" in answer.text) == (413, True)
    form = {"a": ("a", b"x" * 2000)}
    assert served.ask("POST", "/predict", files=form).status_code == 413
    for length in ("1e9", "1001"):
        assert served.ask("POST", "/predict", {"content-length": length}, content=b"").status_code == 413
    many = {"samples": np.zeros((3, 1, 8, 8), int).tolist()}
    assert "at most 2" in served.ask("POST", "/predict", json=many).text


def test_refuses_a_body_of_two_lengths(served: Served) -> None:
    lengths = {"transfer-encoding": "chunked", "content-length": "3"}
    answer = served.ask("POST", "/predict", lengths, content=b"abc")
    assert (answer.status_code, answer.headers["connection"]) == (400, "close")


def test_clients_that_leave_raise_nothing(served: Served) -> None:
    headers = [(b"host", HOST.encode()), (b"authorization", f"Bearer {served.access.token}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "headers": headers}

    async def leave() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        pass

    asyncio.run(served.app(scope, leave, send))


def test_decodes_as_many_bodies_at_once_as_there_are_cores(model_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("striate.server.routes.available_cores", lambda: 1)
    served, inside, most = Served(model_path), [], []

    def watched(model: Any, files: Any, count: int) -> Any:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.005)
        inside.pop()
        return samples(1), ["body"]

    monkeypatch.setattr("striate.server.samples.read_files", watched)

    async def work(client: Any) -> list[int]:
        token = {"authorization": f"Bearer {served.access.token}"}
        asked = [client.post("/predict", headers=token, content=b"x") for _ in range(4)]
        return [answer.status_code for answer in await asyncio.gather(*asked)]

    assert served.run(work) == [200] * 4
    assert most == [1, 1, 1, 1]


def test_refuses_slow_bodies_and_endless_work(model_path: Path, monkeypatch: Any) -> None:
    served = Served(model_path, body_seconds=0.05)

    async def never() -> Any:
        yield b"x"
        await asyncio.sleep(60)
        yield b"x"

    assert served.ask("POST", "/predict", content=never()).status_code == 408
    served = Served(model_path, request_seconds=0.05)

    async def forever(self: Any, samples: Any) -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr("striate.server.batching.Batcher.rows", forever)
    assert served.ask("POST", "/predict", content=picture()).status_code == 504


def test_answers_so_many_requests_at_a_time(model_path: Path) -> None:
    served = Served(model_path, in_flight=0)
    answer = served.ask("GET", "/summary")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_refuses_only_what_is_beyond_the_requests_in_flight(model_path: Path, monkeypatch: Any) -> None:
    served = Served(model_path, in_flight=2)
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def held(self: Any, samples: Any) -> Any:
        begun.release()
        await go_on.wait()
        return np.full((len(samples), 3), 1 / 3, np.float32)

    monkeypatch.setattr("striate.server.batching.Batcher.rows", held)

    async def work(client: Any) -> list[int]:
        token = {"authorization": f"Bearer {served.access.token}"}

        def ask() -> Any:
            return asyncio.create_task(client.post("/predict", headers=token, content=picture()))

        first = [ask(), ask()]
        for _ in first:
            await begun.acquire()
        refused = await ask()
        go_on.set()
        answered = [(await each).status_code for each in first]
        return [refused.status_code, *answered, (await ask()).status_code]

    assert served.run(work) == [503, 200, 200, 200]


def test_follows_a_model_that_is_replaced(tmp_path: Path) -> None:
    path = make_model(0).save(tmp_path / "model.safetensors")
    served, asked = Served(path), {"samples": samples(1).tolist()}
    before = served.ask("POST", "/predict", json=asked).json()
    make_model(1).save(path)
    os.utime(path, ns=(1, 1))
    after = served.ask("POST", "/predict", json=asked).json()
    assert before != after
    path.write_bytes(b"damaged")
    assert served.ask("POST", "/predict", json=asked).json() == after


def entry(number: int, **more: Any) -> str:
    return json.dumps({"event": "epoch", "epoch": number, "loss": 1.0 / number, **more}) + "\n"


def test_live_curves_of_a_run_without_a_model(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("striate.server.live.EVERY", 0.001)
    (tmp_path / "config.toml").write_text("")
    log = tmp_path / "log.jsonl"
    log.write_text(entry(1) + entry(2, val_loss=float("nan")) + '{"half')
    served = Served(tmp_path)
    info = served.ask("GET", "/explorer/info").json()
    assert (info["model"], info["run"]) == (None, True)
    from striate.server.live import events
    from striate.training.run.log import RunLog

    async def follow() -> list[str]:
        found = []
        async for text in events(RunLog(log), lambda: served.closing):
            found.append(text)
            if len(found) == 2:
                log.write_text(log.read_text()[: -len('{"half')] + entry(3))
            if len(found) == 3:
                log.write_text(entry(1))
            if len(found) == 5:
                served.closing = True
        return found

    found = asyncio.run(follow())
    epochs = [json.loads(text.removeprefix("data: "))["epoch"] for text in found if text.startswith("data")]
    assert epochs == [1, 2, 3, 1]
    assert found[3].startswith("event: again")
    assert "NaN" not in "".join(found)
    answer = served.ask("GET", "/live")  # the server closes: the stream ends
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_live_curves_need_a_run(served: Served) -> None:
    assert "need a run" in served.ask("GET", "/live").json()["error"]


def test_refuses_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"must be a model file or the folder of a run"):
        Served(tmp_path)


def test_reads_recordings(tmp_path: Path) -> None:
    import wave

    from striate import Model, models
    from striate.training.initialisation import initialise

    network = models.signal_cnn(2, (1, 64))
    theta = initialise(network, "he", 0)[0].astype(np.float32)
    served = Served(Model(network, theta, classes=("a", "b")).save(tmp_path / "m.safetensors"))
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(128))
    assert served.ask("POST", "/predict", content=file.getvalue()).status_code == 200


def test_reads_a_log(tmp_path: Path) -> None:
    from striate import Model, models
    from striate.training.initialisation import initialise

    network = models.series_cnn(2, (2, 16))
    theta = initialise(network, "he", 0)[0].astype(np.float32)
    metadata = {"preparation": {"series": {"columns": ["time", "x", "y"], "has_names": True, "kept": [1, 2]}}}
    path = Model(network, theta, classes=("a", "b"), metadata=metadata).save(tmp_path / "m.safetensors")
    served, log = Served(path), "y,x,time\n" + "".join(f"{t % 3},{t},{t}\n" for t in range(12))
    (tmp_path / "log.csv").write_text(log)
    (item,) = served.ask("POST", "/predict", content=log.encode()).json()["predictions"]
    expected = load(path).predict_proba(str(tmp_path / "log.csv"))[0]
    np.testing.assert_allclose(list(item["probabilities"].values()), expected, atol=1e-6)
    assert "must be a series, as a table; got 0 bytes" in served.ask("POST", "/predict", content=b"").text


def test_reads_texts(tmp_path: Path) -> None:
    from striate import Model, models
    from striate.training.initialisation import initialise

    network = models.text_cnn(2, (1, 6), entries=4)
    theta = initialise(network, "he", 0)[0].astype(np.float32)
    metadata = {"preparation": {"text": {"words": ["ship", "tree"], "length": 6}}}
    path = Model(network, theta, classes=("sea", "wood"), metadata=metadata).save(tmp_path / "m.safetensors")
    (tmp_path / "new.txt").write_text("A Ship, a tree.")
    (item,) = Served(path).ask("POST", "/predict", content=b"A Ship, a tree.").json()["predictions"]
    expected = load(path).predict_proba(str(tmp_path / "new.txt"))[0]
    np.testing.assert_allclose(list(item["probabilities"].values()), expected, atol=1e-6)


def test_reads_the_rows_of_a_table(tmp_path: Path) -> None:
    from tests.pages.test_explorer import table_model

    model = table_model()
    served = Served(model.save(tmp_path / "m.safetensors"), samples=2)
    rows = "age,colour\n61,blue\n30,red\n"
    found = served.ask("POST", "/predict", content=rows.encode()).json()["predictions"]
    (tmp_path / "rows.csv").write_text(rows)
    expected = np.ravel(load(tmp_path / "m.safetensors").predict(str(tmp_path / "rows.csv")))
    assert [item["name"] for item in found] == ["body:1", "body:2"]
    np.testing.assert_allclose([item["values"]["price"] for item in found], expected, rtol=1e-5)
    answer = served.ask("POST", "/predict", content=(rows + "1,red\n").encode())
    assert "at most 2 samples; got 3" in answer.json()["error"]
