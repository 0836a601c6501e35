"""OpenVINO, imported without its telemetry.

Its converter reports to a server what it has converted, by a process that it forks in a thread, and
writes its consent to that into the home folder. Where its package of telemetry is missing it does
neither: so here. A program that has imported OpenVINO by itself has decided for itself.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import cast

_TELEMETRY = "openvino_telemetry"


def openvino() -> ModuleType:
    """Import OpenVINO."""
    if "openvino" in sys.modules or _TELEMETRY in sys.modules:
        return importlib.import_module("openvino")
    sys.modules[_TELEMETRY] = cast(ModuleType, None)  # as if it were not installed
    try:
        return importlib.import_module("openvino")
    finally:
        del sys.modules[_TELEMETRY]
