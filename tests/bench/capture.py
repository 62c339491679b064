"""What capture costs the request path: a server with it (its shipper at work, a collector that takes all) and one without, by turns,
under an open loop at half of the capacity of the one without. Each pair alternates short slices of both, at the same times of arrival:
what the machine does besides falls on both.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from tests.bench.table import Row, Table
from tests.unit.runtime import models
from tests.unit.runtime.capturing import capture, is_empty, shipping
from tests.unit.runtime.servers import ServerProcess
from tests.wait import free_port, until

PAIRS = int(os.environ.get("PAIRS", "9"))
SECONDS = float(os.environ.get("SECONDS", "10"))
WARM_SECONDS = 1.0
SLICES = 4
"""Of each side of a pair."""
FEATURES = 30
CONNECTIONS = 16
PATH = "/v2/models/churn/infer"
VALUES = np.random.default_rng(5).normal(size=FEATURES).round(4).tolist()
Send = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Slice:
    """One measured stretch."""

    times: list[float]
    """How long each call took, in seconds from when it was due, so that a server that is late pays for it."""
    seconds: float
    cpu: float
    """Seconds of the server's CPU time."""


@dataclass(frozen=True)
class Turn:
    """The slices of one side of a pair."""

    rate: float
    """Answers a second."""
    p50: float
    p99: float
    """Seconds."""
    cpu: float
    """Seconds of the server's CPU time a call: what the machine's other work changes least."""

    @classmethod
    def of(cls, slices: Sequence[Slice]) -> Turn:
        times = [time for part in slices for time in part.times]
        cuts = statistics.quantiles(times, n=100)
        return cls(len(times) / sum(part.seconds for part in slices), cuts[49], cuts[98], sum(part.cpu for part in slices) / len(times))


async def run() -> Table:
    """REST and gRPC, BestEffort; REST, Durable, for information."""
    home = Path(tempfile.mkdtemp(prefix="slipway-bench-capture-"))
    rows: list[Row] = []
    try:
        rows += await _compare(home / "rest", "REST", "BestEffort", bound=True)
        rows += await _compare(home / "grpc", "gRPC", "BestEffort", bound=True)
        rows += await _compare(home / "durable", "REST", "Durable", bound=False)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    about = (
        f"A logistic pipeline of {FEATURES} columns, one row a call, open loop (Poisson) at half of capacity, {CONNECTIONS} connections; "
        f"{PAIRS} interleaved pairs of {SLICES} × {SECONDS / SLICES:g} s, with the same times of arrival; load generator, both servers, "
        "shipper and collector on the same 2 cores."
    )
    return Table("Capture", about, rows)


async def _compare(home: Path, protocol: str, delivery: str, bound: bool) -> list[Row]:
    home.mkdir(parents=True)
    with ExitStack() as stack:
        model = models.save(models.matrix_model(FEATURES), home / "model")
        spool = home / "spool"
        url = stack.enter_context(_collector())
        plain = ServerProcess(model, _made(home / "plain"))
        captured = ServerProcess(model, _made(home / "captured"), 2, **capture(spool, delivery=delivery))
        stack.callback(plain.kill)
        stack.callback(captured.kill)
        shipper = stack.enter_context(shipping(spool, url, home))
        async with _Load(plain.wait_ready(), protocol) as bare, _Load(captured.wait_ready(), protocol) as ours:
            capacity = statistics.median([await bare.closed(2) for _ in range(3)])
            saturated = statistics.median([await ours.closed(2) for _ in range(3)])
            _rest(spool)
            pairs = []
            for number in range(PAIRS):
                pairs.append(await _pair(bare, ours, capacity / 2, number, spool))
                print(f"  {protocol} {delivery} pair {number}: {pairs[-1][0]} {pairs[-1][1]}", file=sys.stderr, flush=True)
        peak = shipper.peak_mib()
    return _rows(f"{protocol}, {delivery}", pairs, capacity, saturated, peak, bound)


async def _pair(bare: _Load, ours: _Load, rate: float, number: int, spool: Path) -> tuple[Turn, Turn]:
    """One turn of each, slice by slice."""
    slices: dict[_Load, list[Slice]] = {bare: [], ours: []}
    for count in range(SLICES):
        for load in (bare, ours) if (number + count) % 2 else (ours, bare):
            slices[load].append(await load.open(rate, SECONDS / SLICES, seed=SLICES * number + count))
            _rest(spool)
    return Turn.of(slices[bare]), Turn.of(slices[ours])


