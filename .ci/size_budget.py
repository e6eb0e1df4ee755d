"""Print the lines of code of every folder, and fail if one has more than its budget in size_budget.toml.

A folder that has to grow gets a larger number there, in the same commit: growth is a decision.
``python .ci/size_budget.py --reset`` writes the sizes of today, with a tenth on top, as the new budgets.
"""

from __future__ import annotations

import io
import sys
import tokenize
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUDGETS = Path(__file__).parent / "size_budget.toml"
SKIPPED = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)


def code_lines(path: Path) -> int:
    """Return the number of lines with code: no blank lines, comments or docstrings."""
    lines: set[int] = set()
    fresh = True  # whether a statement begins, so that a string is a docstring
    for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
        if token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            fresh = True
        elif token.type not in SKIPPED and token.type != tokenize.ENDMARKER:
            if not (fresh and token.type == tokenize.STRING):
                lines.update(range(token.start[0], token.end[0] + 1))
            fresh = False
    return len(lines)


def sizes() -> dict[str, int]:
    """Return the lines of code of every folder of the package, and of the tests as one."""
    found: Counter[str] = Counter()
    for path in (ROOT / "src" / "striate").rglob("*.py"):
        parts = path.relative_to(ROOT).parts
        found["/".join(parts[:3]) if len(parts) > 3 else "src/striate"] += code_lines(path)
    found["tests"] = sum(map(code_lines, (ROOT / "tests").rglob("*.py")))
    return dict(sorted(found.items()))


def main() -> int:
    """Print the table; return 1 if a folder is over its budget."""
    today = sizes()
    if "--reset" in sys.argv:
        rows = [f'"{name}" = {-(-size * 11 // 1000) * 100}' for name, size in today.items()]
        BUDGETS.write_text("# Most lines of code of each folder; see size_budget.py.\n" + "\n".join(rows) + "\n")
    budgets = tomllib.loads(BUDGETS.read_text())
    over = [name for name, size in today.items() if size > budgets.get(name, 0)]
    for name, size in today.items():
        print(f"{name:28} {size:6,} of {budgets.get(name, 0):6,}{'  OVER' if name in over else ''}")
    print(f"{'all of src':28} {sum(size for name, size in today.items() if name != 'tests'):6,}")
    if over:
        print(f"over budget: {', '.join(over)}. Make it smaller, or raise its number in {BUDGETS.name}.")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
