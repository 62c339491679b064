"""Hypothesis strategies from a CRD's schema: values that are valid in most places and wrong in few."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]

WRONG = 100
"""One node in this many is wrong on purpose."""

_TEXT = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
_KEYS = ["cpu", "memory", "team", "example.com/gpu", "a", "", "Has Space", "x" * 64, "zone-1"]
_VALUES: dict[str, list[Any]] = {
    "model": ["churn", "a", "a-b"],
    "version": ["3", "1.0", "3-rc1"],
    "name": ["sklearn", "custom", "SECRET", "DEBUG", "SLIPWAY_X", "abc"],
    "uri": [
        *["s3://b/k/", "s3://bucket/a/b.joblib"] * 6,
        "https://h/f",
        "pvc://c/p",
        "s3://b",
        "ftp://x/y",
        "s3:// b/k",
        "pvc://C/p",
        "s3://b/ü",
        "https://h/a b",
    ],
    "digest": ["sha256:" + "a" * 64],
    "commit": ["abcdef1", "0" * 40],
    "deployment": ["churn", "a"],
    "schedule": [*["0 * * * *", "*/15 6-18 * * MON-FRI", "5,35 0 1 * *"] * 6, "hourly", "* * * *", "0 0 0 0 0 0", "@daily"],
    "memory": ["1Gi", "512Mi", "1G"],
    "cpu": ["500m", "1", "0.5"],
    "publicKey": [
        *["-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"] * 8,
        "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMFkw\n-----END PRIVATE KEY-----\n",
    ],
    "trainedAt": ["2026-11-23T08:00:00Z"],
    "minReplicas": [1, 2, 5],
    "maxReplicas": [1, 3, 4],
    "approvals": [0, 2, 3, 5, 10, 10],
    "port": [8080, 9000],
    "grpcPort": [8080, 9000],
}


def names() -> st.SearchStrategy[str]:
    """metadata.name: mostly fine, sometimes too long or odd."""
    return st.sampled_from(
        [
            "churn",
            "churn-pods",
            "pods",
            "a",
            "n" * 50,
            "n" * 51,
            "Upper",
            "9lives",
            "x-",
            "x.y",
            "xchurn-3",
            "b" * 40,
            "ok-1",
            "c",
            "d2",
            "e-f",
        ]
    )


def objects(schema: Schema, field: str = "") -> st.SearchStrategy[Any]:
    """Values for a node of a structural schema."""
    right = _right(schema, field)
    wrong = _wrong(schema, right)  # both once: to build them anew for each draw would take most of the time
    return st.integers(0, WRONG).flatmap(lambda n: right if n else wrong)


def _wrong(schema: Schema, right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Another type, a bound overstepped, a field too many."""
    choices: list[st.SearchStrategy[Any]] = [st.sampled_from([True, 7, -1, 1.5, 2.0, "text", "", [], {}, ["a"], {"unknown": 1}, None])]
    if "maxLength" in schema:
        choices.append(st.just("a" * (schema["maxLength"] + 1)))
    if "maximum" in schema:
        choices.append(st.just(schema["maximum"] + 1))
    if "properties" in schema:
        choices.append(right.map(lambda value: value | {"unknownField": 1}))
    return st.one_of(choices)


def _right(schema: Schema, field: str) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return st.sampled_from(
            ["100m", "1", "0.35", "350m", "0.1234567899m", "0.123456789m", "2Gi", 1, 2, "0.5", "512Mi", "1.5Gi", "10", "1e3", "-1", 0]
        )
    kind = schema["type"]
    if kind == "object" and "properties" in schema:
        return _object(schema)
    if kind == "object":
        return st.dictionaries(
            st.sampled_from(_KEYS[:5] if "cpu" in str(schema) else _KEYS), objects(schema["additionalProperties"]), max_size=3
        )
    if kind == "array":
        return st.lists(objects(schema["items"]), min_size=schema.get("minItems", 0), max_size=3)
    if kind == "boolean":
        return st.booleans()
    if field in _VALUES and (kind == "string") == isinstance(_VALUES[field][0], str):
        return st.sampled_from(_VALUES[field])
    if kind == "number":
        return _number(schema)
    if kind == "integer":
        return st.integers(schema.get("minimum", -5), min(schema.get("maximum", 100), 100_000))
    return _string(schema)


def _number(schema: Schema) -> st.SearchStrategy[float | int]:
    """Halves and whole numbers, so that thresholds meet and cross; a whole number may come without its point."""
    low, high = max(schema.get("minimum", -5), -5), min(schema.get("maximum", 5), 5)
    above = 1 if schema.get("exclusiveMinimum") else 0
    halves = st.integers(int(low * 20) + above, int(high * 20)).map(lambda n: n / 20)
    return halves.map(lambda value: int(value) if value.is_integer() and value % 2 else value)


def _object(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    required = set(schema.get("required", []))
    fields = {name: objects(child, name) for name, child in schema["properties"].items()}
    must = {name: strategy for name, strategy in fields.items() if name in required}
    may = {name: strategy for name, strategy in fields.items() if name not in required}
    whole = st.fixed_dictionaries(must, optional=may)
    return st.integers(0, WRONG).flatmap(lambda n: whole if n or not must else whole.map(_drop_first))


def _drop_first(value: dict[str, Any]) -> dict[str, Any]:
    return dict(list(value.items())[1:])


def _string(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" not in schema:
        return st.one_of(_TEXT, st.just("a" * min(schema.get("maxLength", 10), 200)))
    bounded = st.from_regex(schema["pattern"].replace("$", r"\Z"), alphabet=st.characters(max_codepoint=126, min_codepoint=32))
    fitting = bounded.filter(lambda text: len(text) <= schema.get("maxLength", 10**6))
    return st.integers(0, WRONG).flatmap(lambda n: _TEXT if n == 0 else fitting)
