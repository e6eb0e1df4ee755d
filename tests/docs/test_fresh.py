"""Every command of README and of the pages works in an environment made from the project's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import load

fresh = load("fresh")
PAGES = fresh.pages()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh")
    fresh.make(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(folder: Path, page: Path) -> None:
    outcome = fresh.run(folder, page)
    assert not outcome.failed, "\n".join(outcome.failed)
    assert outcome.ran or outcome.left_out


def test_commands_are_found_and_shortened() -> None:
    text = "```sh\npip install x\nstriate train a/ --size 8x8   # small\n```\n```console\n$ striate runs\n```\n"
    found = fresh.commands(text)
    assert found == ["pip install x", "striate train a/ --size 8x8"]
    assert fresh.shortened(found[1]) == "striate train a/ --size 8x8 --epochs 1"
    assert fresh.shortened("striate train a/ --epochs 3") == "striate train a/ --epochs 3"
    assert fresh.shortened("striate search a/ --trials 50") == "striate search a/ --trials 2 --epochs 1"
    assert {"README", "serve", "tables"} <= {page.stem for page in PAGES}


def test_what_fails_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    program = tmp_path / "env" / "bin" / "striate"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\n[ "$1" = runs ] && exit 0; echo "striate: $2: cannot download" >&2; exit 1\n')
    program.chmod(0o755)
    page = tmp_path / "page.md"
    lines = ["striate runs", "striate import a.pth", "striate train mnist", "mpiexec -n 2 striate runs"]
    page.write_text("\n".join(["```sh", *lines, "```", ""]))
    outcome = fresh.run(tmp_path, page)
    assert (outcome.ran, outcome.failed) == (["striate runs"], [])
    assert [text.rpartition(": ")[2] for text in outcome.left_out] == [
        "PyTorch is missing, which writes a.pth", "no network", "for an installation, a shell or several machines",
    ]  # fmt: skip
    program.write_text('#!/bin/sh\necho "striate: no such thing" >&2; exit 2\n')
    assert len(fresh.run(tmp_path, page).failed) == 2
