"""The signature scheme ``efi-variable``. Its signatures are inside of updates, so it recognises no
file; the format hands it what it finds."""

from __future__ import annotations

from assay.model.signature import InlineSigned, Key, PreparedSignature, SignatureScheme


class EfiVariableScheme:
    """Signatures that updates of variables carry."""

    name = "efi-variable"
    suffixes = ()
    last_resort_for = ""

    def recognise(self, data: bytes) -> bool:
        return False

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """The signature in DER; ``document`` is the component of time and content. Raises
        AssayError (signature-malformed)."""
        from assay.signatures.efi_variable.signer import prepare

        return prepare(data, document, signature_id)

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        return None

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """Updates have no keys of their own."""
        return []


SCHEME_PLUGIN: SignatureScheme = EfiVariableScheme()
