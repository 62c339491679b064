"""Run by Spark's own Python: reads what to do from its input, prints the rows as one line of JSON."""

from __future__ import annotations

import json
import sys

from pyspark.sql import SparkSession


def main() -> None:
    asked = json.load(sys.stdin)
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "1")
    for name, value in asked["options"].items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.read.format("delta").load(asked["uri"]).createOrReplaceTempView("log")
    rows = [row.asDict(recursive=True) for row in spark.sql(asked["query"]).collect()]
    print("\n" + json.dumps(rows, default=str))


main()
