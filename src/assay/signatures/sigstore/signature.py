"""The signature of a Sigstore bundle: by a managed key, by an identity that a trusted root proves,
or by one that an authority of the user's own certified. The proofs themselves are checked in
`assay.sigstore`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from assay.crypto.algorithms import digest_of
from assay.crypto.check import Check, confirms
from assay.crypto.public_key import KEY_SCHEME, PublicKey
from assay.model.anchor import Algorithm, Signer
from assay.model.codes import sigstore as codes
from assay.model.codes import trust as trust_codes
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest, Request
from assay.model.signature import (
    Key,
    Signature,
    SignatureOutcome,
    Status,
)
from assay.signatures import plain_keys
from assay.signatures.sigstore.algorithms import algorithms_for
from assay.signatures.trial import Trial
from assay.sigstore.bundle import Bundle, Envelope
from assay.sigstore.trusted_root import TRUSTED_ROOT_SCHEME, WITNESS_SCHEME
from assay.x509.key_schemes import AUTHORITY

SCHEME = "sigstore"
_WHAT = "Sigstore bundle"
LOGGED = "logged"
"""The name in `Key.demands` that makes a signature by a key count only if a log has it."""

_DIGESTS = ("sha256", "sha384", "sha512")


class SigstoreSignature:
    """The signature of one bundle."""

    def __init__(self, bundle: Bundle, signature: Signature) -> None:
        self._bundle = bundle
        self.signature = signature
        self._leaf: Any = None
        self._confirmed: dict[tuple[Check, Any], bool] = {}
        """Whether the key of a check made the signature, over what was measured for it."""
        if bundle.certificates:
            from assay.sigstore.verification import signer_of

            self._leaf = signer_of(bundle)

    @property
    def _hint(self) -> str:
        content = self._bundle.content
        return "" if isinstance(content, Envelope) else content.algorithm

    def _checks(self, key: PublicKey) -> list[Check]:
        return [Check(key, algorithm) for algorithm in algorithms_for(key, self._hint)]

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        if isinstance(self._bundle.content, Envelope):
            return ()  # the bundle holds the signed bytes itself
        if self._leaf is not None:
            tried = [self._leaf.key] if _roots(keys) or _authorities(keys) else []
        else:
            tried = [key.material for key in keys if key.scheme == KEY_SCHEME]
        wanted: list[Request] = [check.request for key in tried for check in self._checks(key)]
        if wanted:
            # the log entry names the document by a digest of its own choice
            wanted += [HashRequest(algorithm) for algorithm in _DIGESTS]
        return tuple(dict.fromkeys(wanted))

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        trial = Trial(self.signature, _WHAT, keys)
        if self._leaf is not None:
            return self._by_identity(trial, answers, keys, at)
        return self._by_key(trial, answers, keys)

    def _is_right(self, key: PublicKey, answers: Mapping[Request, Any]) -> bool | None:
        """Whether the key made the signature; None when the document was not measured for it."""
        if not isinstance(self._bundle.content, Envelope) and not any(
            check.request in answers for check in self._checks(key)
        ):
            return None
        return self._digest_signed(key, answers) is not None

    def _digest_signed(self, key: PublicKey, answers: Mapping[Request, Any]) -> str | None:
        """What the key's signature is over, empty where its algorithm takes a digest of its own;
        None when the key did not make it."""
        content = self._bundle.content
        for check in self._checks(key):
            # of an envelope all bytes are in the bundle, whatever was measured
            answer = b"" if isinstance(content, Envelope) else answers.get(check.request)
            if answer is None:
                continue
            known = (check, answer)
            if known not in self._confirmed:
                self._confirmed[known] = (
                    confirms(key, check.algorithm, content.signature, content.signed)
                    if isinstance(content, Envelope)
                    else check.confirms(content.signature, answer)
                )
            if self._confirmed[known]:
                return digest_of(check.algorithm)
        return None

    def _digests(self, answers: Mapping[Request, Any]) -> Any:
        return lambda algorithm: answers.get(HashRequest(algorithm))

    def _hint_fault(self, answers: Mapping[Request, Any]) -> Finding | None:
        """The digest in the bundle decides nothing, but one that is wrong shows a mix-up."""
        content = self._bundle.content
        if isinstance(content, Envelope) or not content.algorithm:
            return None
        actual = answers.get(HashRequest(content.algorithm))
        if actual is None or actual == content.untrusted_digest:
            return None
        return Finding.of(
            trust_codes.SIGNATURE_INVALID,
            self.signature.document,
            f"{self.signature.id}: the bundle says it is about other bytes",
            expected=f"{content.algorithm}:{content.untrusted_digest.hex()}",
            actual=f"{content.algorithm}:{actual.hex()}",
            cause="the signature of another version or file",
        )

    def _invalid(self, what: str) -> Finding:
        return Finding.of(
            trust_codes.SIGNATURE_INVALID,
            self.signature.document,
            f"{self.signature.id}: the signature by {what} does not match",
            cause="the bytes were changed after signing, or it is the signature of other bytes",
        )

    def _unchecked(self) -> Finding:
        return Finding.of(trust_codes.SIGNATURE_UNCHECKED, self.signature.document)

    # managed keys

    def _by_key(
        self, trial: Trial, answers: Mapping[Request, Any], keys: Sequence[Key]
    ) -> SignatureOutcome:
        mine = [key for key in keys if key.scheme == KEY_SCHEME]
        for key in mine:
            right = self._is_right(key.material, answers)
            if right is None:
                trial.fail(
                    key, Status.UNCHECKED, "what it signs was not measured", self._unchecked()
                )
            elif not right:
                self._does_not_match(trial, key, answers)
            elif fault := self._hint_fault(answers):
                trial.fail(key, Status.INVALID, fault.detail, fault)
            else:
                self._logged_by_key(trial, key, answers, keys)
        hint = _shown_hint(self._bundle.key_hint)
        made = "made by a key" if not mine else "made by none of the keys given"
        return trial.outcome(
            Finding.of(
                trust_codes.WRONG_KEY,
                self.signature.document,
                f"{self.signature.id}: {made}",
                expected=", ".join(key.key_id for key in mine) or "the public key of its maker",
                actual=f"a key known as {hint}" if hint else "another key",
            )
        )

    def _does_not_match(self, trial: Trial, key: Key, answers: Mapping[Request, Any]) -> None:
        """Tell another key's signature, which says nothing, from a broken one by this key."""
        fault = self._hint_fault(answers)
        if fault is None and self._bundle.key_hint == _hint_for(key.material):
            fault = self._invalid(key.key_id)
        if fault is not None:
            trial.fail(key, Status.INVALID, fault.detail, fault)
        else:
            trial.miss(key, "it does not match: made by another key, or over other bytes")

    def _logged_by_key(
        self, trial: Trial, key: Key, answers: Mapping[Request, Any], keys: Sequence[Key]
    ) -> None:
        notes: dict[str, str] = {}
        roots = _roots(keys)
        if LOGGED in key.demands and not self._bundle.entries:
            fault = self._placed(Finding.of(codes.LOG_PROOF_MISSING))
            trial.fail(key, Status.INVALID, fault.detail, fault)
            return
        if roots and self._bundle.entries:
            from assay.sigstore.verification import check_logged

            missing: Finding | None = None
            for root in roots:
                try:
                    _, logs = check_logged(
                        self._bundle,
                        key.material,
                        None,
                        root.material,
                        self._digests(answers),
                    )
                except AssayError as error:
                    missing = self._placed(error.finding)
                else:
                    notes["transparency log"] = ", ".join(logs)
                    break
            else:
                assert missing is not None
                trial.fail(key, Status.INVALID, missing.detail, missing)
                return
        extra = plain_keys.notices(key.material, self.signature.document, self.signature.id)
        digest = self._digest_signed(key.material, answers) or ""
        trial.match(key, plain_keys.signer_of(key.material, digest), notes, *extra)

    # identities

    def _by_identity(
        self,
        trial: Trial,
        answers: Mapping[Request, Any],
        keys: Sequence[Key],
        at: datetime,
    ) -> SignatureOutcome:
        roots, authorities = _roots(keys), _authorities(keys)
        judges = [*roots, *authorities]
        if judges:
            right = self._is_right(self._leaf.key, answers)
            fault = self._hint_fault(answers) if right else None
            for judge in judges:
                if right is None:
                    trial.fail(
                        judge, Status.UNCHECKED, "what it signs was not measured", self._unchecked()
                    )
                elif not right:
                    trial.fail(
                        judge,
                        Status.INVALID,
                        "it does not match",
                        self._invalid("the key of its certificate"),
                    )
                elif fault is not None:
                    trial.fail(judge, Status.INVALID, fault.detail, fault)
                elif judge.scheme == TRUSTED_ROOT_SCHEME:
                    self._prove(trial, judge, answers, at)
                else:
                    self._certified(trial, judge, answers, keys, at)
        return trial.outcome(
            Finding.of(codes.TRUSTED_ROOT_MISSING, self.signature.document, self._who())
        )

    def _who(self) -> str:
        return f"{self.signature.id}: signed with the certificate {self._leaf}"

    def _prove(self, trial: Trial, root: Key, answers: Mapping[Request, Any], at: datetime) -> None:
        from assay.sigstore.verification import prove

        try:
            proof = prove(self._bundle, self._leaf, root.material, self._digests(answers), at)
        except AssayError as error:
            fault = self._placed(error.finding)
            trial.fail(root, _status(fault), fault.detail, fault)
            return
        moment = min(proof.times, key=lambda proven: proven.time)
        identity = proof.names[0] if proof.names else str(self._leaf)
        trial.match(
            root,
            Signer(
                identity,
                # One person's short-lived keys are one signer: the name counts, and who says so.
                f"{proof.issuer} {identity}",
                moment.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
                moment.source,
                algorithm=self._leaf_algorithm(answers),
            ),
            {"issuer": proof.issuer, "transparency log": ", ".join(proof.logged)},
            names=proof.names,
            issuer=proof.issuer,
            claims=proof.claims,
        )

    def _leaf_algorithm(self, answers: Mapping[Request, Any]) -> Algorithm:
        algorithm: Algorithm = self._leaf.key.algorithm(
            self._digest_signed(self._leaf.key, answers) or ""
        )
        return algorithm

    def _certified(
        self,
        trial: Trial,
        authority: Key,
        answers: Mapping[Request, Any],
        keys: Sequence[Key],
        at: datetime,
    ) -> None:
        """By an authority of the user's own, which keeps no logs: a time stamp of a given
        authority, else the effective time, has to lie in the certificate's validity."""
        from assay.cms.given import given_in
        from assay.signatures.sigstore.authority import certify

        given = given_in(keys)
        result = certify(self._bundle, self._leaf, authority, given, at)
        if result.unknown is not None:
            trial.miss(authority, result.unknown.detail)
        elif result.faults:
            placed = [self._placed(fault) for fault in result.faults]
            trial.fail(authority, _status(placed[0]), placed[0].detail, *placed)
        else:
            trial.match(
                authority,
                replace(result.signer, algorithm=self._leaf_algorithm(answers)),
                {"certificate": self._leaf.fingerprint},
                *(self._placed(notice) for notice in result.notices),
                names=result.names,
                issuer=result.issuer,
                claims=result.claims,
            )

    def _placed(self, finding: Finding) -> Finding:
        return replace(
            finding,
            component=self.signature.document,
            detail=f"{self.signature.id}: {finding.detail}",
        )


