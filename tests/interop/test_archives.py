"""Archives and groups with more members than a model has are refused before their lists are read."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from striate.errors import ModelFileError
from striate.interop import archives, hdf5, keras
from striate.interop.pytorch import read_state_dict


def archive(path: Path, count: int, comment: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for number in range(count):
            file.writestr(f"{number}", "")
        file.comment = comment
    return path


@pytest.mark.parametrize("comment", [b"", b"a note" * 1000])
def test_the_end_of_an_archive_tells_how_many_members_it_has(
    comment: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 20)
    assert not archives.too_many_members(archive(tmp_path / "few.zip", 20, comment))
    assert archives.too_many_members(archive(tmp_path / "many.zip", 21, comment))
    short = tmp_path / "short.zip"
    short.write_bytes(archive(tmp_path / "cut.zip", 21).read_bytes()[:-3])
    assert not archives.too_many_members(short)  # is no archive, as reading it says


def test_archives_of_too_many_members_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("h5py")
    many = archive(tmp_path / "many.keras", 70_000 // 4)
    monkeypatch.setattr(zipfile.ZipFile, "infolist", None)
    with pytest.raises(ModelFileError, match=r"many.keras: .* as an archive it has too many members"):
        keras.load(many)
    with pytest.raises(ModelFileError, match=r"many.pt: .* weights; it has too many members"):
        read_state_dict(many.rename(tmp_path / "many.pt"))


def test_groups_of_too_many_members_are_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "many.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{}"
        root = file.create_group("model_weights")
        for number in range(hdf5.MOST_MEMBERS + 1):
            root.create_group(str(number))
    with pytest.raises(ModelFileError, match="a group has 4,097 members, more than 4,096"):
        keras.load(path)
