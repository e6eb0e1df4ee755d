"""Text to computation graph. Python's own parser reads the text; only a short list of its nodes is accepted."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field

import numpy as np

from striate.errors import UsageError, unknown_name
from striate.expression.graph import Graph, Node, Operand
from striate.expression.operations import CONSTANTS, FUNCTIONS, OPERATORS, Operation

LONGEST_TEXT = 10_000
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.MatMult: "@",
}
_WORD = re.compile(r"[^\W\d]\w*")
_ASSIGNMENT = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)")


def parse(text: str) -> Graph:
    """Return the computation graph of an expression, or of several separated by ``;`` or new lines.

    A part may be named, ``z = w*x + b``, and its name used in later parts; the last part is the result.

    Raises
    ------
    UsageError
        For anything but arithmetic, names, numbers and the listed functions, with its place.
    """
    if len(text) > LONGEST_TEXT:
        raise UsageError(f"expression: at most {LONGEST_TEXT:,} characters are read; got {len(text):,}.")
    statements = _statements(text)
    if not statements:
        raise UsageError('expression: needs an expression, such as "(w*x - t)**2"; got an empty text.')
    builder = _Builder(
        one_line="\n" not in text.strip(),
        words=set(_WORD.findall(text)),
        pending={name for name, *_ in statements if name},
    )
    for statement in statements:
        builder.last = statement is statements[-1]
        try:
            output = builder.statement(*statement)
        except RecursionError:
            raise UsageError("expression: the expression is nested too deeply. Name parts: z = w*x; ...") from None
    return Graph(text, tuple(builder.nodes.values()), output)


def _statements(text: str) -> list[tuple[str, str, int, int]]:
    """Return (name or "", expression, line, column of its first character) of every part."""
    found = []
    for line, row in enumerate(text.split("\n"), start=1):
        column = 1
        for part in row.split("#")[0].split(";"):
            name, start = "", 0
            if match := _ASSIGNMENT.match(part):
                name, start = match.group(1), match.end()
            body = part[start:]
            start += len(body) - len(body.lstrip())
            if part.strip():
                found.append((name, body.strip(), line, column + start))
            column += len(part) + 1
    return found


@dataclass
class _Builder:
    """Turns syntax trees into nodes; every operand is built before the operation that uses it."""

    one_line: bool
    words: set[str]
    pending: set[str]
    nodes: dict[str, Node] = field(default_factory=dict)
    unnamed: int = 0
    last: bool = False
    line: int = 1
    column: int = 1
    source: str = ""

    def statement(self, name: str, source: str, line: int, column: int) -> str:
        """Add the nodes of one part and return the name of its value."""
        self.line, self.column, self.source = line, column, source
        self._check_name(name)
        tree = self._parse(source)
        if self.last and not name and not isinstance(tree, ast.Name) and "result" not in self.words:
            name = "result"
        operand = self.build(tree, name)
        self.pending.discard(name)
        if isinstance(operand, float):
            return self._add(name, OPERATORS["="], (operand,), None, tree)
        return operand

    def build(self, tree: ast.expr, name: str = "") -> Operand:
        """Return the operand that a syntax tree stands for, adding nodes for what it needs."""
        match tree:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(value, tree)
            case ast.Name(id=word):
                return self._name(word, name, tree)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.build(inner, name)
            case ast.Call(func=ast.Name(id=word)):
                return self._call(word, tree, name)
        operation, operands = self._operator(tree)
        return self._apply(operation, operands, None, tree, name)

    def _operator(self, tree: ast.expr) -> tuple[Operation, list[ast.expr]]:
        match tree:
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return OPERATORS["neg"], [inner]
            case ast.BinOp(op=operator, left=left, right=right) if type(operator) in _BINARY:
                return OPERATORS[_BINARY[type(operator)]], [left, right]
            case ast.Attribute(value=inner, attr="T"):
                return OPERATORS["T"], [inner]
            case ast.BinOp(op=ast.BitXor()):
                raise self.error(tree, "a power is written with **, not ^")
        raise self.error(tree, f"only arithmetic and the listed functions are allowed; got {_excerpt(tree)}")

    def error(self, tree: ast.AST, message: str) -> UsageError:
        return UsageError(f"expression: {message} ({self._place(tree)}).")

    def _check_name(self, name: str) -> None:
        if name in FUNCTIONS or name in CONSTANTS:
            raise UsageError(f"expression: {name} is a function or constant; give the part another name.")
        if name in self.nodes:
            raise UsageError(f"expression: {name} has a value already (line {self.line}); use another name.")

    def _parse(self, source: str) -> ast.expr:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(source, mode="eval").body
        except SyntaxError as error:
            column = self.column + (error.offset - 1 if error.offset else len(source))
            hint = " 'lambda' is a keyword of Python; call it lam." if "lambda" in source else ""
            raise UsageError(f"expression: cannot be read: {error.msg} ({self._at(column)}).{hint}") from None
        except (ValueError, MemoryError) as error:
            raise UsageError(f"expression: cannot be read: {error}.") from None

    def _place(self, tree: ast.AST) -> str:
        offset = getattr(tree, "col_offset", 0)
        before = self.source.split("\n")[0].encode()[:offset].decode(errors="ignore")
        return self._at(self.column + len(before))

    def _at(self, column: int) -> str:
        return f"column {column}" if self.one_line else f"line {self.line}, column {column}"

    def _number(self, value: float, tree: ast.AST) -> float:
        try:
            number = float(value)
        except OverflowError:
            number = np.inf
        if not np.isfinite(number):
            raise self.error(tree, "a number is too large")
        return number

    def _name(self, word: str, name: str, tree: ast.AST) -> Operand:
        if word in FUNCTIONS:
            raise self.error(tree, f"{word} is a function; write {word}(...)")
        if word in CONSTANTS:
            return CONSTANTS[word]
        if word not in self.nodes:
            if word in self.pending:
                raise self.error(tree, f"{word} is used before it is computed")
            self.nodes[word] = Node(word, None, (), None, self._place(tree))
        if name:
            return self._add(name, OPERATORS["="], (word,), None, tree)
        return word

    def _call(self, word: str, tree: ast.Call, name: str) -> Operand:
        if word not in FUNCTIONS:
            raise unknown_name(f"expression: function at {self._place(tree)}", word, FUNCTIONS)
        operation = FUNCTIONS[word]
        needed = len(operation.backward)
        if len(tree.args) != needed or any(isinstance(item, ast.Starred) for item in tree.args):
            raise self.error(tree, f"{word} takes {needed} value{'s' * (needed > 1)}; got {len(tree.args)}")
        axis = operation.default_axis
        for keyword in tree.keywords:
            if keyword.arg != "axis" or not operation.takes_axis:
                raise self.error(tree, f"{word} takes no {keyword.arg or '**'}")
            axis = self._axis(keyword.value)
        return self._apply(operation, tree.args, axis, tree, name)

    def _axis(self, tree: ast.expr) -> int:
        try:
            axis = ast.literal_eval(tree)
        except ValueError:
            axis = None
        if isinstance(axis, bool) or not isinstance(axis, int):
            raise self.error(tree, f"axis must be a whole number; got {_excerpt(tree)}")
        return axis

    def _apply(
        self, operation: Operation, operands: list[ast.expr], axis: int | None, tree: ast.AST, name: str
    ) -> Operand:
        built = tuple(self.build(operand) for operand in operands)
        if not name and all(isinstance(operand, float) for operand in built):
            with np.errstate(all="ignore"):
                folded = _fold(operation, axis, built)
            if folded is not None:
                return folded
        return self._add(name, operation, built, axis, tree)

    def _add(
        self,
        name: str,
        operation: Operation,
        operands: tuple[Operand, ...],
        axis: int | None,
        tree: ast.AST,
    ) -> str:
        if not name:
            self.unnamed += 1
            while f"v{self.unnamed}" in self.words:
                self.unnamed += 1
            name = f"v{self.unnamed}"
        self.nodes[name] = Node(name, operation, operands, axis, self._place(tree))
        return name


def _fold(operation: Operation, axis: int | None, operands: tuple[Operand, ...]) -> float | None:
    """Return the number that an operation on literal numbers gives, None if it has to stay a node."""
    try:
        value = np.asarray(operation.forward(axis, *map(np.asarray, operands)))
    except ValueError:
        return None
    return float(value) if value.ndim == 0 and np.isfinite(value) else None


def _excerpt(tree: ast.AST) -> str:
    text = ast.unparse(tree)
    return repr(text if len(text) <= 30 else text[:27] + "...")
