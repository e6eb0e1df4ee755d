from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image

from striate.data import eurosat as module
from striate.data.eurosat import eurosat, unpack
from striate.errors import DataError


def archive(path, count: int = 10):
    with zipfile.ZipFile(path, "w") as content:
        for label in ("Forest", "River"):
            for number in range(count):
                picture = io.BytesIO()
                Image.new("RGB", (64, 64), (number, 0, 0)).save(picture, "JPEG")
                content.writestr(f"2750/{label}/{label}_{number}.jpg", picture.getvalue())
    return path


def test_the_archive_in_a_folder_is_unpacked_once(tmp_path, monkeypatch):
    archive(tmp_path / "EuroSAT.zip")
    splits = eurosat(tmp_path)
    assert splits.train.classes == ("Forest", "River")
    assert splits.train.sample_shape == (3, 64, 64)
    assert (len(splits.train) + len(splits.validation), len(splits.test)) == (16, 4)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert len(eurosat(tmp_path).test) == 4


def test_folders_of_classes_are_read_as_they_are(tmp_path):
    assert len(eurosat(unpack(archive(tmp_path / "other.zip"))).test) == 4


def test_nothing_outside_of_the_folder_is_written(tmp_path):
    (tmp_path / "deep").mkdir()
    with zipfile.ZipFile(tmp_path / "deep" / "evil.zip", "w") as content:
        content.writestr("../../outside.txt", "x")
        content.writestr("/absolute.txt", "x")
    unpack(tmp_path / "deep" / "evil.zip")
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}


def test_damaged_archives_leave_nothing_behind(tmp_path, monkeypatch):
    path = archive(tmp_path / "EuroSAT.zip")
    content = path.read_bytes()
    path.write_bytes(content[:100])
    with pytest.raises(DataError, match="cannot be unpacked"):
        eurosat(tmp_path)
    path.write_bytes(content[:60] + b"\xff\xff" + content[62:])
    with pytest.raises(DataError, match="cannot be unpacked"):
        eurosat(tmp_path)
    path.write_bytes(content)
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    with pytest.raises(DataError, match=r"unpacks to .* bytes; at most 100 are allowed"):
        eurosat(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["EuroSAT.zip"]
