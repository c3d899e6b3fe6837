"""Evidence reader: values of PCRs that the user knows (``--pcr``), for event logs."""

from __future__ import annotations

from collections.abc import Iterator

from assay.evidence.model import Context, Evidence, EvidenceReader, PcrValue
from assay.formats.tcg.event_log import MEASURED
from assay.model.claim import Claim, DigestIs
from assay.model.codes import tcg as codes
from assay.model.digest import Digest
from assay.model.finding import Finding

_KIND = "pcr"
"""The kind of the components that are PCRs."""


class PcrReader:
    name = "pcrs"
    last = False

    def read(self, context: Context) -> Evidence:
        """Each value is a claim about the PCR of a log; these stand for the log as a whole then."""
        evidence = Evidence()
        for anchor, known in context.pcrs.items():
            digest = known.digest
            wanted = f"{digest.algorithm}/pcr[{known.number}]"
            found = [
                each.id
                for each in context.components.values()
                if each.kind == _KIND and (each.id == wanted or each.id.endswith(f"/{wanted}"))
            ]
            if not found:
                detail = f"no event extends PCR {known.number} in a bank {digest.algorithm}"
                evidence.reading.findings.append(
                    Finding.of(codes.TCG_PCR_ABSENT, context.root, detail, expected=digest)
                )
            for component in found:
                evidence.reading.claims.append(
                    Claim(component, anchor, DigestIs(digest), f"PCR {known.number}")
                )
                evidence.targets.append(component)
                evidence.reading.claims += _events(context, component, known)
        return evidence


def _events(context: Context, register: str, known: PcrValue) -> Iterator[Claim]:
    """What the digests that lead to the value say of the data of events. The format says so itself
    in one bank; here it is said in the bank that counts."""
    prefix = register.removesuffix(f"{known.digest.algorithm}/pcr[{known.number}]")
    label = f"digest-{known.digest.algorithm}"
    for each in context.components.values():
        of_log = each.id.startswith(f"{prefix}event[") and each.labels.get(MEASURED) == "yes"
        if of_log and each.labels.get("register") == str(known.number) and label in each.labels:
            value = bytes.fromhex(each.labels[label])
            expected = DigestIs(Digest(known.digest.algorithm, value))
            yield Claim(each.id, register, expected, each.id.removeprefix(prefix))


READER: EvidenceReader = PcrReader()
