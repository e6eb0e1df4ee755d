"""The small mistakes that a test suite should notice: another comparison, operator or number, a call left out."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """The source of a module with one mistake."""

    line: int
    change: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module."""
    tree = ast.parse(source)
    skipped = {id(part) for node in ast.walk(tree) for root in _apart(node) for part in ast.walk(root)}
    nodes: list[Any] = list(ast.walk(tree))
    for index, node in enumerate(nodes):
        for change in () if id(node) in skipped else _changes(node):
            other = copy.deepcopy(tree)
            found = list(ast.walk(other))[index]
            before = ast.unparse(found).split("\n")[0]
            change(found)
            yield Mutant(node.lineno, f"{before}  ->  {ast.unparse(found)}"[:160], ast.unparse(other))


def _apart(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a node that have no effect, or only one on a message."""
    if isinstance(node, ast.FunctionDef):
        return [a for a in (node.returns, *(arg.annotation for arg in node.args.args)) if a is not None]
    if isinstance(node, ast.ClassDef):
        return list(node.decorator_list)  # the type checker notices whoever changes a frozen class
    if isinstance(node, ast.AnnAssign):
        return [node.annotation]
    if isinstance(node, ast.Raise | ast.JoinedStr):
        return [node]
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return [node]
    return []


def _changes(node: ast.AST) -> Iterator[Callable[[Any], object]]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield lambda n: n.ops.__setitem__(0, COMPARISONS[type(n.ops[0])]())
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in OPERATORS:
        yield lambda n: setattr(n, "op", OPERATORS[type(n.op)]())
    elif isinstance(node, ast.BoolOp):
        yield lambda n: setattr(n, "op", ast.And() if isinstance(n.op, ast.Or) else ast.Or())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield lambda n: setattr(n, "operand", ast.UnaryOp(ast.Not(), n.operand))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield lambda n: setattr(n, "value", n.value + 1 if isinstance(n.value, int) else n.value * 1.5 + 0.1)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield lambda n: setattr(n, "value", ast.Constant(None))
    elif isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise) and not node.orelse:
        yield lambda n: setattr(n, "test", ast.Constant(False))
