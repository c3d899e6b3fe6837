"""Asks witnesses to cosign the newest checkpoint of a ledger (C2SP tlog-witness).

Each is shown that the log extends what it cosigned before. What a witness answers is judged here:
only lines that its own key verifies are kept, and what a refusal says about this ledger (that it
was rolled back, or forked) becomes a finding.
"""

from __future__ import annotations

from msgspec import Struct

from assay import limits
from assay.ledger.log import Log
from assay.model.codes import ledger as codes
from assay.model.finding import AssayError, Code, Finding, UsageError
from assay.printable import printable
from assay.sources.http.client import (
    HttpClient,
    client_for,
    identity_from,
    read_body,
    refuse_offline,
)
from assay.sources.http.faults import malformed, refused
from assay.sources.http.url import Url, parse_url
from assay.sources.model import OpenOptions
from assay.transparency import note as notes
from assay.transparency.add_checkpoint import TREE_SIZE, AddCheckpoint
from assay.transparency.checkpoint import Checkpoint
from assay.transparency.note import NoteError, VerifierKey
from assay.transparency.policy import WitnessPolicy, shown

_CONFLICTS = 3
"""How often a witness may correct us about what it saw last: another writer may be asking too."""


class Cosigned(Struct):
    """What came of asking: signature lines to keep, who cosigned, and why others did not."""

    lines: bytes
    names: list[str]
    findings: list[Finding]
    met: bool
    quorum: str

    def require(self) -> bytes:
        """The lines, where the quorum is met. Raises AssayError (ledger-not-witnessed, or what a
        witness found out about the ledger) where it is not."""
        serious = [
            found for found in self.findings if found.code != codes.LEDGER_NOT_WITNESSED.name
        ]
        if self.met:
            return self.lines
        if serious:
            raise AssayError(serious[0])
        why = "; ".join(found.detail for found in self.findings)
        raise AssayError(
            Finding.of(
                codes.LEDGER_NOT_WITNESSED,
                detail=f"the entries are in the ledger, and too few have cosigned that: {why}",
                expected=self.quorum,
                actual=", ".join(self.names) or "nobody",
            )
        )


def cosign(log: Log, note: bytes, policy: WitnessPolicy, options: OpenOptions) -> Cosigned:
    """Ask every witness of the policy that has a URL, for the checkpoint ``note``, which is the
    ledger's newest. Raises AssayError when the ledger cannot be read and where no network is to be
    used, UsageError for a URL that is none."""
    if not policy.urls:
        raise UsageError("the witness policy names no witness with a URL, so nobody can be asked")
    state = log.checked(note)
    result = Cosigned(b"", [], [], met=False, quorum=policy.describe())
    refuse_offline(options, "witnesses are asked on the network")
    client = client_for(options)
    for name, address in policy.urls.items():
        url = _submission(address)
        try:
            lines = _Asked(log, policy.witnesses[name], url, client, options).lines(state, note)
        except AssayError as error:
            found = error.finding
            if not found.code.startswith("ledger-"):
                detail = f"{shown(name)}: {found.detail}"
                found = Finding.of(codes.LEDGER_NOT_WITNESSED, detail=detail)
            result.findings.append(found)
            continue
        result.lines += lines
        result.names.append(shown(name))
    whole = notes.parse(note + result.lines)
    result.met = policy.is_met_by(policy.witnesses_of(whole))
    return result


def _submission(address: str) -> Url:
    try:
        return parse_url(address.rstrip("/") + "/add-checkpoint")
    except ValueError as error:
        raise UsageError(f"the witness policy: {printable(address, 200)}: {error}") from error


class _Asked:
    """One witness."""

    def __init__(
        self, log: Log, key: VerifierKey, url: Url, client: HttpClient, options: OpenOptions
    ) -> None:
        self._log = log
        self._key = key
        self._url = url
        self._client = client
        self._identity = identity_from(options)
        self._memory = f"witness {key.key_hash.hex()}"

    def lines(self, state: Checkpoint, note: bytes) -> bytes:
        """The cosignature lines. Raises AssayError."""
        old = min(self._remembered(), state.size)
        for _ in range(_CONFLICTS):
            proof = tuple(self._log.consistency(old, state.size))
            status, body, media_type = self._ask(AddCheckpoint(old, proof, note))
            if status == 200:
                lines = self._verified(note, body)
                self._remember(state.size)
                return lines
            if status != 409 or media_type != TREE_SIZE:
                raise self._refusal(status, body, old)
            seen = self._size_in(body)
            if seen > state.size:
                raise self._finding(
                    codes.LEDGER_ROLLED_BACK,
                    f"cosigned a log of {seen} entries before",
                    expected=f"at least {seen}",
                    actual=state.size,
                )
            if seen == old:
                raise self._finding(
                    codes.LEDGER_FORKED, f"cosigned another log of {seen} entries before"
                )
            old = seen
        raise self._finding(codes.LEDGER_NOT_WITNESSED, "keeps changing what it saw last")

    def _ask(self, question: AddCheckpoint) -> tuple[int, bytes, str]:
        response = self._client.request(
            self._url,
            {"Content-Type": "text/plain; charset=utf-8"},
            method="POST",
            body=question.render(),
            identity=self._identity,
        )
        return response.status, read_body(response, limits.SIGNATURE_SIZE), response.content_type

    def _verified(self, note: bytes, body: bytes) -> bytes:
        """Of the lines in an answer those that the witness's key verifies."""
        try:
            whole = notes.parse(note + body)
        except NoteError as error:
            raise malformed(self._url, f"no signature lines: {error}") from error
        before = len(notes.parse(note).signatures)
        kept = [
            line.render()
            for line in whole.signatures[before:]
            if self._key.names(line) and self._key.verify(whole.text, line.signature) is not None
        ]
        if not kept:
            raise self._finding(
                codes.LEDGER_NOT_WITNESSED, "no signature in its answer is by the key given for it"
            )
        return b"".join(kept)

    def _size_in(self, body: bytes) -> int:
        text = body.removesuffix(b"\n")
        if not text.isdigit() or len(text) > 19:
            raise malformed(self._url, "no tree size in the answer", actual=repr(body[:40]))
        return int(text)

    def _refusal(self, status: int, body: bytes, old: int) -> AssayError:
        said = printable(body[:200].decode("utf-8", "replace").strip())
        if status == 422:
            return self._finding(
                codes.LEDGER_FORKED,
                f"finds that this does not extend what it cosigned ({old}): {said}",
            )
        if status in (400, 403, 404):
            return self._finding(codes.LEDGER_NOT_WITNESSED, f"answers {status}: {said}")
        return refused(status, self._url)

    def _finding(
        self, code: Code, said: str, *, expected: object = "", actual: object = ""
    ) -> AssayError:
        detail = f"the witness {self._key.name} {said}"
        return AssayError(Finding.of(code, detail=detail, expected=expected, actual=actual))

    def _remembered(self) -> int:
        """The size that the witness cosigned last, as far as we know. It corrects us."""
        with self._log.store.read() as transaction:
            value = transaction.get(self._memory) or b""
        return int(value) if value.isdigit() and len(value) < 19 else 0

    def _remember(self, size: int) -> None:
        with self._log.store.write() as transaction:
            transaction.put(self._memory, b"%d" % size)
