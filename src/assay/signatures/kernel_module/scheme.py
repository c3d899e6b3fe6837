"""The signature scheme ``kernel-module``. Its signatures are inside of modules, so it recognises no
file; formats hand it what they find."""

from __future__ import annotations

from assay.model.signature import InlineSigned, Key, PreparedSignature, SignatureScheme

KEYRING = "kernel-keyring"
"""The `Key.scheme` of an anchor whose material are the certificates built into a kernel (a
tuple)."""


class KernelModuleScheme:
    """Signatures that kernel modules end with."""

    name = "kernel-module"
    suffixes = ()
    last_resort_for = ""

    def recognise(self, data: bytes) -> bool:
        return False

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """The signature in DER; ``document`` is the component with the signed bytes. Raises
        AssayError (signature-malformed, signed-attributes-invalid)."""
        from assay.signatures.kernel_module.signer import prepare

        return prepare(data, document, signature_id)

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        return None

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """Kernel modules have no keys of their own."""
        return []


SCHEME_PLUGIN: SignatureScheme = KernelModuleScheme()
"""The plug-in."""
