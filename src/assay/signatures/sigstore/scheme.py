"""Sigstore bundles as a plug-in: their files, and trusted roots."""

from __future__ import annotations

from assay.model.finding import AssayError, UsageError
from assay.model.signature import (
    InlineSigned,
    Key,
    PreparedSignature,
    Signature,
    SignatureScheme,
)
from assay.signatures.sigstore.signature import SCHEME, SigstoreSignature
from assay.sigstore.bundle import Envelope, looks_like, parse_bundle
from assay.sigstore.trusted_root import TRUSTED_ROOT_SCHEME


class SigstoreScheme:
    """Bundles in files of their own (``.sigstore.json``), and trusted roots."""

    name = SCHEME
    suffixes = (".sigstore.json", ".sigstore")
    last_resort_for = ""

    def recognise(self, data: bytes) -> bool:
        return looks_like(data)

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """A bundle over the document's own bytes. Raises AssayError."""
        bundle = parse_bundle(data)
        signature = Signature(signature_id, SCHEME, document, alternatives)
        return [SigstoreSignature(bundle, signature)]

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        """A bundle with an envelope: the statement in it, which the bundle signs."""
        if not looks_like(data):
            return None
        bundle = parse_bundle(data)
        if not isinstance(bundle.content, Envelope):
            return None
        prepared = SigstoreSignature(bundle, Signature(signature_id, SCHEME, document))
        content = bundle.content
        return InlineSigned(content.untrusted_payload, (prepared,), 0, content.payload_type)

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        from assay.sigstore.trusted_root import looks_like as looks_like_root

        if looks_like_root(data):
            raise UsageError("a trusted root is no key; give it with --trusted-root")
        return []


def load_trusted_root(data: bytes) -> Key:
    """The key material of a trusted root file. Raises UsageError when it cannot be read."""
    from assay.sigstore.trusted_root import parse_trusted_root

    try:
        root = parse_trusted_root(data)
    except AssayError as error:
        raise UsageError(error.finding.detail) from error
    uris = dict.fromkeys(authority.uri for authority in root.certificate_authorities)
    return Key("", TRUSTED_ROOT_SCHEME, ", ".join(filter(None, uris)) or "a trusted root", root)


SCHEME_PLUGIN: SignatureScheme = SigstoreScheme()
