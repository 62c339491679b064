"""The index of ids: which runs there are, how they merge, what a search finds; and the pace of checkpoints."""

from __future__ import annotations

import math
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.ledger import index, owners
from slipway.ledger.behind import Pace


@given(st.integers(0, 5000))
def test_runs_cover_everything_once(count: int) -> None:
    covered = [run for level, number in index.runs(count) for run in range(number << (2 * level), (number + 1) << (2 * level))]
    assert covered == list(range(count))
    by_level: dict[int, int] = defaultdict(int)
    for level, _ in index.runs(count):
        by_level[level] += 1
    assert all(number <= 3 for number in by_level.values())


@given(st.integers(0, 5000))
def test_the_runs_that_a_new_one_completes_are_the_ones_looked_up(number: int) -> None:
    known = {run for count in range(max(0, number - 70), number + 1) for run in index.runs(count)}
    made = {(0, number), *index.finished_by(number)}
    assert set(index.runs(number + 1)) <= known | made
    for level, whole in index.finished_by(number):
        assert index.children(level, whole)[-1] in made


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=4, max_size=400))
def test_merging_is_sorting(numbers: list[int]) -> None:
    """Twice, up to level 2: every record is where a search looks for it, whatever the order it came in."""
    ids = [f"uid-{number}/{position}/Applied" for position, number in enumerate(numbers)]
    records = [(index.key_of(entry_id), position) for position, entry_id in enumerate(ids)]
    level_0 = [[index.encode(records[run::16])] for run in range(16)]
    level_1 = [merge(1, level_0[4 * run : 4 * run + 4]) for run in range(4)]
    (level_2,) = [merge(2, level_1)]
    assert b"".join(level_2) == index.encode(records)
    for entry_id, (key, position) in zip(ids, records, strict=True):
        owner = index.owner_of(entry_id)
        found = index.search(level_2[index.part_of(2, owner)], owner)
        assert (key, position) in found
        assert all(other[:8] == owner for other, _ in found)
    assert index.search(level_2[index.part_of(2, index.owner_of("nobody"))], index.owner_of("nobody")) == []


def merge(level: int, sources: list[list[bytes]]) -> list[bytes]:
    parts: dict[int, bytes] = {}
    for part in range(index.parts(level - 1)):
        for offset, data in index.merged(level, [source[part] for source in sources]):
            parts[(part << 2) + offset] = data
    return [parts[part] for part in range(index.parts(level))]


def test_paths() -> None:
    assert index.part_path(2, 1234, 7) == "index/2/x001/234.d/000007"


def test_the_same_id_twice_is_seen() -> None:
    once, twice = index.key_of("a/1/Applied"), index.key_of("b/1/Applied")
    assert index.repeated(index.encode([(once, 1), (twice, 2)])) is None
    assert index.repeated(index.encode([(once, 1), (twice, 2), (once, 9)])) == (1, 9)


def test_the_pace_of_checkpoints() -> None:
    pace = Pace()
    assert pace.seconds_left(0, 0, 7) == math.inf
    assert pace.seconds_left(256, 0, 0) == 0
    assert pace.seconds_left(1, 4, 1) == 6
    assert pace.seconds_left(1, 10, 16) == 0
    assert pace.seconds_left(1, 10, 17) == 290
    assert pace.seconds_left(16, 10, 255) == 0
    assert pace.seconds_left(1, 300, 255) == 0


@given(
    st.sets(st.binary(min_size=8, max_size=8), max_size=40),
    st.sets(st.binary(min_size=8, max_size=8), max_size=9),
    st.binary(min_size=8, max_size=8),
)
def test_packed_ids(ids: set[bytes], more: set[bytes], other: bytes) -> None:
    owner = bytes(8)
    packed = index.packed((owner + each for each in more), index.packed(owner + each for each in ids))
    assert len(packed) == 8 * len(ids | more)
    assert all(index.has(packed, owner + each) for each in ids | more)
    assert index.has(packed, owner + other) == (other in ids | more)


def test_what_was_looked_up_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "MOST_BYTES", 3 * owners.OVERHEAD + 3 * 8)
    known = owners.Owners()
    keys = [index.key_of(f"uid-{number}/1/Applied") for number in range(4)]
    for key in keys[:3]:
        known.put(index.owner(key), index.packed([key]))
    assert known.get(index.owner(keys[0])) == keys[0][8:]
    known.put(index.owner(keys[3]), index.packed([keys[3]]))
    assert known.get(index.owner(keys[1])) is None, "the one that was not used for longest goes"
    assert known.get(index.owner(keys[0])) is not None
    second = index.key_of("uid-0/2/Applied")
    known.extend([second, index.key_of("uid-9/1/Applied")])
    ids = known.get(index.owner(second))
    assert ids is not None
    assert index.has(ids, second)
    assert known.get(index.owner_of("uid-9")) is None