def _shown_hint(hint: str) -> str:
    """The name of a key, for people: as key ids are shown where it is the digest that they are."""
    try:
        digest = base64.b64decode(hint, validate=True)
    except ValueError:
        digest = b""
    return f"sha256:{digest.hex()}" if len(digest) == 32 else ascii(hint[:80]) if hint else ""


def _hint_for(key: PublicKey) -> str:
    """How cosign names a key in a bundle: the digest of its SubjectPublicKeyInfo."""
    return base64.b64encode(hashlib.sha256(key.spki).digest()).decode()


def _roots(keys: Sequence[Key]) -> list[Key]:
    """The trusted roots, with the witnesses that the user asks for."""
    roots = [key for key in keys if key.scheme == TRUSTED_ROOT_SCHEME]
    policy = next((key.material for key in keys if key.scheme == WITNESS_SCHEME), None)
    if policy is None:
        return roots
    return [replace(key, material=replace(key.material, witnesses=policy)) for key in roots]


def _authorities(keys: Sequence[Key]) -> list[Key]:
    return [key for key in keys if key.scheme == AUTHORITY]


def _status(fault: Finding) -> Status:
    if fault.code in (trust_codes.KEY_EXPIRED.name, trust_codes.KEY_REVOKED.name):
        return Status.NOT_VALID_NOW
    if fault.code in ("revocation-unknown", "revocation-unreachable"):
        return Status.UNCHECKED
    return Status.INVALID
