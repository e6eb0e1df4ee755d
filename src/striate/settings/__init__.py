"""Settings as data: one dataclass field holds its kind, default and help text, and everything else derives from it.

The configuration file, the options of the command line, the checks, the comparison of checkpoints and the
reference page all read these fields, so a new setting is one line.
"""

from striate.settings.kinds import Kind, choice, flag, mapping, number, sizes, table, text, texts, value_of, whole
from striate.settings.place import Place
from striate.settings.setting import Setting, Settings, setting, settings_of

__all__ = [
    "Kind",
    "Place",
    "Setting",
    "Settings",
    "choice",
    "flag",
    "mapping",
    "number",
    "setting",
    "settings_of",
    "sizes",
    "table",
    "text",
    "texts",
    "value_of",
    "whole",
]
