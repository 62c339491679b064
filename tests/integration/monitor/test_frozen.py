"""Profiles are frozen once, whoever comes first."""

from __future__ import annotations

import obstore
import pyarrow as pa
import pytest

from slipway.collector.log.place import open_store
from slipway.monitor.baseline.frozen import freeze, kept, path_of
from slipway.monitor.stats.profile import Profile, build
from tests.integration.monitor.lab import Lab

PATH = path_of("growth/churn", "sha256:abc")


def profile(value: float) -> Profile:
    return build([pa.record_batch({"in_age": [value, value + 1]})], {"in_age": "Number"})


def test_the_first_one_holds(lab: Lab) -> None:
    store = open_store(lab.place, lab.place.uri)
    assert kept(store, PATH) is None
    assert freeze(store, PATH, profile(1)) == freeze(store, PATH, profile(2)) == kept(store, PATH) == profile(1)
    assert PATH == "growth/churn/monitors/baselines/sha256-abc.json"


@pytest.mark.parametrize("body", [b"", b"{}", b'{"schema_version": 2}'])
def test_what_is_no_profile_is_made_anew(lab: Lab, body: bytes) -> None:
    store = open_store(lab.place, lab.place.uri)
    obstore.put(store, PATH, body)
    assert kept(store, PATH) is None
    assert freeze(store, PATH, profile(1)) == kept(store, PATH) == profile(1)
