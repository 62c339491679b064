"""RFC 6962 trees: the published vectors, and every proof against a tree that is built as the RFC defines it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.ledger.merkle import (
    EMPTY_ROOT,
    CompactRange,
    check_consistency,
    check_inclusion,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    perfect_nodes,
    range_root,
    root_of,
)

LEAVES = [
    bytes.fromhex(leaf) for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
"""The leaves of the tests of Certificate Transparency, and the roots over the first 1, 2, … of them."""
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def defined_root(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(defined_root(hashes[:split]), defined_root(hashes[split:]))


def tree(size: int) -> list[bytes]:
    return [leaf_hash(f"entry {number}".encode()) for number in range(size)]


def proof(ranges: list[tuple[int, int]], hashes: list[bytes]) -> list[bytes]:
    def node(named: tuple[int, int]) -> bytes:
        height, index = named
        part = hashes[index << height : (index + 1) << height]
        assert len(part) == 1 << height, "a node that is no perfect subtree"
        return defined_root(part)

    return [range_root(span, node) for span in ranges]


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size: int) -> None:
    hashes = [leaf_hash(leaf) for leaf in LEAVES[:size]]
    assert root_of(hashes).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_published_inclusion_proofs(index: int, size: int) -> None:
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    made = proof(inclusion_ranges(index, size), hashes)
    assert [item.hex() for item in made] == INCLUSION[index, size]
    assert check_inclusion(hashes[index], index, size, made, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_published_consistency_proofs(old: int, new: int) -> None:
    made = proof(consistency_ranges(old, new), [leaf_hash(leaf) for leaf in LEAVES])
    assert [item.hex() for item in made] == CONSISTENCY[old, new]
    assert check_consistency(old, bytes.fromhex(ROOTS[old - 1]), new, bytes.fromhex(ROOTS[new - 1]), made)


def test_no_leaves() -> None:
    assert root_of([]) == EMPTY_ROOT == CompactRange().root()
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_compact_range_has_every_root() -> None:
    hashes, growing = tree(300), CompactRange()
    for size, leaf in enumerate(hashes, 1):
        growing.append(leaf)
        assert growing.root() == defined_root(hashes[:size]) == root_of(hashes[:size])


@given(st.integers(0, 600), st.integers(1, 600))
def test_ranges_split_into_what_they_cover(begin_power: int, length: int) -> None:
    begin = begin_power * 1024  # a proof's range begins at a multiple of a power of two that is no smaller than it
    nodes = perfect_nodes(begin, begin + length)
    covered = [leaf for height, index in nodes for leaf in range(index << height, (index + 1) << height)]
    assert covered == list(range(begin, begin + length))


@given(st.integers(1, 200).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))), st.data())
def test_inclusion(place: tuple[int, int], data: st.DataObject) -> None:
    index, size = place
    hashes = tree(size)
    root, made = defined_root(hashes), proof(inclusion_ranges(index, size), hashes)
    assert check_inclusion(hashes[index], index, size, made, root)
    assert not check_inclusion(leaf_hash(b"another"), index, size, made, root)
    assert not check_inclusion(hashes[index], index, size, [*made, root], root)
    assert not check_inclusion(hashes[index], size, size, made, root)
    if made:
        changed = data.draw(st.integers(0, len(made) - 1))
        assert not check_inclusion(hashes[index], index, size, [*made[:changed], bytes(32), *made[changed + 1 :]], root)
        assert not check_inclusion(hashes[index], index, size, made[:-1], root)
        elsewhere = data.draw(st.integers(0, size - 1).filter(lambda other: other != index))
        assert not check_inclusion(hashes[index], elsewhere, size, made, root)


@given(st.integers(1, 200).flatmap(lambda new: st.tuples(st.integers(1, new), st.just(new))), st.data())
def test_consistency(sizes: tuple[int, int], data: st.DataObject) -> None:
    old, new = sizes
    hashes = tree(new)
    old_root, new_root = defined_root(hashes[:old]), defined_root(hashes)
    made = proof(consistency_ranges(old, new), hashes)
    assert check_consistency(old, old_root, new, new_root, made)
    assert not check_consistency(old, bytes(32), new, new_root, made)
    assert not check_consistency(old, old_root, new, bytes(32), made)
    assert not check_consistency(old, old_root, new, new_root, [*made, new_root])
    if made:
        changed = data.draw(st.integers(0, len(made) - 1))
        assert not check_consistency(old, old_root, new, new_root, [*made[:changed], bytes(32), *made[changed + 1 :]])
        assert not check_consistency(old, old_root, new, new_root, made[1:])


def test_every_log_continues_the_empty_one() -> None:
    assert check_consistency(0, EMPTY_ROOT, 3, defined_root(tree(3)), [])
    assert not check_consistency(0, bytes(32), 3, defined_root(tree(3)), [])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_no_proof_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_ranges(index, size)
