"""Kopf with default settings and an empty handler on what the operator watches: `python -m tests.bench.floor OBJECTS`.

Says `done` when the handler was called for so many objects.
"""

from __future__ import annotations

import sys
from typing import Any

import kopf

from slipway.cluster.resources import WATCHED
from slipway.reconcile.engine import label_selector


def main() -> None:
    settings = kopf.OperatorSettings()
    left = int(sys.argv[1])

    async def handle(**_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            print("done", flush=True)

    for resource in WATCHED:
        kopf.on.event(resource.group, resource.version, resource.plural)(handle)
        selector = label_selector(resource)
        if selector:
            settings.watching.label_selectors[resource.plural] = selector
    kopf.run(settings=settings, standalone=True, clusterwide=True)


if __name__ == "__main__":
    main()
