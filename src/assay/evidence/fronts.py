"""The evidence readers that take much to import, and when there may be something for them to read.

Every verification asks every reader. Those that have nothing to do are not even imported, so that
the check of a plain file stays quick.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from assay import limits
from assay.evidence.model import Context, Evidence, EvidenceReader
from assay.evidence.simple_signing import may_be_one

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class Front:
    """Stands for the ``READER`` of a module, which is asked only if ``may_have_work`` says so."""

    last = False

    def __init__(self, name: str, module: str, may_have_work: Callable[[Context], bool]) -> None:
        self.name = name
        self._module = module
        self._may_have_work = may_have_work

    def read(self, context: Context) -> Evidence:
        if not self._may_have_work(context):
            return Evidence()
        reader: EvidenceReader = import_module(self._module).READER
        return reader.read(context)


def _stored_with_others(context: Context) -> bool:
    stored = context.image.store is not None or context.companions is not None
    return context.look_around and stored


def _attached(context: Context) -> bool:
    return bool(context.open.signature_repositories) or _stored_with_others(context)


def _simply_signed(context: Context) -> bool:
    return (
        bool(context.open.lookaside or context.open.registries_d)
        or _stored_with_others(context)
        or any(
            may_be_one(file.read(limits.SIGNATURE_SIZE)) for file in context.given_for("signature")
        )
    )


def _holding_statements(context: Context) -> bool:
    return context.look_around and any(
        component.media_type == PAYLOAD_TYPE for component in context.components.values()
    )


ATTACHED: EvidenceReader = Front("attached", "assay.evidence.attached.reader", _attached)
BASELINE: EvidenceReader = Front(
    "baseline", "assay.evidence.baseline", lambda context: bool(context.given_for("baseline"))
)
CHECKSUMS: EvidenceReader = Front(
    "checksums", "assay.evidence.checksums", lambda context: bool(context.given_for("checksums"))
)
INCLUDED: EvidenceReader = Front("included", "assay.evidence.included", _holding_statements)
PCR_KEYS: EvidenceReader = Front(
    "pcr-keys",
    "assay.evidence.pcr_keys",
    lambda context: any(key.scheme == "pcr-key" for key in context.keys),
)
PCRS: EvidenceReader = Front(
    "pcrs", "assay.evidence.pcr_values", lambda context: bool(context.pcrs)
)
SBAT: EvidenceReader = Front(
    "sbat", "assay.evidence.sbat", lambda context: bool(context.given_for("sbat-level"))
)
SIMPLE_SIGNING: EvidenceReader = Front(
    "simple-signing", "assay.evidence.simple_signing.reader", _simply_signed
)
VERITY: EvidenceReader = Front(
    "verity", "assay.evidence.verity", lambda context: bool(context.verity)
)
