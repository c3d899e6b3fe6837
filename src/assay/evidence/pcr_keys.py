"""Evidence reader: whether signed PCR values are there for each key of ``--pcr-key``. Whether they
are right is for the signature scheme to say."""

from __future__ import annotations

from assay.crypto.public_key import PublicKey
from assay.evidence.model import Context, Evidence, EvidenceReader
from assay.formats.uki.judge import fingerprint_of
from assay.formats.uki.unified import SIGNED_BY
from assay.model.codes import uki as codes
from assay.model.finding import Finding


class PcrKeysReader:
    name = "pcr-keys"
    last = False

    def read(self, context: Context) -> Evidence:
        evidence = Evidence()
        signers = {
            fingerprint
            for component in context.components.values()
            for fingerprint in component.labels.get(SIGNED_BY, "").split()
        }
        for key in context.keys:
            public = key.material
            if key.scheme != "pcr-key" or not isinstance(public, PublicKey):
                continue
            if fingerprint_of(public) not in signers:
                evidence.reading.findings.append(
                    Finding.of(
                        codes.PCR_SIGNATURE_MISSING,
                        context.root,
                        f"no signature in .pcrsig is by {key.key_id}",
                        expected=fingerprint_of(public),
                        actual=", ".join(sorted(signers)) or "no signed PCR values",
                    )
                )
        return evidence


READER: EvidenceReader = PcrKeysReader()
