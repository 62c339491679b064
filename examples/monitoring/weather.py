"""Days in Seattle, 2012 to 2015: what was measured, and whether it rained the day after.

`seattle-weather.csv` is NOAA's record of the station at Seattle-Tacoma airport, in the public domain; as in the collection vega-datasets.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

DATA = Path(__file__).with_name("seattle-weather.csv")
COLUMNS = {"precipitation": "FP64", "temp_max": "FP64", "temp_min": "FP64", "wind": "FP64", "weather": "BYTES"}
"""Features, with their datatypes in the Open Inference Protocol: millimetres, degrees Celsius, metres a second."""
SUMMER = range(5, 10)
TRAINED_ON = (2013, 2015)
HELD_OUT = 2014
"""The year that the model has not seen. 2012 is left out: that year the station noted `weather` in another way."""


@dataclass(frozen=True)
class Day:
    """One day; `rain` is the truth, known a day later."""

    day: date
    precipitation: float
    temp_max: float
    temp_min: float
    wind: float
    weather: str
    rain: int


def days() -> list[Day]:
    """All days but the last, whose next day is not known."""
    with DATA.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [_day(row, float(after["precipitation"])) for row, after in pairwise(rows)]


def _day(row: dict[str, str], rain_after: float) -> Day:
    year, month, number = map(int, row["date"].split("/"))
    numbers = (float(row[name]) for name, datatype in COLUMNS.items() if datatype == "FP64")
    return Day(date(year, month, number), *numbers, weather=row["weather"], rain=int(rain_after > 0))


def training_days() -> list[Day]:
    """Summer days of the years that the model was made from."""
    return [day for day in days() if day.day.month in SUMMER and day.day.year in TRAINED_ON]


def season(name: str) -> list[Day]:
    """`summer`: the days May to September that the model has not seen; `winter`: October to April, from that year on."""
    if name == "summer":
        return [day for day in days() if day.day.month in SUMMER and day.day.year == HELD_OUT]
    return [day for day in days() if day.day.month not in SUMMER and day.day.year >= HELD_OUT]
