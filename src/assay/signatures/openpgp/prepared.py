"""One signature over a document, tried with the certificates that the user gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from assay.model.anchor import Signer
from assay.model.codes import openpgp as own_codes
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Code, Finding, Severity
from assay.model.measurement import HashRequest, Request
from assay.model.signature import Key, Signature, SignatureOutcome, Status
from assay.signatures.openpgp import SCHEME
from assay.signatures.openpgp.bindings import confirms_signed
from assay.signatures.openpgp.certificate import Certificate
from assay.signatures.openpgp.keys import KeyPacket
from assay.signatures.openpgp.signature import BINARY, TEXT, SignaturePacket
from assay.signatures.openpgp.validity import (
    Problem,
    moment,
    names_of,
    problem_with_key,
    valid_user_ids,
)
from assay.signatures.trial import Trial, printable


class OpenPgpSignature:
    """A signature over a document. ``among_others`` is set for one of several in a file: they are
    alternatives, so that what keeps one of them from counting is a warning, not an error; but a
    signature that does not match is one always."""

    def __init__(
        self,
        packet: SignaturePacket,
        signature: Signature,
        *,
        among_others: bool = False,
        text: bool = False,
    ) -> None:
        """``text`` is set where the form of the document makes line ends of no account."""
        self._packet = packet
        self._among_others = among_others
        self.signature = signature
        self._request = HashRequest(
            packet.hash.name,
            packet.salt,
            packet.trailer,
            text=text or packet.type == TEXT,
        )

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        if self._flaw() is not None or not any(self._named(key.material) for key in _mine(keys)):
            return ()
        return (self._request,)

    def _named(self, certificate: Certificate) -> list[KeyPacket]:
        """The keys of a certificate that can have made the signature."""
        return [key for key in certificate.all_keys() if key.is_named_by(self._packet)]

    def _flaw(self) -> Problem | None:
        """What keeps the signature from counting, whoever made it."""
        packet = self._packet
        if packet.type not in (BINARY, TEXT):
            return Problem(
                own_codes.SIGNATURE_NOT_OF_A_FILE,
                f"the signature is one {packet.type_name}",
                "a signature of a document",
                f"type 0x{packet.type:02x}",
                Status.INVALID,
            )
        if packet.hash.broken:
            name = packet.hash.name.upper()
            return Problem(
                codes.WEAK_SIGNATURE,
                f"the signature is over {name}, for which other bytes with the same digest can be"
                " made",
                "SHA-2 or SHA-3",
                name,
                Status.INVALID,
            )
        if unknown := packet.subpackets.critical_unknown:
            shown = ", ".join(unknown[:3])
            return Problem(
                own_codes.CRITICAL_UNKNOWN,
                f"the signature counts only for who understands its {shown}",
                "nothing critical that is unknown",
                shown,
                Status.INVALID,
            )
        return None

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        trial = Trial(self.signature, "OpenPGP signature", keys)
        mine = _merged(_mine(keys))
        digest: bytes | None = answers.get(self._request)
        by_anchor: dict[str, list[Key]] = {}
        for key in mine:
            by_anchor.setdefault(key.anchor, []).append(key)
        for group in by_anchor.values():
            candidates = [key for key in group if self._is_for(key.material)]
            for key in candidates:
                self._try(trial, key, mine, digest, int(at.timestamp()))
            if not candidates:
                count = f"{len(group)} OpenPGP certificates"
                shown = group[0] if len(group) == 1 else replace(group[0], key_id=count)
                trial.miss(shown, f"the signature names key {self._issuer}")
        return trial.outcome(self._unknown(mine))

    def _is_for(self, certificate: Certificate) -> bool:
        if certificate.refusal is not None:
            name = certificate.id
            return bool(name) and any(
                hint in (name, name[:8], name[-8:]) for hint in self._packet.hints
            )
        return bool(self._named(certificate))

    @property
    def _issuer(self) -> str:
        return " or ".join(hint.hex().upper() for hint in self._packet.hints) or "none"

    def _unknown(self, mine: Sequence[Key]) -> Finding:
        known = [key.key_id for key in mine]
        more = f" and {len(known) - 3} more" if len(known) > 3 else ""
        return Finding.of(
            codes.WRONG_KEY,
            self.signature.document,
            f"{self.signature.id}: made by OpenPGP key {self._issuer} on"
            f" {moment(self._packet.created)}",
            expected=", ".join(known[:3]) + more or "an OpenPGP key",
            actual=self._issuer,
        )

    def _try(
        self, trial: Trial, key: Key, mine: Sequence[Key], digest: bytes | None, at: int
    ) -> None:
        """Try the keys of one certificate."""
        certificate: Certificate = key.material
        if certificate.refusal is not None:
            self._fail(trial, key, _from_finding(certificate.refusal.finding))
            return
        worst: Problem | None = None
        for candidate in self._named(certificate):
            try:
                problem = self._problem(certificate, candidate, mine, digest, at)
            except AssayError as error:
                problem = _from_finding(error.finding)
            if problem is None:
                self._match(trial, key, candidate, at)
                return
            if worst is None or worst.code is codes.SIGNATURE_INVALID:
                worst = problem
        assert worst is not None
        self._fail(trial, key, worst)

    def _problem(
        self,
        certificate: Certificate,
        candidate: KeyPacket,
        mine: Sequence[Key],
        digest: bytes | None,
        at: int,
    ) -> Problem | None:
        packet = self._packet
        if flaw := self._flaw():
            return flaw
        if digest is None:
            reason = "what it signs could not be measured"
            return Problem(codes.SIGNATURE_UNCHECKED, reason, status=Status.UNCHECKED)
        if packet.hash.size < candidate.least_digest:
            return Problem(
                codes.WEAK_SIGNATURE,
                f"the signature is over {packet.hash.name.upper()}, too short for such a key",
                f"a digest of {candidate.least_digest} bytes or more",
                f"{packet.hash.size} bytes",
                Status.INVALID,
            )
        if not candidate.confirms(packet, digest):
            return Problem(
                codes.SIGNATURE_INVALID, "the signature does not match", status=Status.INVALID
            )
        if packet.created > at:
            return Problem(
                codes.SIGNATURE_IN_FUTURE,
                f"the signature is of {moment(packet.created)}",
                f"made before {moment(at)}",
                moment(packet.created),
            )
        if packet.expires is not None and packet.expires <= at:
            return Problem(
                codes.SIGNATURE_EXPIRED,
                f"the signature expired on {moment(packet.expires)}",
                f"valid on {moment(at)}",
                f"valid until {moment(packet.expires)}",
            )
        others = _Revokers(certificate, mine)
        problem = problem_with_key(
            certificate.bindings, candidate, packet.created, at, others.revocations_of
        )
        return problem or others.unchecked

    def _fail(self, trial: Trial, key: Key, problem: Problem) -> None:
        code = problem.code
        severity: Severity | None = None
        if self._among_others and code is not codes.SIGNATURE_INVALID:
            severity = Severity.WARNING
        finding = Finding.of(
            code,
            self.signature.document,
            f"{self.signature.id}: {problem.reason} (OpenPGP key {key.key_id})",
            expected=problem.expected,
            actual=problem.actual,
            cause="the bytes were changed after signing" if code is codes.SIGNATURE_INVALID else "",
            severity=severity,
        )
        trial.fail(key, problem.status, problem.reason, finding)

    def _match(self, trial: Trial, key: Key, made_by: KeyPacket, at: int) -> None:
        certificate: Certificate = key.material
        bindings, primary = certificate.bindings, certificate.bindings.primary
        named = valid_user_ids(bindings, at)
        shown = printable(named[0][0].text, 200) if named else f"OpenPGP key {key.key_id}"
        signed_at = moment(self._packet.created)
        notes = {"key": key.key_id, "signed": f"{signed_at}, by the signer's clock"}
        if made_by is not primary:
            notes["key"] = f"{made_by.shown}, a subkey of {key.key_id}"
        notices = []
        public = made_by.public
        if public.short:
            notices.append(
                Finding.of(
                    codes.KEY_SHORT,
                    self.signature.document,
                    f"{self.signature.id}: made by an {public.name} key",
                    actual=f"{public.size} bits",
                )
            )
        if revokers := bindings.revokers:
            notices.append(
                Finding.of(
                    own_codes.DESIGNATED_REVOKER,
                    self.signature.document,
                    f"OpenPGP key {key.key_id} may be revoked by"
                    f" {', '.join(sorted(name.hex().upper() for name in revokers))}",
                )
            )
        # subkeys of one certificate are one signer: its primary key stands for them
        signer = Signer(
            shown,
            primary.public.fingerprint,
            signed_at,
            "signer",
            self_named=True,
            algorithm=public.algorithm(self._packet.hash.name),
        )
        trial.match(key, signer, notes, *notices, names=names_of(bindings, at))


class _Revokers:
    """Revocations of a certificate by the keys that it names for that."""

    def __init__(self, certificate: Certificate, given: Sequence[Key]) -> None:
        self._bindings = certificate.bindings
        self._named = self._bindings.revokers
        self._given = {
            key.material.id: key.material.primary
            for key in given
            if key.material.primary is not None and key.material.id in self._named
        }

    def revocations_of(self, subkey: KeyPacket | None) -> list[SignaturePacket]:
        """Those of the certificate (None) or of a subkey that are right."""
        return [
            foreign.signature
            for foreign in self._bindings.foreign_revocations
            if foreign.subkey is subkey
            and any(
                revoker.is_named_by(foreign.signature) and _right(revoker, foreign)
                for revoker in self._given.values()
            )
        ]

    @property
    def unchecked(self) -> Problem | None:
        """A revocation that claims to be by a designated revoker whose key was not given."""
        for foreign in self._bindings.foreign_revocations:
            for name in self._named - self._given.keys():
                hints = foreign.signature.hints
                if not hints or name in hints or name[-8:] in hints:
                    return Problem(
                        own_codes.REVOCATION_UNCHECKED,
                        f"there is a revocation by the designated revoker {name.hex().upper()}",
                        "the key of the revoker",
                        "not given",
                        Status.UNCHECKED,
                    )
        return None


def _right(revoker: KeyPacket, foreign: Any) -> bool:
    try:
        return confirms_signed(revoker, foreign.signature, foreign.signed)
    except AssayError:
        return True  # a revoker's key that cannot be used: fail closed


class UnusableSignature:
    """A packet among several that is no signature which Assay can check; the others count."""

    def __init__(self, finding: Finding, signature: Signature) -> None:
        self._finding = replace(finding, severity=Severity.WARNING)
        self.signature = signature

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        return ()

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        return SignatureOutcome(self.signature, Status.UNCHECKED, findings=(self._finding,))


def _mine(keys: Sequence[Key]) -> list[Key]:
    return [key for key in keys if key.scheme == SCHEME]


def _merged(keys: Iterable[Key]) -> list[Key]:
    """The same keys, where the copies of one certificate, whichever file they are from, say all
    that any of them says."""
    keys = list(keys)
    whole: dict[bytes, Certificate] = {}
    for key in keys:
        known = whole.get(key.material.id)
        if known is None:
            whole[key.material.id] = key.material
        elif known is not key.material:
            whole[key.material.id] = known.merged_with(key.material)
    return [replace(key, material=whole[key.material.id]) for key in keys]


def _from_finding(finding: Finding) -> Problem:
    """A key that is of no use, as `KeyPacket.public` says it."""
    by_name = {
        code.name: code
        for code in (codes.WEAK_SIGNATURE, codes.KEY_NOT_PERMITTED, codes.SIGNATURE_UNSUPPORTED)
    }
    code: Code = by_name.get(finding.code, codes.KEY_MALFORMED)
    unsupported = code is codes.SIGNATURE_UNSUPPORTED
    return Problem(
        code,
        finding.detail,
        finding.expected,
        finding.actual,
        Status.UNCHECKED if unsupported else Status.INVALID,
    )
