"""Checks what a transparency log says of a signature: its promise, its proof, its checkpoint.

Sigstore client specification, section 4.4; checkpoints are signed notes (C2SP tlog-checkpoint).
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from assay.crypto.algorithms import Ecdsa, EdDsa, SignatureAlgorithm
from assay.crypto.check import confirms
from assay.crypto.public_key import Family
from assay.model.codes import sigstore as codes
from assay.model.finding import AssayError, Code, Finding
from assay.sigstore.bundle import InclusionProof, LogEntry
from assay.sigstore.trusted_root import Log, TrustedRoot
from assay.transparency import checkpoint, merkle, note
from assay.transparency.note import NoteError
from assay.transparency.policy import WitnessPolicy, shown


def check_entry(entry: LogEntry, root: TrustedRoot) -> datetime | None:
    """See that a log of the trusted root has the entry; the time when it took it in, if it says.

    Nothing follows from this about the entry's content: compare that as well. Raises AssayError
    (log-unknown, log-proof-invalid, log-proof-missing, log-not-witnessed).
    """
    logs = [log for log in root.logs if log.log_id == entry.log_id]
    if not logs:
        raise _error(
            codes.LOG_UNKNOWN,
            f"log {entry.log_id.hex()}",
            ", ".join(log.base_url for log in root.logs) or "no log at all",
        )
    if entry.proof is None and not entry.promise:
        raise _error(codes.LOG_PROOF_MISSING, f"the entry at {entry.log_index}")
    time = None
    if entry.promise:
        time = _moment(entry.integrated_time)
        log = _one_valid(logs, time)
        if not _promised(entry, log):
            raise _error(codes.LOG_PROOF_INVALID, f"the promise by {log.base_url}")
    if entry.proof is not None:
        _check_proof(entry.proof, entry.untrusted_body, logs)
    if root.witnesses is not None:
        _check_witnesses(entry, logs, root.witnesses)
    return time


def _check_witnesses(entry: LogEntry, logs: list[Log], policy: WitnessPolicy) -> None:
    """See that enough witnesses cosigned the checkpoint that the proof leads to. A promise alone
    is nothing that a witness could have seen."""
    if not any(policy.admits(_raw(log)) for log in logs):
        raise _error(codes.LOG_NOT_WITNESSED, f"{logs[0].base_url} is no log of the witness policy")
    if not policy.quorum:
        return
    if entry.proof is None:
        raise _error(codes.LOG_NOT_WITNESSED, "there is no checkpoint", policy.describe())
    present = policy.witnesses_of(note.parse(entry.proof.checkpoint))
    if not policy.is_met_by(present):
        names = ", ".join(sorted(map(shown, present))) or "no witness at all"
        raise AssayError(
            Finding.of(
                codes.LOG_NOT_WITNESSED,
                detail=f"{logs[0].base_url}: its checkpoint is cosigned by {names}",
                expected=policy.describe(),
                actual=names,
            )
        )


def _raw(log: Log) -> bytes:
    """The key of a log as a verifier key holds it."""
    return log.key.spki[-32:] if log.key.family is Family.ED25519 else log.key.spki


def _error(code: Code, detail: str, expected: str = "") -> AssayError:
    return AssayError(Finding.of(code, detail=f"{code.title}: {detail}", expected=expected))


def _moment(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise _error(codes.LOG_PROOF_INVALID, f"{seconds} is not a time") from None


def _one_valid(logs: list[Log], time: datetime) -> Log:
    for log in logs:
        if log.validity.includes(time):
            return log
    raise _error(
        codes.LOG_PROOF_INVALID,
        f"{logs[0].base_url} was not to be believed at {time.isoformat()}",
        str(logs[0].validity),
    )


def _algorithm(log: Log) -> SignatureAlgorithm:
    return EdDsa() if log.key.family is Family.ED25519 else Ecdsa("sha256")


def _promised(entry: LogEntry, log: Log) -> bool:
    """The signed entry timestamp: a signature over the entry in canonical JSON (RFC 8785). Of
    these four members none needs an escape."""
    text = b'{"body":"%s","integratedTime":%d,"logID":"%s","logIndex":%d}' % (
        base64.b64encode(entry.untrusted_body),
        entry.integrated_time,
        entry.log_id.hex().encode(),
        entry.log_index,
    )
    return confirms(log.key, _algorithm(log), entry.promise, text)


def _check_proof(proof: InclusionProof, body: bytes, logs: list[Log]) -> None:
    leaf = merkle.leaf_hash(body)
    if not merkle.verify_inclusion(
        leaf, proof.log_index, proof.tree_size, proof.hashes, proof.root
    ):
        raise _error(
            codes.LOG_PROOF_INVALID,
            f"the hashes do not lead from entry {proof.log_index} to the root of {proof.tree_size}"
            " entries",
            proof.root.hex(),
        )
    try:
        signed = note.parse(proof.checkpoint)
        state = checkpoint.parse(signed.text)
    except NoteError as error:
        raise _error(codes.LOG_PROOF_INVALID, f"the checkpoint: {error}") from error
    if (state.size, state.root) != (proof.tree_size, proof.root):
        raise _error(
            codes.LOG_PROOF_INVALID,
            f"the checkpoint is of {state.size} entries with root {state.root.hex()}",
            f"{proof.tree_size} entries with root {proof.root.hex()}",
        )
    for log in logs:
        if state.origin != log.origin and not state.origin.startswith(f"{log.origin} - "):
            continue
        for line in signed.signatures:
            named = (line.untrusted_name, line.untrusted_key_hash)
            if named == (log.origin, log.checkpoint_key_id) and confirms(
                log.key, _algorithm(log), line.signature, signed.text
            ):
                return
    raise _error(
        codes.LOG_PROOF_INVALID,
        f"the checkpoint of {state.origin[:200]!r} is not signed by the log",
        f"a signature by {logs[0].origin}",
    )
