"""Write docs/configuration.md from the settings themselves: ``python docs/configuration_page.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from striate.machine import VARIABLES
from striate.settings import Setting, settings_of
from striate.settings.setting import MISSING, default_of
from striate.training.run.config import RunConfig

PAGE = Path(__file__).parent / "configuration.md"
INTRODUCTION = """# Configuration

Every run keeps its settings in `config.toml`, each key under a comment that says what it does. The same file, or
any part of it, starts another run; options of the command line override it:

```sh
striate train --config runs/digits-lenet5/config.toml --epochs 80 --out runs/longer
```

A key that is left out has its default. `"auto"` means that a value is chosen, usually from the data; the
`config.toml` of a run shows what was chosen. `"none"` switches something off. Where a key takes a table, you can
also write the short form of the command line: `optimizer = "adam"`, `schedule = "step:10:0.5"`,
`early_stopping = 5`. Keys are checked when the file is read; error messages name the line.

<!-- Written by docs/configuration_page.py from the settings; do not edit. -->
"""


def page() -> str:
    """Return the page: a table of every key for each table of the file, and the environment variables."""
    parts = [INTRODUCTION, *_tables(RunConfig, "", "")]
    variables = [f"| `{name}` | {text} |" for name, text in VARIABLES.items()]
    parts += ["\n## Environment variables\n\n| variable | meaning |\n|---|---|\n" + "\n".join(variables) + "\n"]
    return "".join(parts)


def _tables(cls: Any, path: str, about: str) -> Iterator[str]:
    known = settings_of(cls)
    plain = {name: one for name, one in known.items() if one.kind.settings is None}
    if plain:
        rows = [_row(name, one, default_of(cls, name)) for name, one in plain.items()]
        head = "| key | value | default | option | meaning |\n|---|---|---|---|---|\n"
        yield f"\n## [{path}]\n\n{about}\n\n{head}" + "\n".join(rows) + "\n"
    for name, one in known.items():
        if one.kind.settings is not None:
            off = f" Without this table: {one.off}." if one.off else ""
            option = f" Option: `{one.option}`." if one.option else ""
            yield from _tables(one.kind.settings, f"{path}.{name}".lstrip("."), f"{one.help}{off}{option}")


def _row(name: str, one: Setting, default: Any) -> str:
    cells = (f"`{name}`", one.kind.description, _default(one, default), f"`{one.option}`" if one.option else "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (*cells, one.help)) + " |"


def _default(one: Setting, default: Any) -> str:
    if default is MISSING:
        return "required"
    if default is None:
        return f'`"{one.word}"`: {one.auto or one.off}'
    plain = one.plain(default)
    shown = str(plain).lower() if isinstance(plain, bool) else f'"{plain}"' if isinstance(plain, str) else plain
    return f"`{shown}`"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
