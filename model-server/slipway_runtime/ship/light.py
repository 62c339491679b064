"""MLServer's wire types and pyarrow without what they bring along: web servers and pandas, 90 MiB that a shipper does not need."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.util import find_spec
from types import ModuleType


class _Without(MetaPathFinder):
    """Has a package seem not to be installed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Nothing to say of other packages."""
        if fullname == self._name:
            raise ModuleNotFoundError(f"{fullname} is left out of this process", name=fullname)


def lighten() -> None:
    """Have `mlserver.errors` and `mlserver.grpc.dataplane_pb2` imported alone, and pyarrow not import pandas just to ask what it was given.
    For a process that does nothing else with either.
    """
    sys.meta_path.insert(0, _Without("pandas"))
    for name in ("mlserver", "mlserver.grpc"):
        spec = find_spec(name)
        if name not in sys.modules and spec and spec.submodule_search_locations:
            bare = ModuleType(name)
            bare.__path__ = list(spec.submodule_search_locations)
            sys.modules[name] = bare
