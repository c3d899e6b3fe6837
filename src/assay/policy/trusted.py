"""An anchor of a policy, with what its signatures are checked with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from assay.model.anchor import Voucher
from assay.model.codes import policy as codes
from assay.model.finding import Finding
from assay.model.measurement import Request
from assay.model.signature import PreparedSignature, Status
from assay.policy.anchors import Material
from assay.policy.standing import CERTIFICATE, SignedTime, Standing, outside_of
from assay.trust.documents import SignedDocument
from assay.trust.requirements import Judged, Requirement


class AnyDocument(Struct, frozen=True):
    """Whatever is signed. Rules ask for what it has to say."""

    every: bool = False

    def concerns(self, document: SignedDocument) -> bool:
        return True

    def fault(self, document: SignedDocument) -> Finding | None:
        return None


class Trusted(Requirement, frozen=True, kw_only=True):
    """An anchor of a policy, or one of several keys of it. Any signature by it counts, in its time
    and while it is not revoked."""

    standing: Standing
    window: Material | None = None

    def concerns(self, prepared: PreparedSignature, document: SignedDocument | None) -> bool:
        return True

    def verify(
        self,
        prepared: PreparedSignature,
        document: SignedDocument | None,
        answers: Mapping[Request, Any],
        at: datetime,
    ) -> Judged:
        outcome = prepared.verify(answers, self.keys, at)
        kept: list[Voucher] = []
        faults: dict[Finding, None] = {}
        for voucher in outcome.vouchers:
            fault = self._fault(voucher, at)
            if not fault:
                kept.append(voucher)
                continue
            found = Finding.of(
                codes.ANCHOR_OUT_OF_FORCE,
                prepared.signature.document,
                f"{self.anchor.name}, {prepared.signature.id}: {fault}",
                actual=voucher.signer.identity if voucher.signer is not None else "",
            )
            faults[found] = None
        if not faults:
            return Judged(outcome)
        return Judged(
            replace(
                outcome,
                status=outcome.status if kept else Status.NOT_VALID_NOW,
                vouchers=tuple(kept),
                findings=(*outcome.findings, *faults),
            )
        )

    def _fault(self, voucher: Voucher, at: datetime) -> str:
        if self.window is not None:
            signed = SignedTime.of(voucher.signer, at)
            if fault := outside_of(self.window, signed):
                return fault
        certificate = voucher.notes.get(CERTIFICATE, "")
        return self.standing.fault_of(self.anchor.name, at, voucher.signer, certificate)
