"""The signature of an update of a variable.

Which variable is meant is signed and not written down, so each that the specification protects is
tried, to be replaced and to be added to. Only one can fit: what fits is told with the signer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from assay.cms.given import Given
from assay.cms.signed_data import SignedData, SignerInfo, read_signed_data
from assay.model.anchor import Voucher
from assay.model.codes import trust as trust_codes
from assay.model.codes import uefi as codes
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest, Request
from assay.model.signature import (
    Key,
    PreparedSignature,
    Signature,
    SignatureOutcome,
    Status,
)
from assay.signatures.cms.firmware import FirmwareSignature
from assay.uefi.authentication import TARGETS, Target
from assay.x509.key_schemes import PURPOSE_DEMAND
from assay.x509.requirements import Requirements

SCHEME = "efi-variable"
_REMEDY = "Get an update that is signed below a current key."


class _Signer(FirmwareSignature):
    """The signer, once it is known what the digest is."""

    what = "signature of a variable's update"

    def _asked(self, key: Key, given: Given, time: datetime, at: datetime) -> Requirements:
        asked = super()._asked(key, given, time, at)
        # PK and KEK certificates are for nothing in particular
        return asked if key.demands.get(PURPOSE_DEMAND) else replace(asked, purposes=frozenset())

    def _placed(self, finding: Finding) -> Finding:
        placed = super()._placed(finding)
        if finding.code == trust_codes.KEY_EXPIRED.name:
            return replace(placed, remedy=_REMEDY)
        return placed


class EfiVariableSignature:
    """The signature of an update."""

    def __init__(self, signed: SignedData, signer: SignerInfo, signature: Signature) -> None:
        self._inner = _Signer(signed, signer, signature)
        self.signature = signature

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        """The digest with each variable's name in front."""
        found: dict[Request, None] = {}
        for request in self._inner.requests(keys):
            if isinstance(request, HashRequest):
                found |= {_with(request, target): None for target in TARGETS}
        return tuple(found)

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        """Try each variable; the first that fits counts. Raises nothing."""
        asked = [each for each in self._inner.requests(keys) if isinstance(each, HashRequest)]
        outcomes: list[SignatureOutcome] = []
        for target in TARGETS:
            known: dict[Request, Any] = {
                request: answers[needed]
                for request in asked
                if (needed := _with(request, target)) in answers
            }
            outcome = self._inner.verify(known, keys, at)
            if outcome.status is not Status.INVALID or not _is_about_bytes(outcome):
                told = tuple(_told(outcome.vouchers, target)) if known else outcome.vouchers
                return replace(outcome, vouchers=told)
            outcomes.append(outcome)
        return replace(outcomes[0], findings=tuple(map(_foreign, outcomes[0].findings)))


def _with(request: HashRequest, target: Target) -> HashRequest:
    return HashRequest(request.algorithm, prefix=target.prefix)


def _is_about_bytes(outcome: SignatureOutcome) -> bool:
    """Whether the outcome would be another if other bytes had been signed."""
    return any(each.code == trust_codes.SIGNATURE_INVALID.name for each in outcome.findings)


def _told(vouchers: Sequence[Voucher], target: Target) -> Iterator[Voucher]:
    for voucher in vouchers:
        yield replace(voucher, notes=voucher.notes | {"update": str(target)})


def _foreign(finding: Finding) -> Finding:
    if finding.code != trust_codes.SIGNATURE_INVALID.name:
        return finding
    return Finding.of(
        codes.UEFI_UPDATE_FOREIGN,
        finding.component,
        expected=f"an update of {', '.join(dict.fromkeys(each.name for each in TARGETS))}",
    )


def prepare(data: bytes, document: str, signature_id: str) -> list[PreparedSignature]:
    """The signature of an update. Raises AssayError (signature-malformed)."""
    signed = read_signed_data(data)
    if len(signed.signers) != 1:
        raise AssayError(
            Finding.of(
                trust_codes.SIGNATURE_MALFORMED,
                detail=f"it has {len(signed.signers)} signers, and an update has one",
            )
        )
    [signer] = signed.signers
    if signer.digest != "sha256":
        raise AssayError(
            Finding.of(
                codes.UEFI_UPDATE_MALFORMED,
                detail="its signature is not over SHA-256, the one digest that firmware takes",
                expected="sha256",
                actual=signer.digest or signer.digest_algorithm.oid,
            )
        )
    return [EfiVariableSignature(signed, signer, Signature(signature_id, SCHEME, document))]
