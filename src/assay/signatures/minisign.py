"""minisign signatures (jedisct1/minisign, "Signature format"), legacy and prehashed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from assay import limits
from assay.model.anchor import KeyAttempt, Signer, Voucher
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding
from assay.model.measurement import ContentRequest, HashRequest, Request
from assay.model.signature import (
    InlineSigned,
    Key,
    PreparedSignature,
    Signature,
    SignatureOutcome,
    SignatureScheme,
    Status,
)

SCHEME = "minisign"
_UNTRUSTED = b"untrusted comment:"
_TRUSTED = b"trusted comment: "


def _decode(line: bytes, length: int) -> bytes | None:
    try:
        raw = base64.b64decode(line.strip(), validate=True)
    except (ValueError, binascii.Error):
        return None
    return raw if len(raw) == length else None


class _Parsed(Struct, frozen=True):
    prehashed: bool
    key_id: bytes
    untrusted_signature: bytes
    untrusted_trusted_comment: bytes
    untrusted_global_signature: bytes


def _parse(data: bytes) -> _Parsed | None:
    lines = data.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    if len(lines) != 4 or not lines[0].startswith(_UNTRUSTED) or not lines[2].startswith(_TRUSTED):
        return None
    raw, global_signature = _decode(lines[1], 74), _decode(lines[3], 64)
    if raw is None or global_signature is None or raw[:2] not in (b"Ed", b"ED"):
        return None
    return _Parsed(
        prehashed=raw[:2] == b"ED",
        key_id=raw[2:10],
        untrusted_signature=raw[10:],
        untrusted_trusted_comment=lines[2][len(_TRUSTED) :],
        untrusted_global_signature=global_signature,
    )


def _shown(key_id: bytes) -> str:
    """The key id as the minisign tool prints it (little endian, upper case)."""
    return key_id[::-1].hex().upper()


class MinisignSignature:
    """One minisign signature over a document."""

    def __init__(self, parsed: _Parsed, signature: Signature) -> None:
        self._parsed = parsed
        self.signature = signature
        self._request: Request = (
            HashRequest("blake2b") if parsed.prehashed else ContentRequest(limits.CONTENT_IN_MEMORY)
        )

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        return (self._request,)

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        mine = [key for key in keys if key.scheme == SCHEME]
        attempts: list[KeyAttempt] = []
        message: bytes | None = answers.get(self._request)
        for key in mine:
            if key.material[:8] != self._parsed.key_id:
                attempts.append(
                    KeyAttempt(
                        key.anchor,
                        key.key_id,
                        False,
                        f"the signature names key {_shown(self._parsed.key_id)}",
                    )
                )
                continue
            if message is None:
                attempts.append(KeyAttempt(key.anchor, key.key_id, False, "content not measured"))
                return self._outcome(
                    Status.UNCHECKED,
                    attempts,
                    Finding.of(codes.SIGNATURE_UNCHECKED, self.signature.document),
                )
            return self._check(key, message, attempts)
        return self._outcome(
            Status.UNKNOWN_SIGNER,
            attempts,
            Finding.of(
                codes.WRONG_KEY,
                self.signature.document,
                f"{self.signature.id}: made by minisign key {_shown(self._parsed.key_id)}",
                expected=", ".join(key.key_id for key in mine) or "a minisign key",
                actual=_shown(self._parsed.key_id),
            ),
        )

    def _outcome(
        self, status: Status, attempts: list[KeyAttempt], *findings: Finding
    ) -> SignatureOutcome:
        return SignatureOutcome(
            self.signature, status, attempts=tuple(attempts), findings=tuple(findings)
        )

    def _check(self, key: Key, message: bytes, attempts: list[KeyAttempt]) -> SignatureOutcome:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        parsed = self._parsed
        public = Ed25519PublicKey.from_public_bytes(key.material[8:])
        what = "the signature"
        try:
            public.verify(parsed.untrusted_signature, message)
            what = "the signature of the trusted comment"
            public.verify(
                parsed.untrusted_global_signature,
                parsed.untrusted_signature + parsed.untrusted_trusted_comment,
            )
        except InvalidSignature:
            attempts.append(KeyAttempt(key.anchor, key.key_id, False, f"{what} does not match"))
            return self._outcome(
                Status.INVALID,
                attempts,
                Finding.of(
                    codes.SIGNATURE_INVALID,
                    self.signature.document,
                    f"{self.signature.id}: {what} by minisign key {key.key_id} does not match",
                    cause="the bytes were changed after signing",
                ),
            )
        comment = parsed.untrusted_trusted_comment.decode("utf-8", "replace")
        attempts.append(KeyAttempt(key.anchor, key.key_id, True))
        return SignatureOutcome(
            self.signature,
            Status.VERIFIED,
            vouchers=(
                Voucher(
                    key.anchor,
                    self.signature.document,
                    f"minisign signature {self.signature.id}",
                    Signer(identity=f"minisign key {key.key_id}", key=key.key_id),
                    {"trusted comment": comment},
                ),
            ),
            attempts=tuple(attempts),
        )


class MinisignScheme:
    """Detached ``.minisig`` files."""

    name = SCHEME
    suffixes = (".minisig",)

    def recognise(self, data: bytes) -> bool:
        lines = data.split(b"\n", 3)
        return data.startswith(_UNTRUSTED) and len(lines) == 4 and lines[2].startswith(_TRUSTED)

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        return None

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """Parse a signature file. Raises AssayError (signature-malformed)."""
        parsed = _parse(data)
        if parsed is None:
            raise AssayError(
                Finding.of(
                    codes.SIGNATURE_MALFORMED, signature_id, "not a well-formed minisign signature"
                )
            )
        return [MinisignSignature(parsed, Signature(signature_id, SCHEME, document, alternatives))]

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """A minisign public key file, or the bare base64 key. An empty list for anything else."""
        lines = [line for line in data.replace(b"\r\n", b"\n").split(b"\n") if line.strip()]
        if lines and lines[0].startswith(_UNTRUSTED):
            lines = lines[1:]
        raw = _decode(lines[0], 42) if len(lines) == 1 else None
        if raw is None or raw[:2] != b"Ed":
            return []
        return [Key(anchor, SCHEME, _shown(raw[2:10]), raw[2:])]


SCHEME_PLUGIN: SignatureScheme = MinisignScheme()
