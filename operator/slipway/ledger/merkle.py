"""RFC 6962 Merkle trees: hashes, inclusion proofs, consistency proofs. Pure; hashes are 32 bytes of SHA-256.

A proof is made of nodes, and a node is named by (height, index): the root of the perfect subtree over the leaves
`[index << height, (index + 1) << height)`. Whoever makes a proof fetches the nodes that `inclusion_nodes` or `consistency_nodes` name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Node = tuple[int, int]
Range = tuple[int, int]


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf that holds `entry`."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over subtrees of one size, in order; the last may be smaller than the others."""
    row = list(hashes)
    if not row:
        return EMPTY_ROOT
    while len(row) > 1:
        paired = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        row = paired if len(row) % 2 == 0 else [*paired, row[-1]]
    return row[0]


class CompactRange:
    """The roots of the perfect subtrees of a tree that grows at its right end: enough for its root, log2(size) hashes."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self._hashes = list(hashes)

    def append(self, leaf: bytes) -> None:
        """Adds a leaf's hash."""
        size = self.size
        while size & 1:
            leaf = node_hash(self._hashes.pop(), leaf)
            size >>= 1
        self._hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        return fold(self._hashes)


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees of falling size, left to right."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def perfect_nodes(begin: int, end: int) -> list[Node]:
    """The perfect subtrees that make up the leaves `[begin, end)`, a range that a proof may have: from big to small."""
    nodes = []
    while begin < end:
        height = (end - begin).bit_length() - 1
        if begin:
            height = min(height, (begin & -begin).bit_length() - 1)
        nodes.append((height, begin >> height))
        begin += 1 << height
    return nodes


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges of leaves whose roots prove that leaf `index` is in the tree of `size`, from the leaf up (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    begin, end = 0, size
    ranges: list[Range] = []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges of leaves whose roots prove that the tree of `old` is a prefix of that of `new` (RFC 6962, 2.1.2)."""
    if not 0 < old <= new:
        raise ValueError(f"no proof from size {old} to {new}")
    begin, end, whole = 0, new, True
    ranges: list[Range] = []
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin, whole = middle, False
    if not whole:
        ranges.append((begin, end))
    return ranges[::-1]


def range_root(span: Range, node: Callable[[Node], bytes]) -> bytes:
    """The root over a range of leaves, from its perfect subtrees."""
    return fold([node(part) for part in perfect_nodes(*span)])


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that the leaf with this hash is number `index` in the tree of `size` and `root`."""
    if not 0 <= index < size:
        return False
    position, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            found = node_hash(sibling, found)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and found == root


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `old` is a prefix of the tree of `new`."""
    if old in (0, new):
        return not proof and (old_root == new_root if old == new else old_root == EMPTY_ROOT)
    if old > new or not proof:
        return False
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    found_old = found_new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            found_old, found_new = node_hash(sibling, found_old), node_hash(sibling, found_new)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            found_new = node_hash(found_new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and found_old == old_root and found_new == new_root


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
