"""SSH signatures as a signature scheme. What checking takes is imported when there is one."""

from __future__ import annotations

from assay.model.signature import (
    InlineSigned,
    Key,
    PreparedSignature,
    Signature,
    SignatureScheme,
)

SCHEME = "ssh"
"""Also the `Key.scheme` of SSH keys; `Key.material` is an `allowed_signers.Entry`."""
_BEGIN = b"-----BEGIN SSH SIGNATURE-----"


class SshScheme:
    """Detached files of ``ssh-keygen -Y sign``."""

    name = SCHEME
    suffixes = (".sig", ".sshsig")
    last_resort_for = ""

    def recognise(self, data: bytes) -> bool:
        return data.startswith(_BEGIN)

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """Parse a signature file. Raises AssayError (signature-malformed and others)."""
        from assay.signatures.ssh import sshsig
        from assay.signatures.ssh.signature import SshSignature

        parsed = sshsig.parse(data, signature_id)
        return [SshSignature(parsed, Signature(signature_id, SCHEME, document, alternatives))]

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        return None

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """A public key, several, or a list of allowed signers. Raises UsageError."""
        if b"AAAA" not in data and b"-- BEGIN SSH2 " not in data and b" OPENSSH " not in data:
            return []  # every key starts with a length, of which three bytes are zero
        from assay.signatures.ssh import allowed_signers

        return [
            Key(anchor, SCHEME, entry.fingerprint, entry) for entry in allowed_signers.read(data)
        ]


SCHEME_PLUGIN: SignatureScheme = SshScheme()
