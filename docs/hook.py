"""MkDocs hook: run the pages, publish the pictures they make, and put in the measured speeds."""

from __future__ import annotations

import importlib.util
import posixpath
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

README = Path(__file__).parents[1] / "README.md"
RESULTS = README.with_name("benchmarks")
SPEED = "<!-- speed -->"
MEASURED = {"<!-- fine-tuning -->": "FINE_TUNING.md", "<!-- neocognitron -->": "NEOCOGNITRON.md"}
PICTURE = re.compile(r"^!\[[^\]]*\]\((?P<file>[^)/]+)\)(?:\{[^}]*\})?$", re.M)
HIDDEN = re.compile(r"^<!--\n```python\n.*?^```\n-->\n", re.M | re.S)
TABLE = re.compile(r"^## Speed\n\n(?P<first>.*?\n\n\|.*?\n)\n", re.M | re.S)


def _execution() -> ModuleType:
    """Import the module beside this file, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("execution", Path(__file__).with_name("execution.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["execution"] = module
    spec.loader.exec_module(module)
    return module


execution = _execution()
known: dict[str, tuple[str, Any]] = {}


def on_files(files: Any, config: Any) -> Any:
    """Run every page and add the pictures it makes to the site."""
    from mkdocs.exceptions import PluginError
    from mkdocs.structure.files import File

    for file in list(files.documentation_pages()):
        outcome = _run(Path(file.abs_src_path))
        if outcome.problems:
            raise PluginError("\n".join([f"{file.src_uri} does not do what it shows.", *outcome.problems]))
        for name, content in outcome.pictures.items():
            uri = posixpath.join(posixpath.dirname(file.src_uri), name)
            if files.get_file_from_path(uri) is not None:
                raise PluginError(f"{file.src_uri}: {uri} is there already. Give the picture another name.")
            files.append(File.generated(config, uri, content=content))
    return files


def _run(path: Path) -> Any:
    """Run a page, or return its outcome if it has not changed since it was run (in ``mkdocs serve``)."""
    text = path.read_text(encoding="utf-8")
    if known.get(str(path), ("", None))[0] != text:
        known[str(path)] = (text, execution.run_page(path))
    return known[str(path)][1]


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Put in measurements, link pictures to their full size, and drop blocks that only check."""
    markdown = HIDDEN.sub("", markdown)
    markdown = PICTURE.sub(r"[\g<0>](\g<file>)", markdown)
    if SPEED in markdown:
        markdown = markdown.replace(SPEED, speed(README))
    for place, file in MEASURED.items():
        if place in markdown:
            markdown = markdown.replace(place, (RESULTS / file).read_text(encoding="utf-8"))
    return markdown


def speed(readme: Path) -> str:
    """Return the first table of the README's measurements, with what is said before it."""
    found = TABLE.search(readme.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{readme}: needs a table below '## Speed'; got none.")
    return found["first"]
