"""A new operator process among 5,000 ModelDeployments, until it has reconciled all; against kopf with a handler that does nothing."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time

from tests.bench.population import COUNT, Population, populated
from tests.bench.process import reconciled, running
from tests.bench.table import Row, Table
from tests.cluster.console import step

PAIRS = int(os.environ.get("PAIRS", "3"))


async def run() -> Table:
    population = await populated()
    before = population.writes()
    floors, ours = [], []
    for pair in range(PAIRS):
        with step(f"kopf with an empty handler, {pair + 1} of {PAIRS}"):
            floors.append(_floor(population))
        with step(f"the operator, {pair + 1} of {PAIRS}"):
            ours.append(_operator(population))
    about = (
        f"From the process's start until each of {COUNT} ModelDeployments is reconciled, which needs no write; against kopf with default "
        f"settings until an empty `on.event` handler was called for all {population.objects} objects of the same kinds and selectors; "
        f"{PAIRS} interleaved pairs."
    )
    ratios = (our / floor for our, floor in zip(ours, floors, strict=True))
    rows = [
        Row("operator", statistics.median(ours), "s"),
        Row("kopf with an empty handler", statistics.median(floors), "s"),
        Row("operator ÷ kopf with an empty handler", statistics.median(ratios), at_most=1.5),
        Row("writes", population.writes() - before, at_most=0),
    ]
    return Table("Restart", about, rows)


def _operator(population: Population) -> float:
    began = time.monotonic()
    with running(population.kubeconfig) as operator:
        return reconciled(operator, COUNT) - began


def _floor(population: Population) -> float:
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.bench.floor", str(population.objects)]
    environment = os.environ | {"KUBECONFIG": str(population.kubeconfig)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "done\n", "kopf ended before its handler was called for all"
            return time.monotonic() - began
        finally:
            process.send_signal(signal.SIGKILL)
