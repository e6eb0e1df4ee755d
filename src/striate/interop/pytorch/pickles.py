"""Read the pickles that PyTorch writes, as data: a closed list of globals, and nothing is ever called.

References
----------
Python documentation, module ``pickletools``: the meaning of each opcode.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

MOST_OPCODES = 600_000  # a tensor takes about 40
DEEPEST = 1000  # marks that are open at the same time; a state_dict has fewer than ten


class PickleError(ValueError):
    """A pickle that is damaged, or names what is not in the list."""


@dataclass(frozen=True)
class Global:
    """A name that a pickle refers to."""

    module: str
    name: str


@dataclass(frozen=True)
class Call:
    """A call that a pickle asks for; it is never made."""

    function: Global
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Persistent:
    """Something that lies outside the pickle, such as a storage."""

    key: Any


REBUILD = frozenset(("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter"))
STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
"""NumPy's name of what each storage of PyTorch holds."""
TYPES = frozenset(
    """float16 float32 float64 bfloat16 half float double bool
    int8 int16 int32 int64 uint8 uint16 uint32 uint64 short int long""".split()  # noqa: SIM905
)
"""Element types of PyTorch that a pickle may name."""
KEYS = (str, bytes, int, float, type(None))
"""What may be a key: the hash of a tuple visits everything in it, however deep or often shared."""
_MARK = object()


def _allowed(module: str, name: str) -> Global:
    known = (
        (module == "torch._utils" and name in REBUILD)
        or (module == "torch" and (name in STORAGES or name in ("Size", "device")))
        or (module, name) == ("collections", "OrderedDict")
        or (module, name) == ("torch.nn.parameter", "Parameter")
        or (module == "torch" and name in TYPES)
    )
    if not known:
        shown = f"{module}.{name}"[:120]
        raise PickleError(
            f"it names {shown!r}, which could run code and is not read; save a state_dict of the model instead"
        )
    return Global(module, name)


