"""``striate cache``: the files that striate keeps to be faster next time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.options import Json

KINDS = {
    "data": "downloaded data sets",
    "decoded": "decoded images, recordings and tables",
    "kernels": "compiled kernels",
}
"""The folders of the cache, and what each of them holds."""


def cache(
    clear: Annotated[
        str | None,
        typer.Option("--clear", metavar="KIND", help=f"Remove {', '.join(KINDS)} or all.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """List the files that can be made or downloaded again, with their sizes; or remove them.

    striate cache

    striate cache --clear decoded

    The folder is STRIATE_CACHE_DIR or, if that is not set, the user's cache folder. Decoded images, recordings
    and tables that do not fit into memory take at most STRIATE_CACHE_GB gigabytes (100 by default).
    """
    from striate.cli.output import Output
    from striate.data.streaming import cache as decoded_cache
    from striate.errors import unknown_name
    from striate.machine import cache_folder

    if clear is not None and clear not in (*KINDS, "all"):
        raise unknown_name("--clear", clear, [*KINDS, "all"])
    output, folder = Output(json), cache_folder()
    if clear is not None:
        kinds = [kind for kind in KINDS if clear in (kind, "all")]
        freed = {kind: _size(folder / kind) for kind in kinds}
        _clear([folder / kind for kind in kinds])
        for kind, size in freed.items():
            output.line(f"removed {KINDS[kind]}: {_shown(size) if size else 'there were none'}")
    sizes = {kind: _size(folder / kind) for kind in KINDS}
    output.line(f"{folder}: {_shown(sum(sizes.values()))}")
    for kind, what in KINDS.items():
        output.line(f"  {kind:<8} {_shown(sizes[kind]):>10}  {what}")
    found = decoded_cache.entries()
    for entry in found:
        days = int(entry.age / 86_400)
        used = f"{days:,} day{'s' * (days > 1)} ago" if days else "today"
        output.line(f"    {_shown(entry.size):>16}  {entry.source}, used {used}")
    decoded = [{"source": entry.source, "bytes": entry.size, "days": entry.age / 86_400} for entry in found]
    output.result({"folder": str(folder), "bytes": sizes, "decoded": decoded, "limit": decoded_cache.limit_bytes()})


def _clear(folders: list[Path]) -> None:
    import shutil

    from striate.errors import DataError

    for folder in folders:
        try:
            if folder.exists():
                shutil.rmtree(folder)
        except OSError as error:
            raise DataError(f"{folder}: cannot be removed ({error.strerror}). Check the permissions.") from error


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _shown(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
