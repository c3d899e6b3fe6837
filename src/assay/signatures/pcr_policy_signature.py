"""Signatures of the PCR values that a unified kernel image has when it is booted, checked against
what its sections were measured to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from assay.crypto.public_key import KEY_SCHEME, PublicKey
from assay.formats.uki.judge import by_sha1, digest_signed, fingerprint_of, states_of
from assay.formats.uki.measured import Measured
from assay.formats.uki.pcr_signatures import PcrSignature
from assay.model.codes import trust as codes
from assay.model.codes import uki as uki_codes
from assay.model.finding import Finding
from assay.model.measurement import Request, ScanRequest
from assay.model.signature import Key, Signature, SignatureOutcome, Status
from assay.signatures import plain_keys
from assay.signatures.pcr_policy import PCR_KEY
from assay.signatures.trial import Trial


class PcrPolicySignature:
    """What one key signed: any number of states of the boot of one image."""

    def __init__(
        self,
        signature: Signature,
        signatures: tuple[PcrSignature, ...],
        request: ScanRequest,
        parts: tuple[str, ...],
    ) -> None:
        self.signature = signature
        self._signatures = signatures
        self._request = request
        self._parts = parts
        self._counted: frozenset[int] = frozenset()

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        return (self._request,)

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        """See `PreparedSignature.verify`. One of the signatures is enough to vouch for the
        sections whose measurement it is for: a section that older stubs do not measure, or that is
        for other hardware, may be left out of it, and then nobody vouches for that. One that is
        right and for other values is told by the format."""
        self._counted = frozenset()
        trial = Trial(self.signature, "signature of PCR values", keys)
        measured: Measured | None = answers.get(self._request)
        for key in keys:
            if key.scheme in (KEY_SCHEME, PCR_KEY) and isinstance(key.material, PublicKey):
                self._try(trial, key, key.material, measured)
        outcome = trial.outcome(
            Finding.of(
                codes.WRONG_KEY,
                self.signature.document,
                f"{self.signature.id}: signed by the key {self._signatures[0].fingerprint}",
                actual=self._signatures[0].fingerprint,
            )
        )
        if len(self._counted) == len(self._parts):
            return outcome
        vouchers = [
            replace(voucher, component=self._parts[place])
            for voucher in outcome.vouchers
            for place in sorted(self._counted)
        ]
        return replace(outcome, vouchers=tuple(vouchers))

    def _try(self, trial: Trial, key: Key, public: PublicKey, measured: Measured | None) -> None:
        if fingerprint_of(public) != self._signatures[0].fingerprint:
            trial.miss(key, f"the signature is by the key {self._signatures[0].fingerprint}")
            return
        if measured is None:
            trial.fail(key, Status.UNCHECKED, "what it is over could not be read")
            return
        digests = {each: digest_signed(public, each) for each in self._signatures}
        if not all(digest or by_sha1(each) for each, digest in digests.items()):
            trial.fail(key, Status.INVALID, "a signature is not by this key", self._invalid())
            return
        good = [each for each, digest in digests.items() if digest]
        if not good:
            trial.fail(key, Status.INVALID, "made by SHA-1", self._weak())
            return
        states = states_of(good, measured)
        if not states:
            trial.fail(key, Status.INVALID, "for other PCR values", self._other_values())
            return
        policies = ((each.bank, each.policy) for each in good)
        self._counted = frozenset().union(
            *(measured.counted.get(policy, frozenset()) for policy in policies)
        )
        trial.match(
            key,
            plain_keys.signer_of(public, min(digests[each] for each in good)),
            {"pcr-11": states},
            *plain_keys.notices(public, self.signature.document, self.signature.id),
        )

    def _invalid(self) -> Finding:
        return Finding.of(
            codes.SIGNATURE_INVALID,
            self.signature.document,
            f"{self.signature.id}: a signature is not by the key that it names",
        )

    def _weak(self) -> Finding:
        return Finding.of(
            codes.WEAK_SIGNATURE,
            self.signature.document,
            f"{self.signature.id}: made by SHA-1, which shows nothing",
        )

    def _other_values(self) -> Finding:
        return Finding.of(
            uki_codes.PCR_SIGNATURE_OTHER_VALUES,
            self.signature.document,
            f"{self.signature.id}: signed for PCR values that no boot of this image has",
        )
