"""Sigstore bundles as a plug-in: their files, and trusted roots. What it takes to read them is
imported when it is needed."""

from __future__ import annotations

from assay import limits
from assay.model.finding import AssayError, UsageError
from assay.model.signature import (
    InlineSigned,
    Key,
    PreparedSignature,
    Signature,
    SignatureScheme,
)

SCHEME = "sigstore"


class SigstoreScheme:
    """Bundles in files of their own (``.sigstore.json``), and trusted roots."""

    name = SCHEME
    suffixes = (".sigstore.json", ".sigstore")
    last_resort_for = ""

    def recognise(self, data: bytes) -> bool:
        return _is_bundle(data)

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """A bundle over the document's own bytes. Raises AssayError."""
        from assay.signatures.sigstore.signature import SigstoreSignature
        from assay.sigstore.bundle import parse_bundle

        bundle = parse_bundle(data)
        signature = Signature(signature_id, SCHEME, document, alternatives)
        return [SigstoreSignature(bundle, signature)]

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        """A bundle with an envelope: the statement in it, which the bundle signs."""
        if not _is_bundle(data):
            return None
        from assay.signatures.sigstore.signature import SigstoreSignature
        from assay.sigstore.bundle import Envelope, parse_bundle

        bundle = parse_bundle(data)
        if not isinstance(bundle.content, Envelope):
            return None
        prepared = SigstoreSignature(bundle, Signature(signature_id, SCHEME, document))
        content = bundle.content
        return InlineSigned(content.untrusted_payload, (prepared,), 0, content.payload_type)

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        if b"vnd.dev.sigstore.trustedroot" in data[: limits.DETECT_HEAD]:
            raise UsageError("a trusted root is no key; give it with --trusted-root")
        return []


def _is_bundle(data: bytes) -> bool:
    """Whether these bytes may be a bundle: JSON that names its type."""
    return data.lstrip()[:1] == b"{" and b"vnd.dev.sigstore.bundle" in data


def load_trusted_root(data: bytes) -> Key:
    """The key material of a trusted root file. Raises UsageError when it cannot be read."""
    from assay.sigstore.trusted_root import TRUSTED_ROOT_SCHEME, parse_trusted_root

    try:
        root = parse_trusted_root(data)
    except AssayError as error:
        raise UsageError(error.finding.detail) from error
    uris = dict.fromkeys(authority.uri for authority in root.certificate_authorities)
    return Key("", TRUSTED_ROOT_SCHEME, ", ".join(filter(None, uris)) or "a trusted root", root)


SCHEME_PLUGIN: SignatureScheme = SigstoreScheme()
