"""The program that runs the pages finds what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

GOOD = """# Page

```python
x = 2
print(x + 1)
```

```text
3
```

Words between.

```python
print(x * 2)
from pathlib import Path
Path("a.svg").write_text("<svg/>")
```

```text
4
```

```console
$ striate arithmetic linear --input 2x1
...
  parameters     3
...
$ striate --version
striate ...
```
"""

DESCENT = """```console
$ striate descend ravine --method momentum --method adam
loss ((a + b)**2 + 100*(a - b)**2)/4, lowest on the grid near a = 0, b = 0
  method                 rate  steps        loss  end
  momentum               0.01    100  9.6203e-05  a = 0.004721, b = 0.006341
  adam                      1    100  0.00010601  a = 0.001065, b = -0.0009946
```
"""


@pytest.fixture
def run(tmp_path: Path, execution: ModuleType) -> Any:
    def run(text: str) -> Any:
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        return execution.run_page(page)

    return run


def test_good_page(run: Any) -> None:
    outcome = run(GOOD)
    assert outcome.problems == []
    assert outcome.text == GOOD
    assert outcome.pictures == {"a.svg": b"<svg/>"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("```text\n3\n", "```text\n5\n", "page.md:3: the page shows\n5\nbut its code prints\n3"),
        ("print(x * 2)", "print(y * 2)", "name 'y' is not defined"),
        ("Words between.\n", "```python\nprint(7)\n```\n", "prints what the page does not show\n7"),
        ("  parameters     3", "  parameters     4", "the page shows"),
        ("$ striate --version", "$ ls", "only striate is run; got 'ls'"),
        ("linear --input 2x1", "linear --input 2xx", "ended with status 2"),
    ],
)
def test_bad_pages(run: Any, old: str, new: str, said: str) -> None:
    assert old in GOOD
    assert said in "\n".join(run(GOOD.replace(old, new)).problems)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("9.6203e-05", "0.1"),
        (" -0.0009946", "  1,234"),
        ("0.004721, b = 0.006341", "..."),
        ("  100  ", " .  "),
    ],
)
def test_figures_of_a_training_may_differ(run: Any, old: str, new: str) -> None:
    page = DESCENT.replace(old, new) if old else DESCENT
    assert run(page).problems == []
    assert run(page).text == page


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  momentum ", "  nesterov "),
        ("  adam                      1    100  0.00010601  a = 0.001065, b = -0.0009946\n", ""),
        ("steps  ", "steps\n"),
        (", b = 0.006341", ""),
        ("a = 0.004721", "a = none"),
        ("near a = 0,", "near a = 0x,"),
    ],
)
def test_words_of_a_training_must_agree(run: Any, old: str, new: str) -> None:
    assert old in DESCENT
    outcome = run(DESCENT.replace(old, new))
    assert "the page shows" in outcome.problems[0]
    assert outcome.text == DESCENT


def test_an_error_names_its_line(run: Any) -> None:
    (problem,) = run("a\n\n```python\nx = 1\n1 / 0\n```\n").problems
    assert 'File "page.md", line 5' in problem


def test_pages_start_afresh(run: Any) -> None:
    assert run("```python\nmine = 1\n```\n").problems == []
    assert "'mine' is not defined" in run("```python\nmine\n```\n").problems[0]


def test_update_writes_what_is_printed(tmp_path: Path, execution: ModuleType) -> None:
    page = tmp_path / "page.md"
    page.write_text(GOOD.replace("```text\n3\n", "```text\n"), encoding="utf-8")
    assert execution.main([str(page)]) == 0
    assert page.read_text(encoding="utf-8") == GOOD
    page.write_text("```python\n1 / 0\n```\n", encoding="utf-8")
    assert execution.main([str(page)]) == 1


def test_the_start_page_has_the_first_table_of_speeds(tmp_path: Path, hook: ModuleType) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# x\n\n## Speed\n\nWords.\n\n| a |\n| b |\n\nMore.\n\n| c |\n", encoding="utf-8")
    assert hook.speed(readme) == "Words.\n\n| a |\n| b |\n"
    readme.write_text("# x\n", encoding="utf-8")
    with pytest.raises(ValueError, match="needs a table below '## Speed'"):
        hook.speed(readme)


def test_pictures_link_to_their_full_size(hook: ModuleType) -> None:
    page = "![plain](c.svg)\n\n![drawn](a.svg){ width=400 }\n\nSee ![inline](b.svg).\n"
    shown = hook.on_page_markdown(page, None, None, None)
    assert "[![plain](c.svg)](c.svg)" in shown
    assert "[![drawn](a.svg){ width=400 }](a.svg)" in shown
    assert "See ![inline](b.svg)." in shown