class Reader:
    """The virtual machine that runs a pickle.

    Parameters
    ----------
    data : bytes
    place : int
        Where the pickle begins; afterwards where it ended.
    """

    def __init__(self, data: bytes | memoryview, place: int = 0) -> None:
        self.data, self.place = memoryview(data), place
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self._marks = 0

    def read(self) -> Any:
        """Return the object; raises PickleError."""
        for _ in range(MOST_OPCODES):
            code = self._take(1)[0]
            if code == ord("."):
                return self._pop()
            action = OPCODES.get(code)
            if action is None:
                raise PickleError(f"it has the opcode {code}, which is not supported")
            try:
                action(self)
            except (TypeError, KeyError, IndexError, AttributeError, UnicodeDecodeError, struct.error) as error:
                raise PickleError(f"it is damaged; {str(error)[:80]}") from None
        raise PickleError(f"it has more than {MOST_OPCODES:,} opcodes")

    def _take(self, count: int) -> memoryview:
        if count < 0 or count > len(self.data) - self.place:
            raise PickleError("it ends too early")
        self.place += count
        return self.data[self.place - count : self.place]

    def _number(self, kind: str) -> Any:
        return struct.unpack(kind, self._take(struct.calcsize(kind)))[0]

    def _line(self) -> str:
        rest = bytes(self.data[self.place : self.place + 1000])
        end = rest.find(b"\n")
        if end < 0:
            raise PickleError("a line does not end")
        self.place += end + 1
        return rest[:end].decode("utf-8")

    def _text(self, kind: str, encoding: str = "utf-8") -> None:
        self.stack.append(bytes(self._take(self._number(kind))).decode(encoding))

    def _pop(self) -> Any:
        if not self.stack:
            raise PickleError("it takes from an empty stack")
        return self.stack.pop()

    def _mark(self) -> None:
        self._marks += 1
        if self._marks > DEEPEST:
            raise PickleError(f"its lists are more than {DEEPEST:,} deep")
        self.stack.append(_MARK)

    def _to_mark(self) -> list[Any]:
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is _MARK:
                items = self.stack[place + 1 :]
                del self.stack[place:]
                self._marks -= 1
                return items
        raise PickleError("a mark is missing")

    def _set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise PickleError("it sets items of something that is not a dictionary")
        target.update(_checked(zip(items[::2], items[1::2], strict=True)))

    def _extend(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise PickleError("it appends items to something that is not a list")
        self.stack[-1].extend(items)

    def _global(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise PickleError("it refers to a global whose name is not text")
        self.stack.append(_allowed(module, name))

    def _call(self) -> None:
        arguments, function = self._pop(), self._pop()
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            raise PickleError("it calls something that is not a function")
        if function == Global("collections", "OrderedDict"):
            self.stack.append(dict(_checked(arguments[0])) if arguments else {})
        else:
            self.stack.append(Call(function, arguments))

    def _tuple(self, count: int) -> None:
        if count > len(self.stack):
            raise PickleError("it takes from an empty stack")
        self.stack[-count:] = [tuple(self.stack[-count:])]

    def _remember(self, number: int) -> None:
        self.memo[number] = self.stack[-1]

    def _build(self) -> None:
        """Leave out the attributes of an object, such as the versions of modules."""
        self._pop()


def _checked(pairs: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """Yield the items of a dictionary; raises PickleError for keys that are no text or numbers."""
    for key, value in pairs:
        if not isinstance(key, KEYS):
            raise PickleError("a dictionary has a key that is neither text nor a number")
        yield key, value


def _push(value: Any) -> Callable[[Reader], None]:
    return lambda r: r.stack.append(value() if callable(value) else value)


OPCODES: dict[int, Callable[[Reader], Any]] = {
    ord(key): action
    for key, action in {
        "\x80": lambda r: r._take(1),
        "\x95": lambda r: r._take(8),
        "(": Reader._mark,
        "N": _push(None),
        "\x88": _push(True),
        "\x89": _push(False),
        "}": _push(dict),
        "]": _push(list),
        ")": _push(tuple),
        "J": lambda r: r.stack.append(r._number("<i")),
        "K": lambda r: r.stack.append(r._number("<B")),
        "M": lambda r: r.stack.append(r._number("<H")),
        "G": lambda r: r.stack.append(r._number(">d")),
        "\x8a": lambda r: r.stack.append(int.from_bytes(r._take(r._number("<B")), "little", signed=True)),
        "X": lambda r: r._text("<I"),
        "\x8c": lambda r: r._text("<B"),
        "\x8d": lambda r: r._text("<Q"),
        "T": lambda r: r._text("<I", "latin-1"),
        "U": lambda r: r._text("<B", "latin-1"),
        "B": lambda r: r.stack.append(bytes(r._take(r._number("<I")))),
        "C": lambda r: r.stack.append(bytes(r._take(r._number("<B")))),
        "t": lambda r: r.stack.append(tuple(r._to_mark())),
        "\x85": lambda r: r._tuple(1),
        "\x86": lambda r: r._tuple(2),
        "\x87": lambda r: r._tuple(3),
        "a": lambda r: r._extend([r._pop()]),
        "e": lambda r: r._extend(r._to_mark()),
        "l": lambda r: r.stack.append(r._to_mark()),
        "s": lambda r: r._set_items([r._pop(), r._pop()][::-1]),
        "u": lambda r: r._set_items(r._to_mark()),
        "0": lambda r: r._pop(),
        "1": lambda r: r._to_mark(),
        "q": lambda r: r._remember(r._number("<B")),
        "r": lambda r: r._remember(r._number("<I")),
        "\x94": lambda r: r._remember(len(r.memo)),
        "h": lambda r: r.stack.append(r.memo[r._number("<B")]),
        "j": lambda r: r.stack.append(r.memo[r._number("<I")]),
        "c": lambda r: r._global(r._line(), r._line()),
        "\x93": lambda r: r._global(*[r._pop(), r._pop()][::-1]),
        "R": lambda r: r._call(),
        "b": lambda r: r._build(),
        "Q": lambda r: r.stack.append(Persistent(r._pop())),
    }.items()
}
"""What each opcode does; the others are not needed for weights."""
