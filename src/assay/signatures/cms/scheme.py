"""The signature scheme ``cms``: detached ``.p7s`` files, and documents inside of a signature.

Every run loads this module, to ask whether a file is one; the rest comes when one is.
"""

from __future__ import annotations

from assay.cms.shape import looks_like_cms
from assay.model.signature import InlineSigned, Key, PreparedSignature, SignatureScheme


class CmsScheme:
    """Detached ``.p7s`` files, and documents inside of a signature (opaque)."""

    name = "cms"
    suffixes = (".p7s", ".p7b", ".p7", ".pkcs7", ".cms")
    last_resort_for = ""

    def recognise(self, data: bytes) -> bool:
        return looks_like_cms(data)

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """One signature for each signer. Raises AssayError (signature-malformed)."""
        from assay.signatures.cms import files

        return files.prepare(data, document, signature_id, alternatives)

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        """A document inside of its signature. Raises AssayError (signature-malformed)."""
        if not looks_like_cms(data):
            return None
        from assay.signatures.cms import files

        return files.inline(data, document, signature_id)

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """CMS has no keys of its own."""
        return []


SCHEME_PLUGIN: SignatureScheme = CmsScheme()
