"""`kubectl slipway audit verify`, `prove` and `check`: the proof of what `audit` shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slipway.cli.audit.options import Key, SecretFile, Store, given, run
from slipway.cli.errors import CliError
from slipway.cli.options import Context, Format, Kubeconfig
from slipway.cli.output import as_text, note

if TYPE_CHECKING:
    from slipway.ledger.note import Verifier
    from slipway.ledger.prove import Proof
    from slipway.objectstore.s3 import S3Store

Against = Annotated[
    list[Path] | None,
    typer.Option(
        "--against", metavar="FILE", help="A checkpoint, or a proof, kept outside the ledger; repeatable.", exists=True, dir_okay=False
    ),
]


def verify(
    against: Against = None,
    store: Store = None,
    secret_file: SecretFile = None,
    key: Key = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Read the whole ledger again and compare everything with everything, and with checkpoints kept elsewhere."""
    from slipway.ledger.verify import verify as rescan

    notes = [_note(file) for file in against or []]
    report = run(given(store, secret_file, key, context, kubeconfig), lambda place, verifier: rescan(place, verifier, notes))
    if report.wrong:
        raise CliError(f"THE LEDGER IS NOT WHAT WAS WRITTEN: {report.wrong} ({report.size} entries were read)")
    print(f"{report.size} entries, {report.covered} of them under the checkpoint: nothing was altered, left out or put in.")
    print(f"Root {report.root.hex()}")
    if report.against:
        print(f"It continues the outside checkpoint{'s' if len(report.against) > 1 else ''} of {_list(report.against)} entries.")
    else:
        note("Whoever has the key can rewrite the whole ledger: only a checkpoint kept elsewhere shows that. Compare by --against.")


def prove(
    entry: Annotated[str, typer.Argument(metavar="ENTRY-ID", help="As audit -o json names it.")],
    file: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: stdout.")] = None,
    store: Store = None,
    secret_file: SecretFile = None,
    key: Key = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Write the proof that an entry is in the ledger: a file that anybody checks offline."""
    proof = run(given(store, secret_file, key, context, kubeconfig), lambda place, verifier: _prove(place, verifier, entry))
    content = as_text(proof.as_json(), Format.JSON)
    if file is None:
        print(content)
        return
    try:
        file.write_text(content + "\n")
    except OSError as error:
        raise CliError(f"cannot write {file}: {error.strerror}") from error
    note(f"{file}: entry {proof.stored.index}. Check it with kubectl slipway audit check {file} --key VKEY")


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A proof.", exists=True, dir_okay=False)],
    key: Annotated[str, typer.Option("--key", metavar="VKEY", help="The ledger's public key, from a place that you trust.")],
) -> None:
    """Check a proof offline, and print the entry that it proves."""
    from slipway.cli.audit.place import parsed_key
    from slipway.ledger.prove import Proof, ProofInvalid

    verifier = parsed_key(key)
    try:
        proof = Proof.parse(_json(file))
        checkpoint = proof.check(verifier)
    except ProofInvalid as error:
        raise CliError(f"{file} proves nothing: {error}") from error
    try:
        print(json.dumps(proof.stored.as_json(), indent=2))
    except ValueError as error:
        raise CliError(f"{file} proves that number {proof.stored.index} of the log is there, which is no entry: {error}") from error
    note(f"Proved: entry {proof.stored.index} of {checkpoint.size}, signed by {verifier.name}.")


async def _prove(store: S3Store, verifier: Verifier, entry: str) -> Proof:
    from slipway.ledger.prove import NoProof, prove
    from slipway.ledger.reader import Reader

    try:
        return await prove(store, await Reader.load(store, verifier), entry)
    except NoProof as error:
        raise CliError(str(error)) from error


def _note(file: Path) -> bytes:
    """The signed checkpoint in a file: the note itself, or a proof that has it."""
    from slipway.ledger.prove import Proof, ProofInvalid

    content = file.read_bytes()
    if not content.lstrip().startswith(b"{"):
        return content
    try:
        return Proof.parse(_json(file)).note
    except ProofInvalid as error:
        raise CliError(f"--against {file}: {error}") from error


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise CliError(f"{file} is no JSON: {error}") from error


def _list(sizes: tuple[int, ...]) -> str:
    return ", ".join(map(str, sizes))
