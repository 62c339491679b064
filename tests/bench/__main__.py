"""`make bench`: runs every bench, prints its table, and writes them to docs/benchmarks.md with the date and the machine.

`python -m tests.bench NAME …` runs some of them and writes nothing.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.bench import admission, approvals, capture, collector, convergence, ledger, monitor, population, relist, restart, resting
from tests.bench.table import Table

BENCHES: dict[str, Callable[[], Awaitable[Table]]] = {
    "convergence": partial(convergence.run, 500),
    "convergence-1000": partial(convergence.run, 1000),
    "restart": restart.run,
    "relist": relist.run,
    "resting": resting.run,
    "ledger": ledger.run,
    "admission": admission.run,
    "approvals": approvals.run,
    "capture": capture.run,
    "collector": collector.run,
    "monitor": monitor.run,
}
PAGE = Path(__file__).parents[2] / "docs/benchmarks.md"


def main() -> None:
    chosen = sys.argv[1:] or list(BENCHES)
    with population.kept():
        tables = [_run(name) for name in chosen]
    if not sys.argv[1:]:
        PAGE.write_text(page(tables))
    missed = [row.what for table in tables for row in table.rows if not row.holds]
    sys.exit(f"bounds missed: {', '.join(missed)}" if missed else 0)


def _run(name: str) -> Table:
    async def measure() -> Table:
        return await BENCHES[name]()

    table = asyncio.run(measure())
    print(f"\n{table.as_markdown()}", flush=True)
    return table


def page(tables: list[Table]) -> str:
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release().split('-')[0]}, Python {platform.python_version()}"
    head = f"# Benchmarks\n\nWritten by `make bench` on {datetime.now(UTC):%Y-%m-%d}; machine: {machine}.\n"
    notes = "Ratios compare with a floor measured in the same run; times are medians of interleaved runs.\n"
    return "\n".join([head, notes, *(table.as_markdown() for table in tables)])


if __name__ == "__main__":
    main()
