"""Commands on models of tables, series and several labels: which row is meant, and what is written about each."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import striate
from striate.data import registry

from .helpers import last_json

HEAD = "id,colour,size,kind\n"


def rows(path):
    """Return the rows of a table that was written."""
    return list(csv.reader(path.read_text("utf-8").splitlines()))


@pytest.fixture(scope="module")
def cats(run, tmp_path_factory):
    """The folder of a run on cats.csv: large ones are black with few exceptions."""
    folder = tmp_path_factory.mktemp("cats")
    rng, lines = np.random.default_rng(2), []
    for number in range(60):
        large = rng.random() < 0.5
        colour = ["grey", "black"][int(large ^ (rng.random() < 0.2))]
        lines.append(f"{number},{colour},{rng.normal(5 * large, 3):.2f},{['kitten', 'cat'][large]}\n")
    (folder / "cats.csv").write_text(HEAD + "".join(lines))
    assert run("train", folder / "cats.csv", "--label", "kind", "--out", folder / "run").exit_code == 0
    return folder


def test_mistakes_name_rows_that_can_be_explained(run, cats, tmp_path):
    """A row without a label counts, so that the names are those that predict and explain take."""
    path, out = tmp_path / "new.csv", tmp_path / "mistakes.csv"
    path.write_text(HEAD + "0,black,9,\n1,grey,-9,cat\n2,grey,-9,kitten\n3,black,9,kitten\n")
    assert run("evaluate", cats / "run", path, "--mistakes", out).exit_code == 0
    found = rows(out)[1:]
    assert {(row[0], row[1], row[2]) for row in found} == {
        (f"{path}:2", "cat", "kitten"),
        (f"{path}:4", "kitten", "cat"),
    }
    for name, _, predicted, _ in found:
        assert last_json(run("predict", cats / "run", name, "--json"))["predictions"][0]["class"] == predicted


def test_unknown_categories_are_named(run, cats, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text(HEAD + "0,pink,9,cat\n1,grey,-9,kitten\n")
    expected = f"note: {path}: column 'colour': 'pink' not in the training data (1 of 2 rows)"
    assert expected in run("evaluate", cats / "run", path).stderr
    assert expected in run("explain", cats / "run", f"{path}:2", "--out", tmp_path / "page.html").stderr
    assert "not in the training data" not in run("evaluate", cats / "run", cats / "cats.csv").stderr


def test_the_first_row_is_taken_and_named(run, cats, tmp_path):
    table, page = cats / "cats.csv", tmp_path / "page.html"
    result = run("explain", cats / "run", table, "--out", page, "--json")
    assert f"note: {table}: took sample 1 of 60; to choose another, add its number: {table}:60" in result.stderr
    assert last_json(result)["file"] == f"{table}:1"
    assert '"sample":"cats.csv:1"' in page.read_text("utf-8")
    result = run("explain", cats / "run", f"{table}:60", "--out", page)
    assert "note" not in result.stderr
    assert '"sample":"cats.csv:60"' in page.read_text("utf-8")
    assert "took sample 1 of 60" in run("why", cats / "run", table).stderr


def test_mistakes_in_a_data_set_count_from_zero_as_its_samples_do(run, trained, tmp_path):
    out = tmp_path / "mistakes.csv"
    assert run("evaluate", trained, "digits", "--mistakes", out).exit_code == 0
    model, data = striate.load(trained), registry.load("digits").test
    wrong = np.flatnonzero(model.predict(data.inputs) != data.targets)
    assert {row[0] for row in rows(out)[1:]} == {f"digits:{number}" for number in wrong.tolist()}


def test_mistakes_in_series(run, tmp_path):
    head, path = (
        "@problemName p\n@timeStamps false\n@univariate true\n@classLabel true up down\n@data\n",
        tmp_path / "p.ts",
    )
    line = ",".join("0123456789")
    path.write_text(head + f"{line}:up\n{line}:down\n" * 10)
    assert run("train", path, "--epochs", 1, "--validation", 0, "--out", tmp_path / "run").exit_code == 0
    out = tmp_path / "mistakes.csv"
    assert run("evaluate", tmp_path / "run", path, "--mistakes", out).exit_code == 0
    wrong = {int(row[0].rpartition(":")[2]) for row in rows(out)[1:]}
    assert wrong in ({*range(1, 20, 2)}, {*range(2, 21, 2)})  # all of them are the same series
    assert all(row[0].startswith(f"{path}:") for row in rows(out)[1:])


def test_predicted_labels_are_named(run, tmp_path):
    rng = np.random.default_rng(3)
    values = rng.random((200, 2)).round(3)
    names = [[name for name, on in zip(("dry", "hot"), row > 0.5, strict=True) if on] for row in values]
    lines = [f"{a},{b},{'|'.join(on)}\n" for (a, b), on in zip(values.tolist(), names, strict=True)]
    table, out = tmp_path / "days.csv", tmp_path / "found.csv"
    table.write_text("a,b,label\n" + "".join(lines))
    assert run("train", table, "--out", tmp_path / "run").exit_code == 0
    assert run("predict", tmp_path / "run", table, "--out", out).exit_code == 0
    found = rows(out)
    assert found[0] == ["file", "prediction", "dry", "hot"]
    for _, named, dry, hot in found[1:]:
        assert named == "|".join(n for n, share in (("dry", dry), ("hot", hot)) if float(share) >= 0.5)
    assert {row[1] for row in found[1:]} == {"", "dry", "hot", "dry|hot"}


def test_unreadable_files_are_listed(run, trained, tmp_path):
    from PIL import Image

    data = registry.load("digits").test
    for number in range(20):
        place = tmp_path / "held" / str(int(data.targets[number]))
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.uint8(data.inputs[number][0])).save(place / f"{number}.png")
    (place / "torn.png").write_bytes(b"\x89PNG\r\n")
    result = run("evaluate", trained, tmp_path / "held", "--json")
    assert f"skipped 1 unreadable file\n  {place / 'torn.png'}: " in result.stderr
    told = last_json(result)
    assert [told["samples"], told["bad_files"][0][0]] == [20, str(place / "torn.png")]
