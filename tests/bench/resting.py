"""An operator that has nothing to do for 5,000 ModelDeployments: its CPU time, and its memory."""

from __future__ import annotations

import asyncio
import os

from tests.bench.population import COUNT, populated
from tests.bench.process import cpu_seconds, reconciled, running
from tests.bench.table import Row, Table
from tests.cluster.console import step

SECONDS = float(os.environ.get("REST", "60"))


async def run() -> Table:
    population = await populated()
    with running(population.kubeconfig) as operator:
        assert operator.process is not None
        with step("until the operator has reconciled all"):
            reconciled(operator, COUNT)
        with step(f"{SECONDS:g} s at rest"):
            before = cpu_seconds(operator.process)
            await asyncio.sleep(SECONDS)
            used = cpu_seconds(operator.process) - before
        memory = operator.memory_mib()
    about = (
        f"One operator process that knows {population.objects} objects of {COUNT} ModelDeployments, {SECONDS:g} s after it has reconciled "
        "all. Watched JSON: all of them as the apiserver lists them."
    )
    rows = [
        Row(f"CPU in {SECONDS:g} s", 100 * used / SECONDS, "% of a core", at_most=2),
        Row(f"memory at {COUNT}", memory, "MiB"),
        Row("memory at 0", population.empty_mib, "MiB"),
        Row("watched JSON", population.json_mib, "MiB"),
        Row("(memory − memory at 0) ÷ watched JSON", (memory - population.empty_mib) / population.json_mib, at_most=2),
    ]
    return Table("At rest", about, rows)
