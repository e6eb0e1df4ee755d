"""Turn the options of a command line into the configuration of a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from striate.errors import UsageError
from striate.settings import Place, Setting, number, settings_of
from striate.settings.setting import default_of
from striate.training.run.config import AUTO, RunConfig
from striate.training.settings.training import LEARNING

if TYPE_CHECKING:
    from striate.data.options import Options

Function = TypeVar("Function", bound=Callable[..., None])
Tables = dict[str, Any]
WARM_UP = Setting(
    number(above=0, closed=True),
    "Warm-up epochs: the learning rate rises from 0 over them.",
    option="--warm-up",
    metavar="EPOCHS",
    panel=LEARNING,
)
"""An argument of every schedule, with an option of its own."""


@cache
def settings_with_options() -> dict[str, tuple[str, Setting]]:
    """Return the configuration key and the setting of every option, by the name of its parameter."""
    found = {_name(known): (key, known) for key, known in _walk(RunConfig, "") if known.option}
    places = list(found)
    places.insert(places.index("schedule") + 1, "warm_up")
    found["warm_up"] = ("training.schedule.warm_up_epochs", WARM_UP)
    return {name: found[name] for name in places}


def _name(known: Setting) -> str:
    return known.option.lstrip("-").replace("-", "_")


def _walk(cls: type, path: str) -> Iterator[tuple[str, Setting]]:
    for name, known in settings_of(cls).items():
        yield f"{path}{name}", known
        if known.kind.settings is not None:
            yield from _walk(known.kind.settings, f"{path}{name}.")


def option(name: str) -> Any:
    """Return Typer's option for a setting, by the name of its parameter."""
    key, known = settings_with_options()[name]
    default = _default_of(key)
    return typer.Option(
        f"{known.option}/--no-{known.option.lstrip('-')}" if default is True else known.option,
        metavar=known.metavar,
        help=f"{known.help}{_default_text(known, default)}",
        rich_help_panel=known.panel,
        show_default=False,
    )


def _default_of(key: str) -> Any:
    """Return the default of the setting with this key; None for an argument that is not a setting."""
    cls: Any = RunConfig
    *path, last = key.split(".")
    for name in path:
        cls = settings_of(cls)[name].kind.settings
    return None if cls is None else default_of(cls, last)


def _default_text(known: Setting, default: Any) -> str:
    """Return the text of an option's default for its help; empty if there is none."""
    if default is None:
        return f" (default: {known.auto or known.off})" if known.auto or known.off else ""
    if isinstance(default, bool) or not default or default == AUTO:
        return ""
    plain = known.plain(default)
    return f" (default: {plain:g})" if isinstance(plain, float) else f" (default: {plain})"


def with_settings(*names: str) -> Callable[[Function], Function]:
    """Return a decorator that gives a command the options of settings, as its ``**settings``.

    Parameters
    ----------
    *names : str
        Of parameters; every setting that has an option by default.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function, eval_str=True)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        added = [_parameter(name) for name in names or settings_with_options()]
        first = [p for p in own if p.kind is not p.KEYWORD_ONLY]
        rest = [p for p in own if p.kind is p.KEYWORD_ONLY]
        parameters = [*(p.replace(kind=p.KEYWORD_ONLY) for p in (*first, *added, *rest))]
        function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        function.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
        return function

    return decorate


def _parameter(name: str) -> inspect.Parameter:
    kind: Any = settings_with_options()[name][1].kind.option
    annotation: Any = Annotated[kind | None, option(name)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def run_config(given: Mapping[str, Any], file: Path | None = None) -> RunConfig:
    """Return the run described by options and a file (options win); the recipe of the data decides the rest.

    Parameters
    ----------
    given : mapping
        The options by name; None where nothing was typed.

    Raises
    ------
    UsageError
        If a value cannot mean anything, or there is no data set.
    """
    known = settings_with_options()
    typed = {name: given[name] for name in known if given.get(name) not in (None, [], ())}
    tables = RunConfig.load(file, given.get("dataset")).to_dict() if file is not None else {}
    if given.get("dataset") is not None:
        _put(tables, "data.name", given["dataset"])
    elif file is None:
        raise UsageError("train: needs a data set. Try for example: striate train digits.")
    if "model" in typed:
        tables["model"] = {}  # another network has other options
    for name, value in typed.items():
        _put(tables, known[name][0], read_option(name, value))
    return RunConfig.from_dict(tables)


def read_option(name: str, value: Any) -> Any:
    """Return the value of an option in canonical form; error messages begin with the option."""
    known = settings_with_options()[name][1]
    return known.read(value, Place(known.option))


def model_label(config: RunConfig) -> str | None:
    """Return the model by name, or None if the data, which are not read yet, will decide."""
    from striate.training.run.recipes import NAMED

    if config.model.start is not None or config.model.name != AUTO:
        return config.model.start or config.model.name
    return NAMED[config.data.name].model if config.data.name in NAMED else None


def with_progress(config: RunConfig, progress: Callable[[int, int], None]) -> RunConfig:
    """Return the configuration with a function that receives the progress of decoding."""
    options = config.data.options.changed(progress=progress)
    return config.changed(data=config.data.changed(options=options))


def data_options(given: Mapping[str, Any]) -> Options:
    """Return how a path is read, from options by name."""
    from striate.data.options import Options

    read = {
        key.removeprefix("data.options."): read_option(name, given[name])
        for name, (key, _) in settings_with_options().items()
        if key.startswith("data.options.") and given.get(name) is not None
    }
    return Options(**read)


def _put(tables: Tables, key: str, value: Any) -> None:
    *path, last = key.split(".")
    for name in path:
        tables[name] = dict(tables.get(name) or {})
        tables = tables[name]
    tables[last] = value
