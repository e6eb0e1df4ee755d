"""``striate cache`` lists what is there and removes what is asked for."""

import re

import pytest

from striate.data.decoding import Decoded
from striate.data.images import ImageReader
from striate.data.pixel_cache import cached_rows


@pytest.fixture
def filled(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path / "cache"))
    source = tmp_path / "photos"
    source.mkdir()
    file = source / "a.png"
    file.write_bytes(b"x")
    cached_rows(source, [file], ImageReader(1, (10, 10)), lambda rows: Decoded(rows, {}))
    (tmp_path / "cache/data").mkdir()
    (tmp_path / "cache/data/big").write_bytes(bytes(2000))
    return tmp_path


def test_sizes_and_sources_are_listed(filled, run):
    text = run("cache").stdout
    assert "2.0 kB  downloaded data sets" in text
    assert f"100 bytes  {filled / 'photos'}, used today" in text


def test_a_kind_is_removed_and_the_others_stay(filled, run):
    said = run("cache", "--clear", "decoded").stdout
    assert re.search("removed decoded images, recordings and tables: [1-9][0-9]* bytes", said)
    assert "downloaded data sets:" not in said
    assert not list((filled / "cache").rglob("*.rows"))
    assert (filled / "cache/data/big").exists()
    said = run("cache", "--clear", "all").stdout
    assert "removed downloaded data sets: 2.0 kB" in said
    assert "removed decoded images, recordings and tables: there were none" in said
    assert not (filled / "cache/data").exists()


def test_an_unknown_kind_and_a_bad_limit_are_one_line(filled, refused, monkeypatch):
    assert "decoded" in refused("cache", "--clear", "decode", status=2)
    monkeypatch.setenv("STRIATE_CACHE_GB", "many")
    assert "must be a positive number of gigabytes; got 'many'" in refused("cache", status=2)
