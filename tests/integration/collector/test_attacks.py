"""What must not get in, with what its sender is told; and that the others' batches do."""

from __future__ import annotations

import struct
import urllib.parse
from collections.abc import Callable

import orjson
import pyarrow as pa
import pytest

from tests.integration.collector.lab import Lab, may
from tests.integration.collector.process import Answer, Collector
from tests.integration.collector.samples import rows, stream, uuid7

MIB = 2**20
WRITER = "5f0c9f5e-7a51-4b1e-9a53-6a9a6f1c2d3e"


@pytest.fixture(autouse=True)
def _others_are_served(lab: Lab, collector: Collector, namespace: str) -> None:
    """Before each attack somebody's batch is stored; after it, see `check`."""
    token = lab.pod_token(namespace, "victim")
    assert collector.send(token, stream(rows(namespace, "victim", ["kept"]))).status == 200


def check(lab: Lab, collector: Collector, namespace: str, answer: Answer, status: int, message: str) -> None:
    """Refused with the message, nothing changed, and the victim can go on."""
    assert (answer.status, message in answer.error) == (status, True), answer
    assert lab.ids(namespace, "victim") == ["kept"]
    token = lab.pod_token(namespace, "victim")
    assert collector.send(token, stream(rows(namespace, "victim", ["more"]))).status == 200
    assert lab.ids(namespace, "victim") == ["kept", "more"]


def test_another_pods_token(lab: Lab, collector: Collector, namespace: str) -> None:
    """A pod that sends rows which say they are the victim's."""
    token = lab.pod_token(namespace, "mallory")
    answer = collector.send(token, stream(rows(namespace, "victim", ["forged"])))
    check(
        lab,
        collector,
        namespace,
        answer,
        403,
        f"a pod of {namespace}/mallory sends rows of its own deployment only; this batch says deployment",
    )


def test_another_namespace(lab: Lab, collector: Collector, namespace: str) -> None:
    token = lab.pod_token(f"{namespace}-evil", "victim")
    answer = collector.send(token, stream(rows(namespace, "victim", ["forged"])))
    check(lab, collector, namespace, answer, 403, "rows of its own deployment only; this batch says namespace")


def test_rows_that_say_another_deployment_than_the_batch(lab: Lab, collector: Collector, namespace: str) -> None:
    token, forged = lab.pod_token(namespace, "mallory"), rows(namespace, "victim", ["forged"])
    metadata = {"slipway.namespace": namespace, "slipway.deployment": "mallory"}
    answer = collector.send(token, stream(forged.replace_schema_metadata(metadata)))
    check(lab, collector, namespace, answer, 403, "some say another deployment")


def test_one_forged_row_among_many(lab: Lab, collector: Collector, namespace: str) -> None:
    token = lab.pod_token(namespace, "mallory")
    both = pa.concat_tables([rows(namespace, "mallory", ["mine"] * 99), rows(namespace, "victim", ["forged"])])
    check(lab, collector, namespace, collector.send(token, stream(both)), 403, "some say another deployment")


def test_another_audience(lab: Lab, collector: Collector, namespace: str) -> None:
    token = lab.pod_token(namespace, "victim", audience="https://kubernetes.default.svc")
    check(lab, collector, namespace, collector.send(token, stream(rows(namespace, "victim", ["a"]))), 401, "with audience 'slipway'")


def test_a_token_of_no_pod(lab: Lab, collector: Collector, namespace: str) -> None:
    token = lab.token(namespace, "victim", audiences=["slipway"])
    check(lab, collector, namespace, collector.send(token, stream(rows(namespace, "victim", ["a"]))), 403, "is not bound to a pod")


def test_a_persons_token(lab: Lab, collector: Collector, namespace: str, reader: str) -> None:
    check(lab, collector, namespace, collector.send(reader, stream(rows(namespace, "victim", ["a"]))), 401, "does not know this token")


@pytest.mark.parametrize("token", ["", "forged", "a.b.c"])
def test_no_token_or_a_forged_one(lab: Lab, collector: Collector, namespace: str, token: str) -> None:
    answer = collector.send(token, stream(rows(namespace, "victim", ["a"])))
    check(lab, collector, namespace, answer, 401, "does not know this token" if token else "no bearer token")


def test_a_pods_token_reads_nothing(lab: Lab, collector: Collector, namespace: str) -> None:
    token = lab.pod_token(namespace, "victim")
    answer = collector.ask("GET", f"/v1/predictions/kept?namespace={namespace}&deployment=victim", token)
    check(lab, collector, namespace, answer, 401, "does not know this token")


def test_a_person_without_rights(lab: Lab, collector: Collector, namespace: str) -> None:
    token = lab.person(f"nobody-{namespace}", [may("get", "predictions", "another")])
    asked = {"namespace": namespace, "deployment": "victim"}
    question = f"/v1/predictions/kept?namespace={namespace}"
    for answer, verb in (
        (collector.ask("GET", f"{question}&deployment=victim", token), "get predictions"),
        (collector.ask("GET", question, token), "get predictions"),
        (collector.ask("POST", "/v1/erasures", token, pack(asked | {"column": "prediction_id", "value": "kept"})), "delete predictions"),
        (collector.ask("POST", "/v1/actuals", token, pack(asked | {"rows": [{"prediction_id": "kept", "value": 1}]})), "create actuals"),
    ):
        assert (answer.status, f"may not {verb}" in answer.error) == (403, True), answer
    check(lab, collector, namespace, answer, 403, "may not")


