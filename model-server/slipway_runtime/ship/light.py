"""MLServer's wire types without MLServer: its packages' own code imports web servers and pandas, which a shipper does not need."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType


def lighten() -> None:
    """Have `mlserver.errors` and `mlserver.grpc.dataplane_pb2` imported alone. For a process that does nothing else with MLServer."""
    for name in ("mlserver", "mlserver.grpc"):
        spec = find_spec(name)
        if name not in sys.modules and spec and spec.submodule_search_locations:
            bare = ModuleType(name)
            bare.__path__ = list(spec.submodule_search_locations)
            sys.modules[name] = bare
