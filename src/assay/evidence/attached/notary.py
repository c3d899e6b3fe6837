"""What the payload of a Notary signature that is attached to an image claims about it."""

from __future__ import annotations

from assay.model.claim import Claim, DigestIs, SizeIs
from assay.model.codes import attached as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.printable import printable
from assay.signatures.notary.envelope import PAYLOAD_TYPE
from assay.signatures.notary.payload import parse_payload


def target_claims(
    content: bytes,
    document: str,
    where: str,
    component: str,
    digest: Digest,
    size: int | None,
    media_type: str,
) -> tuple[list[Claim], list[Finding]]:
    """The claims of a payload (the component ``document``) about ``component``, of which digest,
    size and media type are known as far as they can be. Whatever of them differs, the payload is
    about another image, and claims nothing. Raises nothing."""
    try:
        target = parse_payload(content)
    except AssayError as error:
        finding = error.finding
        return [], [Finding.of(codes.ATTACHED_UNREADABLE, component, f"{where}: {finding.detail}")]
    differs = ""
    if target.digest != digest and target.digest.algorithm == digest.algorithm:
        differs, expected, actual = "digest", str(digest), str(target.digest)
    elif size is not None and target.size != size:
        differs, expected, actual = "size", str(size), str(target.size)
    elif media_type and target.media_type != media_type:
        differs, expected, actual = "media type", media_type, printable(target.media_type, 100)
    if differs:
        return [], [
            Finding.of(
                codes.ATTACHED_ABOUT_ANOTHER,
                component,
                f"{where}: its payload names another {differs}",
                expected=expected,
                actual=actual,
            )
        ]
    return [
        Claim(component, document, DigestIs(target.digest), "targetArtifact.digest"),
        Claim(component, document, SizeIs(target.size), "targetArtifact.size"),
    ], []


def noted_in(content: bytes) -> dict[str, str]:
    """The annotations in a payload, which notation calls user metadata. Raises nothing."""
    try:
        return parse_payload(content).annotations
    except AssayError:
        return {}


__all__ = ["PAYLOAD_TYPE", "noted_in", "target_claims"]