def pack(question: object) -> bytes:
    return orjson.dumps(question)


def _columns(count: int) -> pa.Table:
    table = rows("n", "d", ["a"])
    return pa.table({**{name: table[name] for name in table.column_names}, **{f"in_{index}": [1] for index in range(count)}})


def bomb(ratio: int = 1000) -> bytes:
    """A stream of which a buffer is said to be, and is, much larger than it looks."""
    return stream(rows("n", "d", ["a"] * 8, in_text=pa.array(["a" * ratio * 1024] * 8)).slice(0, 8))


def lying(body: bytes) -> bytes:
    """The first compressed buffer says that it is 2^40 bytes decompressed."""
    size = struct.pack("<q", 8 * 4)
    at = body.index(size + b"\x28\xb5\x2f\xfd")
    return body[:at] + struct.pack("<q", 2**40) + body[at + 8 :]


BAD: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "nothing": (lambda: b"", 400, "does not begin with a schema"),
    "text": (lambda: b"x" * 1000, 400, "not an Arrow IPC stream"),
    "a stream cut short": (lambda: stream(rows("n", "d", ["a"] * 1000))[:-600], 400, "not an Arrow IPC stream"),
    "bits turned over": (
        lambda: bytes(b ^ 0x55 if i % 97 == 0 else b for i, b in enumerate(stream(rows("n", "d", ["a"] * 50)))),
        400,
        "not an Arrow",
    ),
    "more than may be sent": (lambda: b"x" * (16 * MIB + 1), 413, "a request may have 16777216 bytes"),
    "a decompression bomb": (lambda: bomb(16 * 1024), 413, "67108864 bytes decompressed"),
    "a buffer that lies about its size": (lambda: lying(stream(rows("n", "d", ["a"] * 8))), 413, "67108864 bytes decompressed"),
    "100,000 columns": (lambda: stream(_columns(100_000), None), 413, "a batch may have 4096 columns"),
    "a nested type": (lambda: stream(rows("n", "d", ["a"], in_a=pa.array([[1]]))), 400, "is of type list"),
    "a dictionary": (lambda: stream(rows("n", "d", ["a"], in_a=pa.array(["x"]).dictionary_encode())), 400, "is of type dictionary"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_batches(lab: Lab, collector: Collector, namespace: str, what: str) -> None:
    make, status, message = BAD[what]
    check(lab, collector, namespace, collector.send(lab.pod_token(namespace, "mallory"), make()), status, message)


@pytest.mark.parametrize(
    ("writer", "sequence"),
    [("../x", "1"), ("'; DROP TABLE x", "1"), (WRITER, "0"), (WRITER, "-1"), (WRITER, "9" * 30)],
)
def test_bad_headers(lab: Lab, collector: Collector, namespace: str, writer: str, sequence: str) -> None:
    body, token = stream(rows(namespace, "mallory", ["a"])), lab.pod_token(namespace, "mallory")
    answer = collector.ask("POST", "/v1/batches", token, body, x_slipway_writer=writer, x_slipway_sequence=sequence)
    check(lab, collector, namespace, answer, 400, "x-slipway-")


HOSTILE = [
    "../../victim/predictions/x",
    "' OR '1'='1",
    '"; DROP TABLE predictions; --',
    "%2F..%2F",
    "a%00b",
    "$(id)",
    "\\x",
    "`a`",
    "a b=c,{d}",
]


@pytest.mark.parametrize(
    "where",
    [
        "%2e%2e/x/report.html",
        "daily/../../../victim/predictions",
        "daily/daily-1/..%2f..%2fpredictions",
        "daily/x/history.json",
        "daily/-/report.html",
    ],
)
def test_nothing_but_reports_is_shown_as_one(collector: Collector, reader: str, namespace: str, where: str) -> None:
    answer = collector.ask("GET", f"/v1/reports/{where}?namespace={namespace}&deployment=victim", reader)
    assert answer.status in (400, 404), answer


@pytest.mark.parametrize("text", HOSTILE)
def test_tricks_in_ids_names_and_values(lab: Lab, collector: Collector, reader: str, namespace: str, text: str) -> None:
    """They are text like any other: stored as they are, found as they are, and what they find is only themselves."""
    token = lab.pod_token(namespace, "mallory")
    ids = [text, uuid7()]
    body = stream(rows(namespace, "mallory", ids, **{f"in_{text}": pa.array([text, "b"]), "key_id": pa.array([text, "c"])}))
    assert collector.send(token, body).body == {"rows": 2, "state": "Stored"}
    where = f"namespace={namespace}&deployment=mallory"
    found = collector.ask("GET", f"/v1/predictions/{urllib.parse.quote(text, safe='')}?{where}", reader).body["predictions"]
    assert [row["prediction_id"] for row in found] == [text]
    assert text in [value for name, value in found[0].items() if name.startswith("in_")]
    asked = {"namespace": namespace, "deployment": "mallory", "column": "key_id", "value": text}
    assert collector.ask("POST", "/v1/erasures", reader, pack(asked)).body == {"predictions": 1, "actuals": 0}
    assert lab.ids(namespace, "mallory") == [ids[1]]
    answer = collector.ask("GET", f"/v1/predictions/kept?namespace={urllib.parse.quote(text, safe='')}&deployment=victim", reader)
    check(lab, collector, namespace, answer, 400, "namespace must be the name of one")
