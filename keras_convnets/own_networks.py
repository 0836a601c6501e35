"""Networks of the user's own by name: ``module:function``, or the file of a saved model."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_convnets import memory
from keras_convnets.printable import cut, one_line
from keras_convnets.received import shown

_NAME = re.compile(r"(?P<module>\w+(\.\w+)*):(?P<function>\w+(\.\w+)*)")
_EXPECTED = (
    "a function of (input_shape, num_outputs) that returns a keras.Model; input_shape is "
    "(channels, rows, cols)"
)
_AUTOMATIC = re.compile(r"(functional|sequential|model)(_\d+)?")  # names that Keras gives
_LONGEST = 300  # characters of somebody else's error


def is_file(name: str | os.PathLike[str]) -> bool:
    """Return whether ``name`` is the name of a model file rather than of a network."""
    return Path(name).suffix in (".keras", ".h5")


def in_a_path(name: str) -> str:
    """Return the name of a network as part of the name of a folder."""
    return Path(name).stem if is_file(name) else name.replace(":", "-")


def is_function(name: str) -> bool:
    """Return whether a name of a network is that of a function: ``"my_networks:small"``."""
    return _NAME.fullmatch(name) is not None


def build_of(name: str) -> Callable[..., Any]:
    """Return the function called ``module:function``, which refuses what it cannot build.

    The module is imported with the working folder importable. A model that has no name of its own
    is named after the function.

    Raises:
        ValueError: there is no such module or function, or the function takes something else.
    """
    module, _, function = name.partition(":")
    found = _found(_imported(name, module), name, function)
    _check_takes(found, name)

    @functools.wraps(found)
    def build(input_shape: Any, num_outputs: Any, **options: Any) -> Any:
        _check_options(found, name, options)
        try:
            model = found(input_shape, num_outputs, **options)
        except (Exception, SystemExit) as error:
            if memory.is_exhausted(error):
                raise
            raise ValueError(f"model: {name} raises {reason(error)}. Mend the function.") from error
        return _model(model, name, function.rpartition(".")[2])

    return build


def reason(error: BaseException, file: str | None = None) -> str:
    """Return what code of the user's own has raised, and in which line of its file.

    Args:
        error: what it has raised.
        file: the file; by default the last one that is not part of an installed package.
    """
    said = cut(f"{type(error).__name__}: {_words(error)}", _LONGEST)
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError):  # which names its line itself
        return said
    own = [f for f in frames if (f.filename == file if file else not _is_installed(f.filename))]
    return f"{said} ({os.path.basename(own[-1].filename)}, line {own[-1].lineno})" if own else said


def _words(error: BaseException) -> str:
    try:
        return one_line(error)
    except Exception:  # its class cannot say what it means
        return "without words"


def _is_installed(file: str) -> bool:
    here = os.path.dirname(os.path.abspath(__file__))
    parts = Path(file).parts
    return file.startswith(("<", here, os.path.dirname(os.__file__))) or "site-packages" in parts


def _imported(name: str, module: str) -> Any:
    if not {"", os.getcwd()} & set(sys.path):
        sys.path.insert(0, os.getcwd())
    importlib.invalidate_caches()  # the file may be a moment old
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            file = f"{module.replace('.', '/')}.py"
            raise ValueError(
                f"model: received {name!r}, but there is no module {error.name!r}; expected one in "
                f"the working folder, such as {file}, or an installed one. Name it, or pass its "
                "file to --load."
            ) from None
        raise ValueError(
            f"model: received {name!r}, and {module!r} cannot be imported: {reason(error)}. Mend "
            "it."
        ) from error


def _found(module: Any, name: str, function: str) -> Any:
    found = module
    for part in function.split("."):
        found = getattr(found, part, None)
    if not callable(found) or isinstance(found, type(module)) or _is_model(found):
        what = "nothing of that name" if found is None else f"a {type(found).__name__} there"
        where = getattr(module, "__file__", None) or "built into Python"
        raise ValueError(
            f"model: received {name!r}, and {module.__name__} ({where}) has {what}; expected "
            f"{_EXPECTED}. Name one."
        )
    return found


def _check_takes(function: Any, name: str) -> None:
    try:
        inspect.signature(function).bind((3, 224, 224), 1000)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"model: {name} cannot be called with two arguments ({one_line(error)}); expected "
            f"{_EXPECTED}. Give other parameters a default."
        ) from error


def _check_options(function: Any, name: str, options: dict[str, Any]) -> None:
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    taken = [parameter.name for parameter in parameters]
    if unknown := [option for option in options if option not in taken]:
        raise ValueError(
            f"model: {name} does not take {unknown[0]!r}; it takes {', '.join(taken)}. Leave it "
            "out, or give the function such a parameter."
        )


def _is_model(found: Any) -> bool:
    import keras  # names are checked without it, which takes seconds to import

    return isinstance(found, keras.Model)


def _model(found: Any, name: str, function: str) -> Any:
    if not _is_model(found):
        raise ValueError(
            f"model: {name} returns {shown(found)}; expected a keras.Model, such as "
            "keras.Model(inputs, outputs)."
        )
    if _AUTOMATIC.fullmatch(found.name):
        found.name = function
    return found