def _rows(what: str, pairs: list[tuple[Turn, Turn]], capacity: float, saturated: float, peak: float, bound: bool) -> list[Row]:
    def ratio(figure: str) -> float:
        return statistics.median(float(getattr(ours, figure) / getattr(bare, figure)) for bare, ours in pairs)

    return [
        Row(f"{what}: capacity without capture", capacity, "requests/s"),
        Row(f"{what}: requests/s with ÷ without", ratio("rate"), at_least=0.95 if bound else None),
        Row(f"{what}: p99 with ÷ without", ratio("p99"), at_most=1.1 if bound else None),
        Row(f"{what}: p99 without", 1000 * statistics.median(bare.p99 for bare, _ in pairs), "ms"),
        Row(f"{what}: median with ÷ without", ratio("p50")),
        Row(f"{what}: the server's CPU time a call without", 1000 * statistics.median(bare.cpu for bare, _ in pairs), "ms"),
        Row(f"{what}: the server's CPU time a call with ÷ without", ratio("cpu")),
        Row(f"{what}: at full load, the shipper at work, with ÷ without", saturated / capacity),
        Row(f"{what}: the shipper's peak memory", peak, "MiB"),
    ]


class _Load:
    """Calls one server over connections that stay."""

    def __init__(self, server: ServerProcess, protocol: str) -> None:
        self._server = server
        self._protocol = protocol
        self._free: asyncio.Queue[Send] = asyncio.Queue()

    async def __aenter__(self) -> _Load:
        for _ in range(CONNECTIONS):
            self._free.put_nowait(await (_rest_sender if self._protocol == "REST" else _grpc_sender)(self._server))
        await self.closed(1)
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def closed(self, seconds: float) -> float:
        """Answers a second, of as many as it can."""
        end, done = time.perf_counter() + seconds, 0

        async def work() -> None:
            nonlocal done
            send = await self._free.get()
            while time.perf_counter() < end:
                await send()
                done += 1
            self._free.put_nowait(send)

        await asyncio.gather(*(work() for _ in range(8)))
        return done / seconds

    async def open(self, rate: float, seconds: float, seed: int) -> Slice:
        """Calls that are due, at times that the seed decides, whether earlier ones were answered or not; the shipper is at work by then."""
        arrivals = random.Random(seed)
        await self._poisson(rate, WARM_SECONDS, arrivals)
        gc.collect()
        gc.freeze()  # the measuring process must not stop for a full collection
        cpu, began = self._cpu(), time.perf_counter()
        times = await self._poisson(rate, seconds, arrivals)
        return Slice(times, time.perf_counter() - began, self._cpu() - cpu)

    async def _poisson(self, rate: float, seconds: float, arrivals: random.Random) -> list[float]:
        """How long each call took."""
        times: list[float] = []
        began = due = time.perf_counter()
        calls: set[asyncio.Task[None]] = set()
        while due < began + seconds:
            due += arrivals.expovariate(rate)
            await asyncio.sleep(max(0, due - time.perf_counter()))
            call = asyncio.create_task(self._timed(due, times))
            calls.add(call)
            call.add_done_callback(calls.discard)
        await asyncio.gather(*calls)
        return times

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self._server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def _timed(self, due: float, times: list[float]) -> None:
        send = await self._free.get()
        await send()
        times.append(time.perf_counter() - due)
        self._free.put_nowait(send)


async def _rest_sender(server: ServerProcess) -> Send:
    content = json.dumps({"inputs": [{"name": "x", "shape": [1, FEATURES], "datatype": "FP64", "data": VALUES}]}).encode()
    request = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (PATH.encode(), len(content), content)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)

    async def send() -> None:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))

    return send


async def _grpc_sender(server: ServerProcess) -> Send:
    from mlserver.grpc import dataplane_pb2 as pb

    message = pb.ModelInferRequest(model_name="churn")
    message.inputs.add(name="x", datatype="FP64", shape=[1, FEATURES], contents=pb.InferTensorContents(fp64_contents=VALUES))
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}", [("grpc.use_local_subchannel_pool", 1)])
    infer: Any = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer", pb.ModelInferRequest.SerializeToString)

    async def send() -> None:
        await infer(message)

    return send


@contextmanager
def _collector() -> Iterator[str]:
    """A collector that takes all, a process of its own, as nice as the shipper: the real one is on another machine."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.capture_sink", str(port)])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _rest(spool: Path) -> None:
    """What one turn left is not shipped in the next."""
    until(lambda: is_empty(spool), 120, "an empty spool", every=0.2)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
