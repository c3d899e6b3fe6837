"""Notary signatures as artifacts (notaryproject/specifications, signature-specification.md, "OCI
signature manifest")."""

from __future__ import annotations

from datetime import UTC, datetime

from assay.attach.model import Attachment, Layer

ARTIFACT_TYPE = "application/vnd.cncf.notary.signature"

_THUMBPRINTS = "io.cncf.notary.x509chain.thumbprint#S256"
_CREATED = "org.opencontainers.image.created"


def notary_attachment(
    envelope: bytes, media_type: str, thumbprints: str, created: datetime
) -> Attachment:
    """An envelope of a media type (JWS or COSE) as what can be attached. ``thumbprints`` is
    `assay.produce.notary.Signer.thumbprints`. The type is that of the configuration, as notation
    writes it, since its first versions look there."""
    time = created.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return Attachment(
        "",
        (Layer(media_type, envelope),),
        config_media_type=ARTIFACT_TYPE,
        annotations={_THUMBPRINTS: thumbprints, _CREATED: time},
    )
