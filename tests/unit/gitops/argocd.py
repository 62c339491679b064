"""Argo CD's health script, run as Argo CD runs it: Lua 5.1 with nothing but its base and `table`."""

from __future__ import annotations

import json
from typing import Any

from lupa.lua51 import LuaRuntime  # type: ignore[import-untyped]

from tests.kube import Manifest
from tests.unit.docs.pages import ROOT

SCRIPT = ROOT / "examples/gitops/argocd/health.lua"
LIBRARIES = ("coroutine", "debug", "io", "math", "os", "package", "require", "string", "python")


def health(manifest: Manifest) -> tuple[str, str]:
    """Status and message."""
    lua = LuaRuntime(register_eval=False, register_builtins=False)
    lua.globals()["obj"] = lua.table_from(json.loads(json.dumps(manifest)), recursive=True)
    for name in LIBRARIES:
        lua.globals()[name] = None
    found: Any = lua.execute(SCRIPT.read_text())
    return str(found["status"]), str(found["message"])
