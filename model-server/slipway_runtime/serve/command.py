"""`slipway-serve`: serves the model that the environment names, until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

from slipway_runtime.failure import Failure, LoadFailed, last_line, report

SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    """Run the server; exit 0 after a drain, or 1 with the reason in the termination message."""
    # As PID 1 a process without a handler ignores SIGTERM; the server installs its own once it runs.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    for variable in SINGLE_THREADED:  # calls are parallel among themselves; replicas scale. Read when numpy is imported
        os.environ.setdefault(variable, "1")
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    code = run()
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)  # a prediction that never ends must not hold the process


def run() -> int:
    """The exit code of one server's life."""
    try:
        import uvloop

        from slipway_runtime.serve.server import ModelServer
        from slipway_runtime.serve.settings import ServeSettings

        settings = ServeSettings.load(os.environ)

        async def serve() -> None:
            await ModelServer(settings).run()

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())
    except Failure as failure:
        report(failure)
        return 1
    except (Exception, SystemExit) as error:  # uvicorn exits where its port is taken
        logging.exception("the server ended")
        report(LoadFailed(last_line(error)))
        return 1
    return 0
