"""How many members an archive claims to have, found without reading its list of them."""

from __future__ import annotations

from pathlib import Path

END = b"PK\x05\x06"
"""How the record at the end of an archive begins."""
RECORD, COMMENT = 22, 2**16  # bytes of this record, and of the comment that may follow
MOST_MEMBERS = 2**14
BYTES_EACH = 2**9  # of the list of members, for each of them


def too_many_members(path: Path) -> bool:
    """Return whether the end of an archive promises a longer list of members than a model has.

    Examples
    --------
    >>> from striate.models import lenet5
    >>> too_many_members(Path(lenet5.__code__.co_filename))
    False
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - RECORD - COMMENT))
        tail = file.read()
    place = tail.rfind(END)
    if place < 0 or len(tail) < place + RECORD:
        return False
    count = int.from_bytes(tail[place + 10 : place + 12], "little")  # 65,535 where there are more
    length = int.from_bytes(tail[place + 12 : place + 16], "little")
    return count > MOST_MEMBERS or length > MOST_MEMBERS * BYTES_EACH
