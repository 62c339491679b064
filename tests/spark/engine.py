"""Installs Spark once (PyPI and Maven, through their ordinary clients) and lets it read a Delta table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cluster.cache import cached, content_key
from tests.cluster.console import step

HERE = Path(__file__).parent
REQUIREMENTS, POM, READER = HERE / "requirements.txt", HERE / "pom.xml", HERE / "reader.py"
NEEDED = "io.delta,org.apache.hadoop,software.amazon.awssdk,org.wildfly.openssl"
"""What pyspark does not bring."""


def read(uri: str, options: Mapping[str, str], query: str) -> list[dict[str, Any]]:
    """The rows that Spark answers to a query of the table, called `log` in it; times as ISO text.

    `options` are Spark's own, such as `spark.hadoop.fs.s3a.endpoint`.
    """
    home = cached("spark", content_key(REQUIREMENTS, POM), _install)
    jars = ",".join(str(jar) for jar in sorted((home / "jars").glob("*.jar")))
    asked = json.dumps({"uri": uri, "options": {**options, "spark.jars": jars}, "query": query})
    env = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [home / "venv/bin/python", READER], check=False, input=asked, capture_output=True, text=True, timeout=300, env=env
    )
    assert done.returncode == 0, done.stderr[-4000:]
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def _install(folder: Path) -> None:
    with step("installing Spark (once; kept in the cache)"):
        venv = cached("spark-venv", content_key(REQUIREMENTS), _install_python)
        (folder / "venv").symlink_to(venv)
        copy = f"-DincludeGroupIds={NEEDED} -DexcludeArtifactIds=hadoop-common -DoutputDirectory={folder / 'jars'}".split()
        subprocess.run(["mvn", "-q", "-B", "-f", POM, "dependency:copy-dependencies", *copy], check=True)


def _install_python(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin/pip", "install", "-q", "--require-hashes", "--no-deps", "-r", REQUIREMENTS], check=True)
