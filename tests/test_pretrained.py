"""Pretrained networks: names, checksums, downloads from a server of our own."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from striate import pretrained
from striate.errors import DataError, UsageError
from striate.models import MODELS


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_every_name_is_a_network_and_says_its_checksum() -> None:
    for entry in pretrained.REGISTRY.values():
        assert entry.network in MODELS
        assert len(entry.checksum) == 8
        int(entry.checksum, 16)


def test_files_are_downloaded_once_and_checked(tmp_path: Path) -> None:
    content = b"weights"
    name = f"net-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / name).write_bytes(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "served")))
    Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}/"
    entry = pretrained.Pretrained("resnet18", name, origin=origin)
    try:
        path = pretrained.fetch(entry, tmp_path / "cache")
        assert path.read_bytes() == content
        with pytest.raises(DataError, match=r"missing-00000000\.pth: cannot be downloaded from http"):
            pretrained.fetch(replace(entry, file="missing-00000000.pth"), tmp_path / "cache")
        (tmp_path / "served" / "net-00000000.pth").write_bytes(b"other")
        with pytest.raises(DataError, match=r"the SHA-256 must begin with 00000000"):
            pretrained.fetch(replace(entry, file="net-00000000.pth"), tmp_path / "cache")
        assert not (tmp_path / "cache" / "net-00000000.pth").exists()
    finally:
        server.shutdown()
        server.server_close()
    assert pretrained.fetch(entry, tmp_path / "cache") == path  # from the cache: the server is gone


def test_unknown_names_and_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown name 'resnet18'; did you mean 'resnet18-imagenet'"):
        pretrained.load("resnet18")
    (tmp_path / "a.pth").write_bytes(b"something")
    with pytest.raises(DataError, match=r"the SHA-256 must begin with f37072fd"):
        pretrained.load("resnet18-imagenet", tmp_path / "a.pth")
