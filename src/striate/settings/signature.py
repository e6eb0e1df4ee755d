"""Let a function that takes settings as keywords show them in its signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING
from typing import Any, TypeVar

from striate.settings.setting import default_of, settings_of

Function = TypeVar("Function", bound=Callable[..., Any])


def takes(settings: type, *, leave_out: tuple[str, ...] = ()) -> Callable[[Function], Function]:
    """Return a decorator: the keywords ``**settings`` of a function appear in its signature by name and default.

    Parameters
    ----------
    settings : subclass of Settings
    leave_out : names
        Settings that the function does not take.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        names = [name for name in settings_of(settings) if name not in {*leave_out, *(p.name for p in own)}]
        added = [_parameter(settings, name) for name in names]
        function.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
        return function

    return decorate


def _parameter(settings: type, name: str) -> inspect.Parameter:
    default = default_of(settings, name)
    shown = inspect.Parameter.empty if default is MISSING else default
    annotation = inspect.get_annotations(settings).get(name, inspect.Parameter.empty)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=shown, annotation=annotation)
