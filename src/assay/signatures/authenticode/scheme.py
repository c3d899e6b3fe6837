"""The signature scheme ``authenticode``. Its signatures are inside of programs, so it recognises
no file; formats hand it what they find."""

from __future__ import annotations

from assay.model.signature import InlineSigned, Key, PreparedSignature, SignatureScheme


class AuthenticodeScheme:
    """Signatures that PE programs carry."""

    name = "authenticode"
    suffixes = ()
    last_resort_for = ""

    def recognise(self, data: bytes) -> bool:
        return False

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """The signature in DER; ``document`` is the component that has its content. Raises
        AssayError (signature-malformed)."""
        from assay.signatures.authenticode.signer import prepare

        return prepare(data, document, signature_id)

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        return None

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """Authenticode has no keys of its own."""
        return []


SCHEME_PLUGIN: SignatureScheme = AuthenticodeScheme()
