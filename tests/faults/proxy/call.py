"""A request as the apiserver reads it: what is done to which object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from aiohttp import web

_WRITES = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Call:
    """One request; parts that its path does not have are empty."""

    method: str
    resource: str
    namespace: str
    name: str
    """With the subresource after a slash, if any."""
    watch: bool
    limit: str = ""
    """How many objects a list asks for at most."""
    dry_run: bool = False
    """Only judged: nothing is written."""

    @classmethod
    def of(cls, request: web.Request) -> Self:
        parts = request.path.strip("/").split("/")
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = ""
        if len(rest) > 2 and rest[0] == "namespaces":
            namespace, rest = rest[1], rest[2:]
        resource, name = (rest[0], "/".join(rest[1:])) if rest else ("", "")
        query = request.query
        return cls(request.method, resource, namespace, name, "watch" in query, query.get("limit", ""), "dryRun" in query)

    @property
    def write(self) -> bool:
        return self.method in _WRITES and not self.dry_run

    @property
    def listing(self) -> bool:
        """A whole collection, read once."""
        return self.method == "GET" and bool(self.resource) and not self.name and not self.watch
