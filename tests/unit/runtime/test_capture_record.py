"""The record format: what is packed comes back; torn and broken files give their whole records and nothing else."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway_runtime.capture.record import MAX_CALLER, MAX_ERROR, Header, Record, frames, pack, read_header, unpack

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
bodies = st.one_of(st.none(), st.tuples(st.binary(max_size=80), st.binary(max_size=80)))


@st.composite
def records(draw: st.DrawFn) -> Record:
    request, answer = draw(bodies) or (None, None)
    return Record(
        draw(texts),
        draw(st.integers(0, 2**53)),
        draw(st.integers(0, 1)),
        draw(texts),
        draw(st.integers(100, 599)),
        draw(texts),
        draw(st.floats(0, 1e9)),
        draw(st.integers(1, 2**31 - 1)),
        draw(st.booleans()),
        request,
        draw(st.integers(-1, 100)),
        answer,
        draw(st.integers(-1, 100)),
    )


def packed(found: list[Record]) -> list[bytes]:
    return [b"".join(pack(record)) for record in found]


@settings(deadline=None)
@given(st.lists(records(), max_size=5))
def test_what_is_packed_comes_back(found: list[Record]) -> None:
    assert [unpack(payload) for payload in frames(BytesIO(b"".join(packed(found))))] == found


@settings(deadline=None)
@given(st.lists(records(), min_size=1, max_size=4), st.data())
def test_a_torn_tail_costs_only_the_last_record(found: list[Record], data: st.DataObject) -> None:
    pieces = packed(found)
    cut = data.draw(st.integers(0, len(pieces[-1]) - 1))
    file = BytesIO(b"".join(pieces[:-1]) + pieces[-1][:cut])
    assert [unpack(payload) for payload in frames(file)] == found[:-1]
    assert file.tell() == sum(map(len, pieces[:-1]))


@settings(deadline=None)
@given(st.lists(records(), min_size=1, max_size=4), st.data())
def test_a_broken_byte_is_found(found: list[Record], data: st.DataObject) -> None:
    content = bytearray(b"".join(packed(found)))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    read = [unpack(payload) for payload in frames(BytesIO(bytes(content)))]
    assert read == found[: len(read)]
    assert len(read) < len(found)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_no_record(content: bytes) -> None:
    for payload in frames(BytesIO(content)):
        assert payload == b""  # eight zero bytes are a whole frame of nothing
    with pytest.raises(ValueError):
        read_header(BytesIO(content))


@settings(deadline=None)
@given(st.binary(max_size=120))
def test_a_payload_that_is_no_record_is_a_value_error(payload: bytes) -> None:
    try:
        unpack(payload)
    except ValueError:
        return


def test_headers_and_long_texts() -> None:
    header = Header("w", 3, 17, ["größe", "b"], None)
    assert read_header(BytesIO(header.pack())) == header
    (payload,) = frames(BytesIO(b"".join(pack(Record("i", 0, 0, "ä" * 500, 500, "\ud800" + "x" * 5000)))))
    record = unpack(payload)
    assert record.caller == "ä" * (MAX_CALLER // 2)
    assert record.error == "?" + "x" * (MAX_ERROR - 1)
