"""The signature scheme ``pcr-policy``: signatures of the PCR values that a unified kernel image has
when it is booted (``.pcrsig``, UAPI.5), as systemd-measure makes them.

What is signed is a policy that asks for PCR 11 to have a value, and the value follows from the
sections that a boot measures: so a signature is over these sections. It recognises no file; the
format hands it what it finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from assay.crypto.public_key import KEY_SCHEME, PublicKey
from assay.formats.uki.judge import by_sha1, digest_signed, fingerprint_of, states_of
from assay.formats.uki.measured import Measured
from assay.formats.uki.pcr_signatures import PcrSignature
from assay.model.codes import trust as codes
from assay.model.codes import uki as uki_codes
from assay.model.finding import AssayError, Finding
from assay.model.measurement import Request, ScanRequest
from assay.model.signature import (
    InlineSigned,
    Key,
    PreparedSignature,
    Signature,
    SignatureOutcome,
    SignatureScheme,
    Status,
)
from assay.signatures import plain_keys
from assay.signatures.trial import Trial

SCHEME = "pcr-policy"
PCR_KEY = "pcr-key"
"""The `Key.scheme` of keys for this alone, which are no anchors: they vouch for what a boot
measures, and never for an image."""


class PcrPolicyScheme:
    """Signatures that unified kernel images carry."""

    name = SCHEME
    suffixes = ()
    last_resort_for = ""

    def recognise(self, data: bytes) -> bool:
        return False

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """Such signatures stand in no file of their own. Raises AssayError."""
        raise AssayError(Finding.of(codes.SIGNATURE_MALFORMED, signature_id))

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        return None

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """Plain public keys are read by the scheme ``raw``."""
        return []

    def over(
        self,
        signatures: Sequence[PcrSignature],
        request: ScanRequest,
        document: str,
        signature_id: str,
    ) -> PreparedSignature:
        """The signatures of one key over ``document``, the sections that are measured by
        ``request``."""
        return PcrPolicySignature(
            Signature(signature_id, SCHEME, document), tuple(signatures), request
        )


class PcrPolicySignature:
    """What one key signed: any number of states of the boot of one image."""

    def __init__(
        self, signature: Signature, signatures: tuple[PcrSignature, ...], request: ScanRequest
    ) -> None:
        self.signature = signature
        self._signatures = signatures
        self._request = request

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        return (self._request,)

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        """See `PreparedSignature.verify`. One of the signatures is enough to vouch: each is for
        all that is measured. One that is right and for other values is told by the format."""
        trial = Trial(self.signature, "signature of PCR values", keys)
        measured: Measured | None = answers.get(self._request)
        for key in keys:
            if key.scheme in (KEY_SCHEME, PCR_KEY) and isinstance(key.material, PublicKey):
                self._try(trial, key, key.material, measured)
        return trial.outcome(
            Finding.of(
                codes.WRONG_KEY,
                self.signature.document,
                f"{self.signature.id}: signed by the key {self._signatures[0].fingerprint}",
                actual=self._signatures[0].fingerprint,
            )
        )

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


SCHEME_PLUGIN: SignatureScheme = PcrPolicyScheme()
