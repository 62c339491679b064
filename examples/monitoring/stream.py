"""Asks the model about the days of a season, and writes down what the weather did: `python stream.py http://rain.growth winter`.

Then `kubectl slipway actuals push truths.csv -d rain` tells the platform how it turned out.
"""

from __future__ import annotations

import argparse
import csv
import json
import urllib.request
from pathlib import Path
from typing import Any

from weather import COLUMNS, Day, season


def request(day: Day) -> dict[str, Any]:
    """One row, as named columns of the Open Inference Protocol."""
    inputs = [{"name": name, "datatype": datatype, "shape": [1], "data": [getattr(day, name)]} for name, datatype in COLUMNS.items()]
    return {"inputs": inputs}


def ask(url: str, day: Day) -> str:
    """The prediction's id."""
    body = json.dumps(request(day)).encode()
    headers = {"Content-Type": "application/json", "x-slipway-caller": "examples/monitoring"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/v2/models/rain/infer", body, headers), timeout=30) as answer:
        return str(answer.headers["x-slipway-prediction-id"])


def stream(url: str, name: str, truths: Path) -> int:
    """Asks about each day of the season, and writes the truths; how many days these were."""
    asked = season(name)
    with truths.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["prediction_id", "value"])
        for day in asked:
            lines.writerow([ask(url, day), day.rain])
    return len(asked)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("url", help="the ModelDeployment's status.url")
    parser.add_argument("season", choices=("summer", "winter"))
    parser.add_argument("--truths", type=Path, default=Path("truths.csv"))
    given = parser.parse_args()
    print(f"asked about {stream(given.url.rstrip('/'), given.season, given.truths)} days")
