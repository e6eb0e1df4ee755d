"""The files of the page: a closed list that is in memory, so no path of a request reaches the disk."""

from __future__ import annotations

from importlib import resources

from striate.web.bundle import read

PAGE = "serve.html"
KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}


def _files() -> dict[str, tuple[bytes, str]]:
    found = {}
    for file in resources.files("striate.web").iterdir():
        ending = "." + file.name.rpartition(".")[2]
        if ending in (".js", ".css"):
            found[f"/web/{file.name}"] = read(file.name).encode(), KINDS[ending]
    return found | {"/": (read(PAGE).encode(), KINDS[".html"])}


FILES = _files()
"""Contents and type by path."""
