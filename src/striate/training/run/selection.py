"""Filter and sort runs by their metrics and settings."""

from __future__ import annotations

import dataclasses
import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from striate.errors import UsageError, unknown_name
from striate.training.run.record import RunRecord

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
DESCENDING = ("accuracy", "r2", "started")
"""What is listed with the largest first, because that is the best or the latest."""
_CONDITION = re.compile(r"\s*([\w.]+)\s*(<=|>=|!=|=|<|>)\s*(.+?)\s*")


def select(records: Sequence[RunRecord], condition: str) -> list[RunRecord]:
    """Return the runs for which a condition holds; those without the value are left out.

    Parameters
    ----------
    records : sequence of RunRecord
    condition : str
        A field of a `RunRecord` or a setting of its configuration, one of ``= != < <= > >=``, and a value, such as
        ``model=lenet5``, ``accuracy>0.98`` or ``training.batch_size=64``.

    Raises
    ------
    UsageError
        If it is not a condition, or no run has such a field or setting.
    """
    match = _CONDITION.fullmatch(condition)
    if match is None:
        raise UsageError(
            f"filter: must be NAME, one of {' '.join(OPERATORS)}, and a value; got {condition!r}. "
            "Use for example 'accuracy>0.98'."
        )
    name, sign, text = match.groups()
    _check_known(records, "filter", name)
    return [record for record in records if _holds(value_of(record, name), sign, text)]


def ordered(records: Sequence[RunRecord], name: str, reverse: bool = False) -> list[RunRecord]:
    """Return the runs in the order of a field or setting; those without it come last.

    The highest accuracy and the latest run come first, of everything else the least.

    Raises
    ------
    UsageError
        If no run has such a field or setting.
    """
    _check_known(records, "sort", name)
    known = [record for record in records if value_of(record, name) is not None]
    rest = [record for record in records if value_of(record, name) is None]
    return sorted(known, key=lambda run: _key(run, name), reverse=reverse != (name in DESCENDING)) + rest


def value_of(record: RunRecord, name: str) -> Any:
    """Return a field, or a setting by its dotted name; None if the run has none such."""
    fields = record.as_dict()
    return fields[name] if name in fields else record.settings.get(name)


def _check_known(records: Sequence[RunRecord], what: str, name: str) -> None:
    fields = [field.name for field in dataclasses.fields(RunRecord) if field.name != "settings"]
    settings = {key for record in records for key in record.settings}
    if records and name not in fields and name not in settings:
        raise unknown_name(what, name, settings if "." in name else fields)


def _key(record: RunRecord, name: str) -> tuple[bool, float, str]:
    value = value_of(record, name)
    number = isinstance(value, int | float)
    return not number, float(value) if number else 0.0, str(value)


def _holds(value: Any, sign: str, text: str) -> bool:
    if value is None:
        return False
    if isinstance(value, bool):
        return OPERATORS[sign](str(value).lower(), text.lower())
    if isinstance(value, int | float):
        try:
            return OPERATORS[sign](float(value), float(text))
        except ValueError:
            return sign == "!="
    return OPERATORS[sign](str(value), text)
