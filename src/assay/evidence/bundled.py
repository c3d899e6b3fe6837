"""What an offline bundle says of an image: when it may be used, and which image it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from assay.model.claim import Claim, DigestIs
from assay.model.component import Component, Stored
from assay.model.digest import Digest
from assay.model.reading import Reading
from assay.sources.blobs import MemoryBlob
from assay.sources.bundle.document import NAME, encode_manifest
from assay.sources.bundle.file import Bundle


def bundle_evidence(
    bundle: Bundle, at: datetime, root: str, digests: Mapping[str, Digest]
) -> Reading:
    """Findings for a bundle that is stale at ``at``, or about another image than the one that is
    known by ``digests``, of the component ``root`` and others. A file is known by none: if the
    bundle is about one, the list in it claims its digest."""
    reading = Reading(findings=bundle.check_time(at))
    subject = bundle.manifest.subject
    if subject.media_type or root in digests:
        reading.findings += bundle.check_subject(list(digests.values()))
        return reading
    data = encode_manifest(bundle.manifest)
    key = f"document:{NAME}"
    reading.components.append(Component(NAME, "bundle", Stored(key), size=len(data), external=True))
    reading.blobs[key] = MemoryBlob(data)
    reading.claims.append(Claim(root, NAME, DigestIs(subject.digest), "image.digest"))
    return reading
