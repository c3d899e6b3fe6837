"""CMS and PKCS#7 signatures (RFC 5652) over files, with paths to given authorities.

A signer's certificate counts when a path leads from it to an authority that the user gave, all of
it valid at the effective time, or at the time that a time stamp of a given authority proves. The
signer's own signing time is shown and decides nothing, but for one thing: a signature that says it
was made after the effective time is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from assay import limits
from assay.cms.attributes import read_attributes
from assay.cms.given import Given, given_in
from assay.cms.signed_data import SignedData, SignerInfo
from assay.cms.verify import fault_of, request_for
from assay.crypto.public_key import KEY_SCHEME, Family, PublicKey
from assay.model.anchor import Signer
from assay.model.codes import cms as cms_codes
from assay.model.codes import trust as codes
from assay.model.codes import x509 as x509_codes
from assay.model.finding import AssayError, Finding, Question, Severity
from assay.model.measurement import Request
from assay.model.signature import (
    Key,
    Signature,
    SignatureOutcome,
    Status,
)
from assay.signatures import plain_keys
from assay.signatures.cms.moment import CLOCK_SKEW, Moment, moment_of, shown
from assay.signatures.trial import Trial, printable
from assay.x509.certificate import Certificate
from assay.x509.general_names import matchable
from assay.x509.key_schemes import AUTHORITY, PURPOSE_DEMAND
from assay.x509.path import find_path
from assay.x509.purposes import SIGNING, purposes_of
from assay.x509.requirements import PathResult, Requirements

SCHEME = "cms"
_NOT_VALID_NOW = {
    codes.KEY_EXPIRED.name,
    codes.KEY_REVOKED.name,
    x509_codes.CERTIFICATE_NOT_YET_VALID.name,
}
_UNTOLD = {x509_codes.REVOCATION_UNKNOWN.name, x509_codes.REVOCATION_UNREACHABLE.name}


class CmsSignature:
    """One signer of a CMS signature over a document."""

    what = "CMS signature"
    """What people call such a signature."""

    def __init__(self, signed: SignedData, signer: SignerInfo, signature: Signature) -> None:
        self._signed = signed
        self._signer = signer
        self.signature = signature

    @property
    def signed_data(self) -> SignedData:
        """All that the signature brings along, of which nothing is believed."""
        return self._signed

    # what is needed

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        """The digest of the document; for a signature without signed attributes, what each key
        that may have made it needs."""
        found: dict[Request, None] = {}
        for public in self._possible_keys(keys):
            try:
                found[request_for(self._signed, self._signer, public)] = None
            except AssayError:
                continue
            if self._signer.signed_attributes is not None or len(found) >= limits.CMS_SIGNERS:
                break
        return tuple(found)

    def _possible_keys(self, keys: Sequence[Key]) -> Iterator[PublicKey]:
        for key in keys:
            if key.scheme == KEY_SCHEME:
                yield key.material
            elif key.scheme == AUTHORITY:
                for certificate in self._named(keys, key):
                    try:
                        yield certificate.key
                    except AssayError:
                        continue

    def _named(self, keys: Sequence[Key], authority: Key) -> list[Certificate]:
        """Certificates that the signer may mean, wherever they are from."""
        every = (*self._signed.certificates, *given_in(keys).intermediates, *authority.material)
        return [each for each in dict.fromkeys(every) if self._signer.is_by(each)]

    # the check

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        """Try every authority and every plain key. Raises nothing."""
        trial = Trial(self.signature, self.what, keys)
        given = given_in(keys)
        moment = moment_of(self._signer.timestamps, self._signer.signature, given, at)
        unknown: list[Finding] = []
        for key in keys:
            if key.scheme == AUTHORITY:
                unknown += self._by_authority(trial, key, keys, answers, given, moment, at)
            elif key.scheme == KEY_SCHEME:
                self._by_key(trial, key, answers)
        return trial.outcome(unknown[0] if unknown else self._stranger(keys))

    def _by_authority(
        self,
        trial: Trial,
        key: Key,
        keys: Sequence[Key],
        answers: Mapping[Request, Any],
        given: Given,
        moment: Moment,
        at: datetime,
    ) -> list[Finding]:
        """Try one authority; what to say of it when the signer is not one of its."""
        unknown: list[Finding] = []
        faults: list[Finding] = []
        named = self._named(keys, key)
        for certificate in named:
            result = self._path(certificate, key, given, moment, at)
            if not result.path and result.faults[0].code == x509_codes.UNKNOWN_ISSUER.name:
                unknown.append(self._placed(result.faults[0]))
                continue
            found = [*result.faults, *self._faults(certificate, None, answers, at)]
            if not found:
                self._match(trial, key, result, moment)
                return []
            faults += found
        if not named:
            unknown.append(self._no_certificate())
        if faults:
            placed = [self._placed(fault) for fault in dict.fromkeys(faults)]
            trial.fail(key, status_of(placed), faults[0].detail, *placed)
        else:
            trial.miss(key, unknown[0].detail.removeprefix(f"{self.signature.id}: "))
        return unknown

    def _path(
        self, leaf: Certificate, key: Key, given: Given, moment: Moment, at: datetime
    ) -> PathResult:
        between = (*self._signed.certificates, *given.intermediates)
        result = PathResult()
        for time in moment.times:
            result = find_path(leaf, between, key.material, self._asked(key, given, time, at))
            if not result.path:
                break
        return result

    def _asked(self, key: Key, given: Given, time: datetime, at: datetime) -> Requirements:
        """What a path to an authority has to meet at ``time``, when it is ``at`` now."""
        demand = key.demands.get(PURPOSE_DEMAND, "")
        return Requirements(
            at=time,
            now=at,
            purposes=purposes_of(demand) if demand else SIGNING,
            explicit=bool(demand),
            lists=given.lists,
            asking=given.asking,
        )

    def _faults(
        self,
        certificate: Certificate | None,
        public: PublicKey | None,
        answers: Mapping[Request, Any],
        at: datetime | None,
    ) -> Iterator[Finding]:
        """What is wrong with the signature itself, if the key of the certificate (or ``public``,
        where there is none) is the one that made it."""
        try:
            if public is None:
                assert certificate is not None
                public = certificate.key
            request = request_for(self._signed, self._signer, public)
        except AssayError as error:
            yield error.finding
            return
        if request not in answers:
            yield Finding.of(codes.SIGNATURE_UNCHECKED, severity=Severity.WARNING)
            return
        fault = fault_of(
            self._signed, self._signer, public, answers[request], certificate=certificate
        )
        if fault is not None:
            yield fault
            return
        signing_time = self._signing_time()
        if at is not None and signing_time is not None and signing_time > at + CLOCK_SKEW:
            yield Finding.of(
                codes.SIGNATURE_IN_FUTURE,
                detail=f"the signer says that it was made at {shown(signing_time)}",
                expected=f"made at {shown(at)} or before",
                actual=shown(signing_time),
            )

    def _by_key(self, trial: Trial, key: Key, answers: Mapping[Request, Any]) -> None:
        """Try a key that is trusted by itself, whatever certificates say of it."""
        public: PublicKey = key.material
        named = [each for each in self._signed.certificates if self._signer.is_by(each)]
        mine = [each for each in named if _has_key(each, public)]
        if named and not mine:
            trial.miss(key, f"the signature is by another key, that of {named[0]}")
            return
        certificate = mine[0] if mine else None
        found = [self._placed(each) for each in self._faults(certificate, public, answers, None)]
        if found:
            trial.fail(key, status_of(found), found[0].detail, *found)
            return
        notices = plain_keys.notices(key.material, self.signature.document, self.signature.id)
        signer = plain_keys.signer_of(key.material, self._digest_with(key.material))
        time = self._signing_time()
        if time is not None:
            signer = replace(signer, signed_at=shown(time), time_source="signer")
        trial.match(key, signer, {}, *notices)

    def _digest_with(self, key: PublicKey) -> str:
        """What a signature by this key is over; Ed25519 and ML-DSA take a digest of their own,
        unless it is that of signed attributes."""
        own = key.family in (Family.ED25519, Family.ED448, Family.ML_DSA)
        return "" if own and self._signer.signed_attributes is None else self._signer.digest

    def _match(self, trial: Trial, key: Key, result: PathResult, moment: Moment) -> None:
        leaf = result.path[0]
        time, source = self._signing_time(), "signer"
        if moment.proven is not None:
            time = moment.proven.time
            source = f"time stamp of {printable(str(moment.proven.path[0]), 200)}"
        names = [str(leaf.subject), *matchable(leaf.alternative_names)]
        signer = Signer(
            identity=names[0] or (names[1] if len(names) > 1 else str(leaf)),
            key=leaf.key.fingerprint,
            signed_at=shown(time) if time is not None else "",
            time_source=source if time is not None else "",
            algorithm=leaf.key.algorithm(self._digest_with(leaf.key)),
        )
        notes = {
            "certificate": leaf.fingerprint,
            "chain": " < ".join(str(each) for each in result.path),
        }
        notices = [*moment.notices, *result.notices]
        if leaf.key.short:
            notices.append(
                Finding.of(
                    codes.KEY_SHORT,
                    detail=f"made by an {leaf.key.name} key",
                    actual=f"{leaf.key.size} bits",
                )
            )
        trial.match(
            key,
            signer,
            notes,
            *(self._placed(notice) for notice in notices),
            names=[name for name in names if name],
            issuer=str(leaf.issuer),
        )

    def _signing_time(self) -> datetime | None:
        if self._signer.signed_attributes is None:
            return None
        try:
            return read_attributes(self._signer).signing_time
        except AssayError:
            return None

    # what to say

    def _placed(self, finding: Finding) -> Finding:
        """The finding, at the document, saying which signature it is about."""
        detail = finding.detail
        if not detail.startswith(f"{self.signature.id}: "):
            detail = f"{self.signature.id}: {detail}"
        return replace(finding, component=self.signature.document, detail=detail, offset=None)

    def _no_certificate(self) -> Finding:
        detail = f"{self._signer.certificate_name} is not at hand"
        if self._signed.unreadable:
            detail += f"; {len(self._signed.unreadable)} of the certificates in the signature"
            detail += f" cannot be read ({self._signed.unreadable[0].detail})"
        return self._placed(Finding.of(cms_codes.SIGNER_CERTIFICATE_MISSING, detail=detail))

    def _stranger(self, keys: Sequence[Key]) -> Finding:
        """Who signed it, when nothing given has to do with that."""
        named = [each for each in self._signed.certificates if self._signer.is_by(each)]
        who = str(named[0]) if named else self._signer.certificate_name
        by = f", certified by {named[0].issuer}" if named else ""
        usable = [key for key in keys if key.scheme in (AUTHORITY, KEY_SCHEME)]
        return Finding.of(
            codes.WRONG_KEY,
            self.signature.document,
            f"{self.signature.id}: signed by {who}{by}",
            expected=", ".join(key.key_id for key in usable) or "an authority or a public key",
            actual=who,
        )


def _has_key(certificate: Certificate, public: PublicKey) -> bool:
    try:
        return certificate.key == public
    except AssayError:
        return False


def status_of(faults: Sequence[Finding]) -> Status:
    """What several faults come to: the most certain reason to refuse."""
    bad = [each for each in faults if each.question is not Question.CHECKED]
    bad = [each for each in bad if each.code not in _UNTOLD]
    if any(each.code not in _NOT_VALID_NOW for each in bad):
        return Status.INVALID
    return Status.NOT_VALID_NOW if bad else Status.UNCHECKED
