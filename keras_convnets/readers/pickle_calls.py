"""Which calls in a pickle mean that it is not what it claims to be. None is ever executed."""

from __future__ import annotations

import sys

from keras_convnets.readers.damage import DamagedFile, shown
from keras_convnets.readers.pickle_values import Name

# Of Python's own, what training scripts do put into checkpoints; none of it is called here.
_BAGGAGE = {"_codecs", "argparse", "collections", "copy_reg", "copyreg", "datetime", "decimal"}
_BAGGAGE |= {"enum", "fractions", "functools", "ipaddress", "logging", "pathlib", "random"}
_BAGGAGE |= {"configparser", "re", "time", "types", "uuid", "zoneinfo"}
_BUILTINS = {"bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list"}
_BUILTINS |= {"object", "range", "set", "slice", "str", "tuple"}
_PYTHON = {*sys.stdlib_module_names, "commands", "popen2"} - _BAGGAGE


def check_call(function: Name) -> None:
    """Refuse the functions of Python that nobody's weights need."""
    module, name = function
    is_builtin = module in ("builtins", "__builtin__")
    if (is_builtin and name not in _BUILTINS) or (
        not is_builtin and module.split(".")[0] in _PYTHON
    ):
        raise DamagedFile(
            f"its pickle calls {dotted(function)}, which no weights need. Do not open it with "
            "anything that unpickles"
        )


def dotted(function: Name) -> str:
    """Return a name as a part of a line."""
    return shown(f"{function.module}.{function.name}")
