"""One value of any layer taken apart into the numbers it came from."""

from __future__ import annotations

from striate.explain.accounts import dense, functions, moves, statistics, windows
from striate.explain.accounts.linearised import linearised
from striate.explain.accounts.terms import ACCOUNTANTS, Account, Cell, Terms, accounts_for

__all__ = [
    "Account",
    "Cell",
    "Terms",
    "account",
    "accounts_for",
    "dense",
    "functions",
    "moves",
    "statistics",
    "windows",
]


def account(cell: Cell) -> Account:
    """Return how the value of ``cell`` comes about; a layer without an accountant is linearised."""
    for cls in type(cell.layer).__mro__:
        if cls in ACCOUNTANTS:
            return ACCOUNTANTS[cls](cell)
    return linearised(cell)
