"""Settings: what they accept, what they say about the rest, and how they are written."""

from __future__ import annotations

import inspect
import tomllib
from dataclasses import dataclass

import pytest

from striate.errors import UsageError
from striate.settings import (
    Place,
    Settings,
    choice,
    flag,
    mapping,
    number,
    setting,
    settings_of,
    sizes,
    table,
    text,
    texts,
    whole,
)
from striate.settings.setting import build
from striate.settings.signature import takes
from striate.settings.toml import lines_of, read_tables, to_toml


@dataclass(frozen=True, kw_only=True)
class Inner(Settings):
    patience: int = setting(3, whole(0), "Epochs to wait.")


@dataclass(frozen=True, kw_only=True)
class Everything(Settings):
    name: str = setting(None, text(), "A name.")
    epochs: int | None = setting(
        None, whole(), "Epochs.", auto="chosen from the data", option="--epochs", exact=True
    )
    batch: int | str = setting(64, whole(1, "full"), "Batch size.")
    rate: float | None = setting(None, number(0, 1), "Rate.", off="no rate")
    fit: str = setting("crop", choice("crop", "pad"), "Fit.")
    fast: bool = setting(True, flag(), "Fast.")
    size: tuple[int, ...] = setting((8, 8), sizes(1, 2), "Size.")
    freeze: tuple[str, ...] = setting((), texts(), "Freeze.")
    rates: dict[str, float] = setting({}, mapping(number(), "table"), "Rates.")
    inner: Inner | None = setting(None, table(Inner, lambda n: {"patience": n}), "Inner.", off="nothing")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"epochs": "auto"}, {"epochs": None}),
        ({"epochs": "none"}, {"epochs": None}),
        ({"batch": "full"}, {"batch": "full"}),
        ({"batch": "32"}, {"batch": 32}),
        ({"rate": "none"}, {"rate": None}),
        ({"size": "4x6"}, {"size": (4, 6)}),
        ({"size": 64}, {"size": (64,)}),
        ({"size": [4, 6]}, {"size": (4, 6)}),
        ({"freeze": "conv*"}, {"freeze": ("conv*",)}),
        ({"rates": {"a": 1}}, {"rates": {"a": 1.0}}),
        ({"inner": 5}, {"inner": Inner(patience=5)}),
        ({"inner": {"patience": 0}}, {"inner": Inner(patience=0)}),
    ],
)
def test_values_become_canonical(values, expected):
    found = build(Everything, {"name": "x", **values}, Place())
    assert {key: getattr(found, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, "epochs: must be at least 1; got 0"),
        ({"epochs": True}, "epochs: must be a whole number; got True"),
        ({"batch": "none"}, "batch: must be a whole number; got 'none'. Or write 'full'."),
        ({"rate": 10**400}, "rate: must be finite; got inf"),
        ({"rate": 1}, "rate: must be above 0 and below 1; got 1"),
        ({"fit": "stretch"}, "fit: unknown name 'stretch'"),
        ({"fit": 3}, "fit: unknown name '3'"),
        ({"fast": 1}, "fast: must be True or False; got 1"),
        ({"size": "8by8"}, "size: must be 1 or 2 whole numbers, such as 64x64; got '8by8'"),
        ({"size": [8, 0]}, "size: must be at least 1; got 0"),
        ({"freeze": 3}, "freeze: must be a list of texts; got 3"),
        ({"freeze": [3]}, "freeze: must be text; got 3"),
        ({"rates": 3}, "rates: must be a table; got 3"),
        ({"rates": {"a": "x"}}, "rates.a: must be a number; got 'x'"),
        ({"inner": {"patience": -1}}, "inner.patience: must be at least 0; got -1"),
        ({"inner": {"patienc": 1}}, "inner: unknown name 'patienc'; did you mean 'patience'"),
        ({"name": "a\0b"}, "name: must be valid Unicode without NUL characters"),
        ({"name": None}, "name: must be text.*; got nothing"),
        ({"nam": "x"}, "settings: unknown name 'nam'; did you mean 'name'"),
    ],
)
def test_other_values_are_refused(values, message):
    with pytest.raises(UsageError, match=message):
        build(Everything, {"name": "x", **values}, Place())


def test_what_must_be_given():
    with pytest.raises(UsageError, match=r"name: is missing; it must be text\."):
        build(Everything, {}, Place())
    with pytest.raises(UsageError, match="must be a table; got 3"):
        build(Everything, 3, Place())
    with pytest.raises(UsageError, match="epochs: must be at least 1; got 0"):
        Everything(name="x", epochs=0)


def test_written_and_read_it_is_the_same(tmp_path):
    first = Everything(name='odd "name" ü\n\x7f', rates={"a.b c": 2.0}, inner=Inner(), freeze=("x",))
    path = tmp_path / "x.toml"
    path.write_text(to_toml(first), "utf-8")
    assert build(Everything, *read_tables(path)) == first
    assert tomllib.loads(to_toml(first, comments=False)) == tomllib.loads(to_toml(first))


def test_every_key_is_under_its_help():
    lines = to_toml(Everything(name="x")).splitlines()
    for name, known in settings_of(Everything).items():
        place = next(n for n, line in enumerate(lines) if line.startswith(f"{name} ="))
        assert lines[place - 1].startswith("#")
        assert known.help in "\n".join(lines[:place])
    assert "#" not in to_toml(Everything(name="x"), comments=False)


def test_messages_name_the_line(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text('# first\nname = "x"\n\n[inner]\n\n"patience" = -1\n')
    with pytest.raises(UsageError, match=r"x.toml, line 6: inner.patience: must be at least 0; got -1"):
        build(Everything, *read_tables(path))


def test_lines_of_keys_that_are_written_in_other_ways():
    text_ = 'a.b = 1\n[ "c d" . e ] # table\nf = [\n  1,\n]\n[[g]]\nh = 2\n'
    assert lines_of(text_) == {"a.b": 1, "c d.e": 2, "c d.e.f": 3, "c d.e.h": 7}


@pytest.mark.parametrize("text_", ["[data", "a = " + "[" * 3000, "a = " + "9" * 5000])
def test_files_that_are_not_toml(tmp_path, text_):
    path = tmp_path / "x.toml"
    path.write_text(text_)
    with pytest.raises(UsageError, match=r"x.toml: is not valid TOML: "):
        read_tables(path)
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="is not valid TOML"):
        read_tables(path)
    with pytest.raises(UsageError, match=r"cannot be read \(Is a directory\)"):
        read_tables(tmp_path)


def test_a_function_shows_the_settings_that_it_takes():
    @takes(Everything, leave_out=("inner",))
    def function(epochs, **settings):
        return settings

    parameters = inspect.signature(function).parameters
    assert list(parameters) == ["epochs", *(n for n in settings_of(Everything) if n not in ("epochs", "inner"))]
    assert parameters["batch"].default == 64
    assert parameters["name"].default is inspect.Parameter.empty
