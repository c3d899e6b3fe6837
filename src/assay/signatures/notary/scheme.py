"""The signature scheme ``notary``: JWS and COSE envelopes, attached to an image or in files.

Every run loads this module, to ask whether bytes are one; the rest comes when they are.
"""

from __future__ import annotations

from assay.model.signature import InlineSigned, Key, PreparedSignature, SignatureScheme


class NotaryScheme:
    """Envelopes, which name what they sign."""

    name = "notary"
    suffixes = (".jws.sig", ".cose.sig")
    last_resort_for = ""

    def recognise(self, data: bytes) -> bool:
        if data[:1] == b"\xd2":
            from assay.signatures.notary import cose

            return cose.looks_like(data)
        if b'"protected"' not in data:
            return False
        from assay.signatures.notary import jws

        return jws.looks_like(data)

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """A signature in a file of its own (``notation blob sign``). Raises AssayError
        (signature-malformed)."""
        from assay.signatures.notary import files

        return files.prepare(data, document, signature_id, alternatives)

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        """The payload of an envelope, which names the artifact. Raises AssayError
        (signature-malformed)."""
        if not self.recognise(data):
            return None
        from assay.signatures.notary import files

        return files.inline(data, document, signature_id)

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """Trust is given by certificates and trust policies."""
        return []


SCHEME_PLUGIN: SignatureScheme = NotaryScheme()
