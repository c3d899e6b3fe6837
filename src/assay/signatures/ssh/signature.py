"""One SSH signature over a document, and what each key says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from assay.model.anchor import Signer
from assay.model.codes import trust as codes
from assay.model.finding import Finding
from assay.model.identity import IDENTITY_SCHEME
from assay.model.measurement import HashRequest, Request
from assay.model.signature import (
    Key,
    Signature,
    SignatureOutcome,
)
from assay.signatures.ssh import sshsig
from assay.signatures.ssh.allowed_signers import Entry
from assay.signatures.ssh.keys import USER_PRESENT, digest_signed, made
from assay.signatures.ssh.rules import names_of, problem_with
from assay.signatures.ssh.scheme import SCHEME
from assay.signatures.trial import Trial, printable


class SshSignature:
    """One SSH signature over a document."""

    def __init__(self, parsed: sshsig.Parsed, signature: Signature) -> None:
        self._parsed = parsed
        self.signature = signature
        self._request = HashRequest(parsed.untrusted_digest)

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        return (self._request,) if any(self._is_for(key) for key in keys) else ()

    def _is_for(self, key: Key) -> bool:
        """Whether a key can be the one that made the signature, or certified who did."""
        if key.scheme != SCHEME:
            return False
        entry, certificate = key.material, self._parsed.certificate
        assert isinstance(entry, Entry)
        if certificate is None:
            return not entry.authority and entry.blob == self._parsed.key.blob
        return entry.authority and entry.blob == certificate.authority.blob

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        trial = Trial(self.signature, "SSH signature", keys)
        by_anchor: dict[str, list[Key]] = {}
        for key in keys:
            if key.scheme == SCHEME:
                by_anchor.setdefault(key.anchor, []).append(key)
        right = self._is_right(answers.get(self._request))
        for mine in by_anchor.values():
            self._try_anchor(trial, mine, right, keys, at)
        known = [key.key_id for group in by_anchor.values() for key in group]
        shown = ", ".join(known[:3]) + (f" and {len(known) - 3} more" if len(known) > 3 else "")
        made_by = self._parsed.key.fingerprint
        return trial.outcome(
            Finding.of(
                codes.WRONG_KEY,
                self.signature.document,
                f"{self.signature.id}: made by SSH key {made_by}{self._certified_by()}",
                expected=shown or "an SSH key",
                actual=made_by,
            )
        )

    def _certified_by(self) -> str:
        certificate = self._parsed.certificate
        if certificate is None:
            return ""
        return (
            f", certified as {printable(certificate.key_id, 100)!r}"
            f" by {certificate.authority.fingerprint}"
        )

    def _is_right(self, digest: bytes | None) -> bool | None:
        """Whether the signature matches; None when the document could not be measured."""
        if digest is None:
            return None
        parsed = self._parsed
        return made(parsed.key, parsed.signature, parsed.signed_bytes(digest))

    def _try_anchor(
        self,
        trial: Trial,
        mine: Sequence[Key],
        right: bool | None,
        keys: Sequence[Key],
        at: datetime,
    ) -> None:
        """Try all keys of one anchor: several lines of a list may be about the same key."""
        candidates = [key for key in mine if self._is_for(key)]
        if not candidates:
            shown = mine[0] if len(mine) == 1 else replace(mine[0], key_id=f"{len(mine)} SSH keys")
            trial.miss(shown, f"the signature is by {self._parsed.key.fingerprint}")
            return
        good: list[Key] = []
        for key in candidates:
            problem = problem_with(self._parsed, key, right, keys, at)
            if problem is None:
                good.append(key)
                continue
            detail = f"{self.signature.id}: {problem.reason} (SSH key {key.key_id})"
            finding = Finding.of(
                problem.code,
                self.signature.document,
                detail,
                expected=problem.expected,
                actual=problem.actual,
                cause="the bytes were changed after signing" if right is False else "",
            )
            trial.fail(key, problem.status, problem.reason, finding)
        if good:
            self._match(trial, good, keys)

    def _match(self, trial: Trial, good: Sequence[Key], keys: Sequence[Key]) -> None:
        parsed = self._parsed
        asked = [key.material.name.literal for key in keys if key.scheme == IDENTITY_SCHEME]
        names = dict.fromkeys(
            name for key in good for name in names_of(self._parsed, key.material, asked)
        )
        patterns = dict.fromkeys(key.material.principals for key in good if key.material.principals)
        identity = ", ".join(names) or ", ".join(patterns) or f"SSH key {parsed.key.fingerprint}"
        notes = {"namespace": printable(parsed.namespace)}
        issuer = ""
        if parsed.certificate is not None:
            issuer = parsed.certificate.authority.fingerprint
            notes["certificate"] = (
                f"{printable(parsed.certificate.key_id, 200)}, serial number"
                f" {parsed.certificate.serial}, by {issuer}"
            )
        if parsed.key.application is not None:
            touched = parsed.signature.untrusted_flags & USER_PRESENT
            notes["security key"] = (
                f"{'touched' if touched else 'not touched'}, signature number"
                f" {parsed.signature.untrusted_counter}"
            )
        notices = []
        if parsed.key.key.short:
            notices.append(
                Finding.of(
                    codes.KEY_SHORT,
                    self.signature.document,
                    f"{self.signature.id}: made by an {parsed.key.key.name} key",
                    actual=f"{parsed.key.key.size} bits",
                )
            )
        signer = Signer(
            printable(identity),
            parsed.key.key.fingerprint,
            algorithm=parsed.key.key.algorithm(digest_signed(parsed.key, parsed.signature)),
        )
        trial.match(good[0], signer, notes, *notices, names=tuple(names), issuer=issuer)
