"""Names of classes whose folders have codes, such as WordNet's ``n02084071``, from a list beside them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from striate.data.encoding import text_of
from striate.data.problems import printable

SUFFIXES = (".txt", ".tsv", ".csv", ".json")
MOST_BYTES = 1 << 24
LINE = re.compile(r"\s*\"?([^\s,;:\"]+)\"?(?:\s*[,;:]\s*|\s+)(.+)")


def class_names(root: Path, folders: Sequence[str]) -> tuple[str, ...]:
    """Return what the classes in ``folders`` are called.

    That is the name of each folder, or what a list in ``root`` says: a text file with a folder and a name on every
    line (``n02084071 dog, domestic dog``), or a JSON file such as ``{"0": ["n02084071", "dog"]}``. Of several names
    the first counts; classes of the same name keep their folder's name too.
    """
    for path in sorted(root.iterdir()) if root.is_dir() else ():
        if path.suffix.lower() in SUFFIXES and path.is_file() and path.stat().st_size <= MOST_BYTES:
            known = _names_in(path)
            if all(folder in known for folder in folders):
                names = [known[folder] for folder in folders]
                counts = Counter(names)
                return tuple(
                    printable(name if counts[name] == 1 else f"{name} ({folder})")
                    for name, folder in zip(names, folders, strict=True)
                )
    return tuple(map(printable, folders))


def _names_in(path: Path) -> dict[str, str]:
    try:
        text = text_of(path.read_bytes())
    except OSError:
        return {}
    if path.suffix.lower() == ".json":
        return _names_in_json(text)
    found = {}
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        if match:
            found[match[1]] = re.split(r"[,;\t]", match[2])[0].strip(' "')
    return {code: name for code, name in found.items() if name}


def _names_in_json(text: str) -> dict[str, str]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    found = {}
    for key, value in content.items() if isinstance(content, dict) else ():
        if isinstance(value, str):
            found[key] = value.split(",")[0].strip()
        elif isinstance(value, list) and len(value) == 2 and all(isinstance(item, str) for item in value):
            found[value[0]] = value[1]
    return found
