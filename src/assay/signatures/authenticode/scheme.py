"""The signature scheme ``authenticode``, for programs of operating systems, and
``authenticode-firmware``, for those of firmware, which looks at no dates. Their signatures are
inside of programs, so they recognise no file; formats hand them what they find."""

from __future__ import annotations

from assay.model.signature import InlineSigned, Key, PreparedSignature, SignatureScheme


class AuthenticodeScheme:
    """Signatures that PE programs carry."""

    suffixes = ()
    last_resort_for = ""

    def __init__(self, name: str, *, for_firmware: bool) -> None:
        self.name = name
        self._for_firmware = for_firmware

    def recognise(self, data: bytes) -> bool:
        return False

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """The signature in DER; ``document`` is the component that has its content. Raises
        AssayError (signature-malformed)."""
        from assay.signatures.authenticode.signer import prepare

        return prepare(data, document, signature_id, for_firmware=self._for_firmware)

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        return None

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """Authenticode has no keys of its own."""
        return []


SCHEME_PLUGIN: SignatureScheme = AuthenticodeScheme("authenticode", for_firmware=False)
FIRMWARE: SignatureScheme = AuthenticodeScheme("authenticode-firmware", for_firmware=True)
