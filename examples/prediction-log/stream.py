"""Asks the model about customers, a call each, and writes down who left: `python stream.py http://churn.growth --customers 500`.

Each request carries the customer's number as a key: it is logged and not given to the model, so that `kubectl slipway actuals push
truths.csv -d churn --key customer_id` finds the rows, and `kubectl slipway erase churn --where customer_id=1042` does.
"""

from __future__ import annotations

import argparse
import csv
import json
import urllib.request
from pathlib import Path
from typing import Any

from customers import COLUMNS, Customer, customer

FIRST = 1000
"""Customers before were for training."""


def request(about: Customer) -> dict[str, Any]:
    """One row, as named columns of the Open Inference Protocol, and the key."""
    columns = [{"name": name, "datatype": datatype, "shape": [1], "data": [getattr(about, name)]} for name, datatype in COLUMNS.items()]
    key = {"name": "customer_id", "datatype": "INT64", "shape": [1], "data": [about.number], "parameters": {"key": True}}
    return {"inputs": [*columns, key]}


def ask(url: str, about: Customer) -> str:
    """The prediction's id."""
    body = json.dumps(request(about)).encode()
    headers = {"Content-Type": "application/json", "x-slipway-caller": "examples/prediction-log"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/v2/models/churn/infer", body, headers), timeout=30) as answer:
        return str(answer.headers["x-slipway-prediction-id"])


def stream(url: str, customers: int, truths: Path) -> None:
    """Asks about so many, and writes what turned out to be true."""
    with truths.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["prediction_id", "customer_id", "value"])
        for number in range(FIRST, FIRST + customers):
            about = customer(number)
            lines.writerow([ask(url, about), number, about.left])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("url", help="the ModelDeployment's status.url")
    parser.add_argument("--customers", type=int, default=500)
    parser.add_argument("--truths", type=Path, default=Path("truths.csv"))
    given = parser.parse_args()
    stream(given.url.rstrip("/"), given.customers, given.truths)
