"""Forward values and error signals as a lecturer writes them on a board."""

from __future__ import annotations

from collections.abc import Sequence

from striate.numbers import format_array
from striate.worksheets.expression.steps import Step


def board(steps: Sequence[Step], output: str, unused: Sequence[str] = ()) -> str:
    """Return the forward pass in topological order and the backward pass in reverse order as text.

    ``v_bar`` is the error signal of v: the derivative of the result by v.
    """
    given = [step for step in steps if step.node.operation is None]
    computed = [step for step in steps if step.node.operation is not None]
    forward = [
        (step.node.name, step.node.formula or "given", format_array(step.value)) for step in given + computed
    ]
    backward = [(f"{step.node.name}_bar", *_error(step, output)) for step in reversed(steps)]
    lines = ["forward, in topological order", *_aligned(forward)]
    lines += [f"backward, in reverse topological order (v_bar is d {output} / d v)", *_aligned(backward)]
    if unused:
        lines.append(f"given but not used: {', '.join(unused)}")
    return "\n".join(lines)


def error_formula(step: Step, output: str) -> str:
    """Return the sum of rules that makes a step's error signal, such as "z_bar*x + R_bar*w"."""
    if not step.terms:
        return "1" if step.node.name == output else "0, not used by the result"
    own = ["1"] if step.node.name == output else []
    return " + ".join(own + [term.text for term in step.terms]).replace(" + -", " - ")


def _error(step: Step, output: str) -> tuple[str, str]:
    """Return the formula of an error signal and its value, with the single numbers where several are added."""
    total = format_array(step.error)
    if len(step.terms) > 1 and all(term.value.size <= 4 for term in step.terms):
        added = " + ".join(format_array(term.value) for term in step.terms).replace(" + -", " - ")
        total = f"{added} = {total}"
    return error_formula(step, output), total


def _aligned(rows: list[tuple[str, str, str]]) -> list[str]:
    name, formula = (max(len(row[i]) for row in rows) for i in (0, 1))
    return [
        f"  {a:<{name}} = {b:<{min(formula, 60)}} = {c}" if b != c else f"  {a:<{name}} = {c}" for a, b, c in rows
    ]
