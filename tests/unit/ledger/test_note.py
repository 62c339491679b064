"""Signed notes and checkpoints: the example of the Go package `note`, and all that must be refused."""

from __future__ import annotations

import base64

import pytest

from slipway.ledger.checkpoint import Checkpoint
from slipway.ledger.merkle import EMPTY_ROOT
from slipway.ledger.note import NoteInvalid, Signer, Verifier

SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = f"{TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
SIGNER = Signer("slipway.example/ledger", bytes(range(32)))
ROOT = bytes(range(32))


def test_the_published_example() -> None:
    signer = Signer("PeterNeumann", SEED)
    assert signer.verifier.vkey == VKEY
    assert signer.sign(TEXT) == NOTE.encode()
    assert Verifier.parse(VKEY) == signer.verifier
    assert signer.verifier.open(NOTE.encode()) == TEXT


def test_other_signatures_beside_ours() -> None:
    other = Signer("witness", bytes(32)).sign(TEXT).decode().removeprefix(f"{TEXT}\n")
    cosigned = (NOTE + other).encode()
    assert Verifier.parse(VKEY).open(cosigned) == TEXT
    assert Signer("witness", bytes(32)).verifier.open(cosigned) == TEXT


@pytest.mark.parametrize(
    "note",
    [
        b"",
        TEXT.encode(),
        NOTE.replace("problem", "Problem", 1).encode(),
        NOTE.replace("— PeterNeumann", "— Somebody").encode(),
        NOTE.replace("x08go", "x18go").encode(),
        NOTE.replace("JnAM=", "JnAN=").encode(),
        NOTE.replace("— ", "- ").encode(),
        NOTE.rstrip("\n").encode(),
        NOTE.replace("x08go/", "%%%%").encode(),
        b"\xff" + NOTE.encode(),
    ],
)
def test_what_is_not_signed_is_refused(note: bytes) -> None:
    with pytest.raises(NoteInvalid):
        Verifier.parse(VKEY).open(note)


@pytest.mark.parametrize(
    "vkey", ["", "x", "PeterNeumann+c74f20a3", VKEY.replace("c74f", "c74e"), VKEY.replace("ARpc", "AhpC"), VKEY[:-4], " + + "]
)
def test_bad_keys(vkey: str) -> None:
    with pytest.raises(NoteInvalid):
        Verifier.parse(vkey)


@pytest.mark.parametrize("text", ["", "c2hvcnQ=", "not base64!", base64.b64encode(bytes(33)).decode()])
def test_bad_seeds_are_not_shown(text: str) -> None:
    with pytest.raises(NoteInvalid) as error:
        Signer.parse("log", text)
    assert not text or text not in str(error.value)


def test_a_seed_from_a_file() -> None:
    assert Signer.parse("log", base64.b64encode(bytes(32)).decode() + "\n").verifier == Signer("log", bytes(32)).verifier


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_names_that_no_note_can_have(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a key"):
        Signer(name, bytes(32))


def test_checkpoints() -> None:
    checkpoint = Checkpoint(SIGNER.verifier.name, 12345, ROOT)
    assert checkpoint.text == "slipway.example/ledger\n12345\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert Checkpoint.open(checkpoint.sign(SIGNER), SIGNER.verifier) == checkpoint
    extended = SIGNER.sign(checkpoint.text + "an extension line\n")
    assert Checkpoint.open(extended, SIGNER.verifier) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "slipway.example/ledger\n12345\n",
        "slipway.example/ledger\n012\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "slipway.example/ledger\n-1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "slipway.example/ledger\n²\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "slipway.example/ledger\n1\nAAEC\n",
        "slipway.example/ledger\n1\n!\n",
        "another.example/ledger\n1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    ],
)
def test_notes_that_are_no_checkpoints_of_this_log(text: str) -> None:
    with pytest.raises(NoteInvalid):
        Checkpoint.open(SIGNER.sign(text), SIGNER.verifier)


def test_the_empty_log() -> None:
    checkpoint = Checkpoint(SIGNER.verifier.name, 0, EMPTY_ROOT)
    assert Checkpoint.open(checkpoint.sign(SIGNER), SIGNER.verifier).size == 0
