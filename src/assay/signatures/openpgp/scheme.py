"""OpenPGP as a signature scheme. All that is large is imported once a file turns out to be one."""

from __future__ import annotations

from assay import limits
from assay.model.signature import InlineSigned, Key, PreparedSignature, SignatureScheme
from assay.signatures.openpgp import SCHEME

_ARMOR = b"-----BEGIN PGP "


class OpenPgpScheme:
    """Detached signatures, binary or armored; cleartext signed documents; signed messages."""

    name = SCHEME
    suffixes = (".asc", ".sig", ".gpg", ".sign")
    last_resort_for = ""

    def recognise(self, data: bytes) -> bool:
        """Armor of any kind, or what a signature packet or a signed message begins with; so that
        a damaged file, or one of the wrong kind, gets the finding that says so."""
        if _ARMOR in data[: limits.DETECT_HEAD]:
            from assay.signatures.openpgp import armor

            return bool(armor.label_of(data))
        from assay.signatures.openpgp import detect

        return detect.begins_with_signature(data) or detect.begins_with_message(data)

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """The signatures of a detached file. Raises AssayError: signature-malformed, or where
        there is but one signature-unsupported."""
        from assay.signatures.openpgp.detached import prepare

        return prepare(data, document, signature_id, alternatives)

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        """A cleartext signed document, or a signed message. Raises AssayError for one that is
        damaged, encrypted, or signed by nobody."""
        if data[:1] < b"\x80" and _ARMOR not in data:
            return None
        from assay.signatures.openpgp.inline import inline

        return inline(data, document, signature_id)

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """Every certificate of a key file. Raises UsageError for secret or damaged keys."""
        from assay.signatures.openpgp import detect

        if not detect.is_keyring(data):
            return []
        from assay.signatures.openpgp.keyring import load_keys

        return load_keys(data, anchor)


SCHEME_PLUGIN: SignatureScheme = OpenPgpScheme()
