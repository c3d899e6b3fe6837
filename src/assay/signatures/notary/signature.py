"""One Notary signature, checked against authorities, trust policies and keys."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from assay.cms.given import given_in
from assay.crypto.check import confirms
from assay.crypto.public_key import KEY_SCHEME, PublicKey
from assay.model.anchor import Signer
from assay.model.codes import notary as codes
from assay.model.codes import trust as trust_codes
from assay.model.codes import x509 as x509_codes
from assay.model.codes.cms import ALGORITHM_DISAGREEMENT
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, Severity
from assay.model.measurement import HashRequest, Request
from assay.model.signature import Key, Signature, SignatureOutcome, Status
from assay.printable import printable
from assay.signatures import plain_keys
from assay.signatures.cms.moment import shown
from assay.signatures.notary.envelope import (
    ALGORITHMS,
    X509,
    X509_SIGNING_AUTHORITY,
    Envelope,
    algorithm_of,
)
from assay.signatures.notary.judge import Judgement, judge
from assay.signatures.notary.policy import POLICY_SCHEME, Policy
from assay.signatures.trial import Trial
from assay.x509.certificate import Certificate
from assay.x509.general_names import matchable
from assay.x509.key_schemes import AUTHORITY

SCHEME = "notary"
_NOT_VALID_NOW = {
    trust_codes.KEY_EXPIRED.name,
    trust_codes.KEY_REVOKED.name,
    trust_codes.SIGNATURE_EXPIRED.name,
    x509_codes.CERTIFICATE_NOT_YET_VALID.name,
    codes.TIMESTAMP_REQUIRED.name,
}
_UNCHECKED = {
    trust_codes.SIGNATURE_UNCHECKED.name,
    x509_codes.REVOCATION_UNKNOWN.name,
    x509_codes.REVOCATION_UNREACHABLE.name,
}


class NotarySignature:
    """The signature of one envelope. ``target`` is set where the document is the artifact itself,
    and not the payload that names it."""

    def __init__(
        self,
        envelope: Envelope,
        chain: Sequence[Certificate],
        signature: Signature,
        target: Digest | None = None,
    ) -> None:
        self._envelope, self._chain = envelope, tuple(chain)
        self._target = target
        self.signature = signature

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        """The digest of the artifact, where that is the document."""
        usable = any(key.scheme in (AUTHORITY, POLICY_SCHEME, KEY_SCHEME) for key in keys)
        return (HashRequest(self._target.algorithm),) if self._target and usable else ()

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        """Try every authority, every trust policy and every plain key. Raises nothing."""
        trial = Trial(self.signature, f"Notary signature ({self._envelope.form})", keys)
        own = self._own_faults(answers)
        strangers: list[Finding] = []
        for key in keys:
            if key.scheme in (AUTHORITY, POLICY_SCHEME):
                judgement = judge(self._envelope, self._chain, _policy_of(key), given_in(keys), at)
                if judgement.stranger is not None:
                    strangers.append(self._placed(judgement.stranger))
                    trial.miss(key, judgement.stranger.detail)
                else:
                    self._conclude(trial, key, judgement, own)
            elif key.scheme == KEY_SCHEME:
                self._by_key(trial, key, own, at)
        return trial.outcome(strangers[0] if strangers else self._unknown(keys))

    # the signature itself

    @cached_property
    def _signed(self) -> Finding | None:
        """What is wrong with the signature over the payload, by the key of the certificate."""
        try:
            key = self._chain[0].key
        except AssayError as error:
            return error.finding
        wanted = algorithm_of(key)
        if wanted != self._envelope.algorithm:
            # The key chooses: who could name another algorithm could have the signature checked
            # in a way that its maker never meant.
            return Finding.of(
                ALGORITHM_DISAGREEMENT,
                detail=f"it is by an {key.name} key, and says {self._envelope.algorithm}",
                expected=wanted or f"a key of one of the kinds that may sign, not {key.name}",
                actual=self._envelope.algorithm,
            )
        algorithm = ALGORITHMS[wanted]
        if confirms(key, algorithm, self._envelope.signature, self._envelope.signed):
            return None
        return Finding.of(
            trust_codes.SIGNATURE_INVALID,
            detail=f"the signature by the key of {self._chain[0]} does not match",
            cause="the payload was changed after signing, or the signature is of another one",
        )

    @property
    def _digest(self) -> str:
        return ALGORITHMS[self._envelope.algorithm].digest

    def _own_faults(self, answers: Mapping[Request, Any]) -> list[Finding]:
        """What is wrong with the signature, whoever may have made it."""
        faults = [self._signed] if self._signed is not None else []
        for name in self._envelope.unknown:
            faults.append(
                Finding.of(
                    codes.CRITICAL_HEADER_UNKNOWN,
                    detail=f"the critical header {printable(name, 100)}",
                    actual=printable(name, 100),
                )
            )
        if self._envelope.plugin:
            faults.append(
                Finding.of(
                    codes.CRITICAL_HEADER_UNKNOWN,
                    detail="it asks to be verified by the plug-in"
                    f" {printable(self._envelope.plugin, 100)}",
                    actual=printable(self._envelope.plugin, 100),
                )
            )
        if self._target is not None and not faults:
            faults += self._target_faults(answers)
        return faults

    def _target_faults(self, answers: Mapping[Request, Any]) -> list[Finding]:
        assert self._target is not None
        found = answers.get(HashRequest(self._target.algorithm))
        if found is None:
            return [Finding.of(trust_codes.SIGNATURE_UNCHECKED, severity=Severity.WARNING)]
        if hmac.compare_digest(found, self._target.value):
            return []
        return [
            Finding.of(
                trust_codes.SIGNATURE_INVALID,
                detail="it is about other bytes",
                expected=self._target,
                actual=Digest(self._target.algorithm, found),
                cause="the signature of another version or file",
            )
        ]

    # who made it

    def _conclude(
        self, trial: Trial, key: Key, judgement: Judgement, own: Sequence[Finding]
    ) -> None:
        faults = [self._placed(each) for each in (*own, *judgement.faults)]
        if faults:
            trial.fail(key, _status(faults), faults[0].detail, *faults)
            return
        leaf = judgement.path[0]
        proven = judgement.moment.proven
        time, source = self._stated_time()
        if proven is not None:
            time = proven.time
            source = f"time stamp of {printable(str(proven.path[0]), 200)}"
        names = [name for name in (str(leaf.subject), *matchable(leaf.alternative_names)) if name]
        notices = [*judgement.notices]
        if leaf.key.short:
            notices.append(
                Finding.of(
                    trust_codes.KEY_SHORT,
                    detail=f"made by an {leaf.key.name} key",
                    actual=f"{leaf.key.size} bits",
                )
            )
        trial.match(
            key,
            Signer(
                identity=names[0] if names else str(leaf),
                key=leaf.key.fingerprint,
                signed_at=shown(time) if time is not None else "",
                time_source=source if time is not None else "",
                algorithm=leaf.key.algorithm(self._digest),
            ),
            {
                "certificate": leaf.fingerprint,
                "chain": " < ".join(str(each) for each in judgement.path),
                "signing scheme": self._envelope.scheme,
            },
            *(self._placed(notice) for notice in notices),
            names=names,
            issuer=str(leaf.issuer),
        )

    def _stated_time(self) -> tuple[datetime | None, str]:
        if self._envelope.authentic_time is not None:
            return self._envelope.authentic_time, "signing authority"
        return self._envelope.signing_time, "signer"

    def _by_key(self, trial: Trial, key: Key, own: Sequence[Finding], at: datetime) -> None:
        """A key that is trusted by itself, whatever certificates say of it."""
        public: PublicKey = key.material
        if not _has_key(self._chain[0], public):
            trial.miss(key, f"the signature is by another key, that of {self._chain[0]}")
            return
        faults = list(own)
        expiry = self._envelope.expiry
        if expiry is not None and at > expiry:
            faults.append(
                Finding.of(
                    trust_codes.SIGNATURE_EXPIRED,
                    detail=f"it expired on {shown(expiry)}",
                    actual=f"valid until {shown(expiry)}",
                    cause="expiry",
                )
            )
        placed = [self._placed(each) for each in faults]
        if placed:
            trial.fail(key, _status(placed), placed[0].detail, *placed)
            return
        time, _ = self._stated_time()
        signer = plain_keys.signer_of(public, self._digest)
        if time is not None:
            # the key that is trusted states it itself, as whomever: nobody else proves it
            signer = replace(signer, signed_at=shown(time), time_source="signer")
        notices = plain_keys.notices(public, self.signature.document, self.signature.id)
        trial.match(key, signer, {"signing scheme": self._envelope.scheme}, *notices)

    # what to say

    def _placed(self, finding: Finding) -> Finding:
        """The finding, at the document, saying which signature it is about."""
        return replace(
            finding,
            component=self.signature.document,
            detail=f"{self.signature.id}: {finding.detail}",
            offset=None,
        )

    def _unknown(self, keys: Sequence[Key]) -> Finding:
        """Who signed it, when nothing given has to do with that."""
        usable = [key for key in keys if key.scheme in (AUTHORITY, POLICY_SCHEME, KEY_SCHEME)]
        leaf = self._chain[0]
        return Finding.of(
            trust_codes.WRONG_KEY,
            self.signature.document,
            f"{self.signature.id}: signed by {leaf}, certified by {leaf.issuer}",
            expected=", ".join(key.key_id for key in usable) or "an authority (--ca)",
            actual=str(leaf),
        )


def _policy_of(key: Key) -> Policy:
    """An authority is trusted for signatures of either scheme; that it could state times is not
    said, so its time is the signer's word."""
    if isinstance(key.material, Policy):
        return key.material
    return Policy({X509: key.material, X509_SIGNING_AUTHORITY: key.material}, believe_time=False)


def _has_key(certificate: Certificate, public: PublicKey) -> bool:
    try:
        return certificate.key == public
    except AssayError:
        return False


def _status(faults: Sequence[Finding]) -> Status:
    """What several faults come to: the most certain reason to refuse."""
    names = {fault.code for fault in faults} - _UNCHECKED
    if not names:
        return Status.UNCHECKED
    if names == {trust_codes.WRONG_IDENTITY.name}:
        return Status.UNKNOWN_SIGNER
    return Status.INVALID if names - _NOT_VALID_NOW else Status.NOT_VALID_NOW
