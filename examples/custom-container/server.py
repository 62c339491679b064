"""The smallest model server that speaks the Open Inference Protocol v2: it answers the sum of each row."""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NAME = os.environ["SLIPWAY_MODEL_NAME"]
VERSION = os.environ["SLIPWAY_MODEL_VERSION"]
PORT = int(os.environ["SLIPWAY_HTTP_PORT"])


class Handler(BaseHTTPRequestHandler):
    """Ready, live and infer are all that a deployment needs."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        known = self.path in ("/v2/health/live", "/v2/health/ready", f"/v2/models/{NAME}/ready")
        self._answer(200 if known else 404, {} if known else {"error": f"no {self.path}"})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if self.path != f"/v2/models/{NAME}/infer":
            self._answer(404, {"error": f"no {self.path}"})
            return
        tensor = request["inputs"][0]
        width = tensor["shape"][-1]
        flat = list(_flatten(tensor["data"]))
        sums = [sum(flat[start : start + width]) for start in range(0, len(flat), width)]
        output = {"name": "sum", "datatype": "FP64", "shape": [len(sums)], "data": sums}
        self._answer(200, {"model_name": NAME, "model_version": VERSION, "outputs": [output]})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Kubernetes probes twice a second: no access log."""


def _flatten(data: Any) -> Any:
    for item in data:
        if isinstance(item, list):
            yield from _flatten(item)
        else:
            yield item


if __name__ == "__main__":
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()
