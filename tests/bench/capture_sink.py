"""Takes every batch over HTTP, reads it and forgets it."""

from __future__ import annotations

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa


class Sink(BaseHTTPRequestHandler):
    """POST only."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        rows = pa.ipc.open_stream(self.rfile.read(int(self.headers["content-length"]))).read_all().num_rows
        answer = b'{"rows": %d, "state": "Stored"}' % rows
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None: ...


if __name__ == "__main__":
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Sink).serve_forever()
