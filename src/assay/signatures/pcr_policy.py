"""The signature scheme ``pcr-policy``: signatures of the PCR values that a unified kernel image has
when it is booted (``.pcrsig``, UAPI.5), as systemd-measure makes them.

What is signed is a policy that asks for PCR 11 to have a value, and the value follows from the
sections that a boot measures: so a signature is over these sections. It recognises no file; the
format hands it what it finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding
from assay.model.measurement import ScanRequest
from assay.model.signature import (
    InlineSigned,
    Key,
    PreparedSignature,
    Signature,
    SignatureScheme,
)

if TYPE_CHECKING:
    from assay.formats.uki.pcr_signatures import PcrSignature

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
        parts: Sequence[str],
    ) -> PreparedSignature:
        """The signatures of one key over ``document``, the sections that are measured by
        ``request``; ``parts`` are these sections, as in its plan."""
        from assay.signatures.pcr_policy_signature import PcrPolicySignature

        return PcrPolicySignature(
            Signature(signature_id, SCHEME, document), tuple(signatures), request, tuple(parts)
        )


SCHEME_PLUGIN: SignatureScheme = PcrPolicyScheme()
