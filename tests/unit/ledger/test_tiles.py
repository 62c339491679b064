"""Paths and encodings of C2SP tlog-tiles, and what follows from entries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.ledger.growth import Growth
from slipway.ledger.merkle import leaf_hash, root_of
from slipway.ledger.tiles import ENTRIES, decode_bundle, encode_bundle, levels, partial_tiles, split_tile, tile_path, width_of


@pytest.mark.parametrize(
    ("level", "number", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (0, 273, 112, "tile/0/273.p/112"),
        (1, 1, 17, "tile/1/001.p/17"),
        (2, 0, 1, "tile/2/000.p/1"),
        (ENTRIES, 999, 256, "tile/entries/999"),
        (ENTRIES, 1000, 1, "tile/entries/x001/000.p/1"),
    ],
)
def test_paths_of_the_specification(level: int, number: int, width: int, path: str) -> None:
    assert tile_path(level, number, width) == path


def test_the_specifications_example_of_a_tree() -> None:
    """70,000 entries: 273 full tiles at level 0 and one of 112, one at level 1 and one of 17, one of 1 at level 2."""
    assert partial_tiles(70_000) == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert [width_of(0, number, 70_000) for number in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [levels(size) for size in (0, 1, 255, 256, 65_535, 65_536)] == [0, 1, 1, 2, 2, 3]


def test_bundles_are_length_prefixed() -> None:
    assert encode_bundle([b"ab", b"", b"x" * 300]) == b"\x00\x02ab\x00\x00\x01\x2c" + b"x" * 300


@given(st.lists(st.binary(max_size=70), max_size=256))
def test_bundles_come_back(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries)) == entries


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=9), st.data())
def test_a_cut_bundle_is_noticed(entries: list[bytes], data: st.DataObject) -> None:
    whole = encode_bundle(entries)
    starts = {len(encode_bundle(entries[:count])) for count in range(len(entries) + 1)}
    cut = data.draw(st.integers(1, len(whole) - 1).filter(lambda at: at not in starts))
    with pytest.raises(ValueError, match="cut"):
        decode_bundle(whole[:cut])


def test_a_cut_tile_is_noticed() -> None:
    assert split_tile(bytes(64)) == [bytes(32)] * 2
    with pytest.raises(ValueError, match="cut"):
        split_tile(bytes(63))


def test_growth_makes_what_the_format_wants() -> None:
    growth = Growth()
    entries = [f"entry {number}".encode() for number in range(66_000)]
    for entry in entries:
        growth.append(entry)
    stored = dict(growth.full)
    hashes = [leaf_hash(entry) for entry in entries]
    tiles = [root_of(hashes[at : at + 256]) for at in range(0, 65_536 + 256, 256)]
    assert len(stored) == 257 + 257 + 1
    assert stored["tile/entries/256"] == encode_bundle(entries[65_536:65_792])
    assert stored["tile/0/000"] == b"".join(hashes[:256])
    assert stored["tile/1/000"] == b"".join(tiles[:256])
    partial = dict(growth.partial())
    assert partial["tile/entries/257.p/208"] == encode_bundle(entries[65_792:])
    assert partial["tile/0/257.p/208"] == b"".join(hashes[65_792:])
    assert partial["tile/1/001.p/1"] == tiles[256]
    assert partial["tile/2/000.p/1"] == root_of(tiles[:256])
    assert {(key.split("/")[1], key.rpartition("/")[2]) for key in partial} == {("entries", "208"), ("0", "208"), ("1", "1"), ("2", "1")}
    assert growth.root == root_of(hashes)
