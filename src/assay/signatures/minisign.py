"""minisign signatures (minisign(1), "Signature format"), legacy and prehashed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from assay import limits
from assay.model.anchor import Signer
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
from assay.signatures import ed25519_lines
from assay.signatures.ed25519_lines import (
    SIGNATURE_SIZE,
    UNTRUSTED,
    Ed25519Key,
    decode_line,
    shown_number,
)
from assay.signatures.trial import Trial, printable

SCHEME = "minisign"
_TRUSTED = b"trusted comment: "
_PREHASHED, _LEGACY = b"ED", b"Ed"


class _Parsed(Struct, frozen=True):
    prehashed: bool
    key_number: bytes
    untrusted_signature: bytes
    untrusted_trusted_comment: bytes
    untrusted_global_signature: bytes


def parse(data: bytes, what: str) -> _Parsed:
    """Read a signature file of four lines. Raises AssayError (signature-malformed) saying which
    line is wrong."""

    def malformed(line: int, expected: str) -> AssayError:
        found = lines[line - 1] if line <= len(lines) else b""
        return AssayError(
            Finding.of(
                codes.SIGNATURE_MALFORMED,
                what,
                f"line {line} of the minisign signature is not as it must be",
                expected=expected,
                actual=printable(found, 100) if found else "no such line",
                offset=sum(len(before) + 1 for before in lines[: line - 1]),
                cause="a truncated or damaged download",
            )
        )

    lines = data.rstrip(b"\r\n").split(b"\n")
    stripped = [line.removesuffix(b"\r") for line in lines]
    if not stripped[0].startswith(UNTRUSTED):
        raise malformed(1, "untrusted comment: ...")
    raw = decode_line(stripped[1], SIGNATURE_SIZE) if len(stripped) > 1 else None
    if raw is None or raw[:2] not in (_PREHASHED, _LEGACY):
        raise malformed(2, f"base64 of {SIGNATURE_SIZE} bytes that start with Ed or ED")
    if len(stripped) < 3 or not stripped[2].startswith(_TRUSTED):
        raise malformed(3, "trusted comment: ...")
    global_signature = decode_line(stripped[3], 64) if len(stripped) > 3 else None
    if global_signature is None:
        raise malformed(4, "base64 of 64 bytes")
    if len(stripped) > 4:
        raise malformed(5, "the end of the file")
    return _Parsed(
        prehashed=raw[:2] == _PREHASHED,
        key_number=raw[2:10],
        untrusted_signature=raw[10:],
        untrusted_trusted_comment=stripped[2][len(_TRUSTED) :],
        untrusted_global_signature=global_signature,
    )


class MinisignSignature:
    """One minisign signature over a document."""

    def __init__(self, parsed: _Parsed, signature: Signature) -> None:
        self._parsed = parsed
        self.signature = signature
        self._request: Request = (
            HashRequest("blake2b") if parsed.prehashed else ContentRequest(limits.CONTENT_IN_MEMORY)
        )

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        if any(self._names(key) for key in keys):
            return (self._request,)
        return ()

    def _names(self, key: Key) -> bool:
        return key.scheme == SCHEME and key.material.number == self._parsed.key_number

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        trial = Trial(self.signature, "minisign signature")
        mine = [key for key in keys if key.scheme == SCHEME]
        message: bytes | None = answers.get(self._request)
        for key in mine:
            if not self._names(key):
                named = shown_number(self._parsed.key_number)
                trial.miss(key, f"the signature names key {named}")
            elif message is None:
                trial.fail(
                    key,
                    Status.UNCHECKED,
                    "what it signs could not be measured",
                    Finding.of(codes.SIGNATURE_UNCHECKED, self.signature.document),
                )
            else:
                self._try(trial, key, message)
        return trial.outcome(
            Finding.of(
                codes.WRONG_KEY,
                self.signature.document,
                f"{self.signature.id}: made by minisign key"
                f" {shown_number(self._parsed.key_number)}",
                expected=", ".join(key.key_id for key in mine) or "a minisign key",
                actual=shown_number(self._parsed.key_number),
            )
        )

    def _try(self, trial: Trial, key: Key, message: bytes) -> None:
        parsed, public = self._parsed, key.material
        assert isinstance(public, Ed25519Key)
        comment = parsed.untrusted_trusted_comment
        if not public.confirms(parsed.untrusted_signature, message):
            what, cause = "the signature", "the bytes were changed after signing"
        elif not public.confirms(
            parsed.untrusted_global_signature, parsed.untrusted_signature + comment
        ):
            what = "the signature of the trusted comment"
            cause = "the trusted comment was changed after signing"
        else:
            trial.match(
                key,
                Signer(
                    identity=f"minisign key {key.key_id}",
                    key=public.fingerprint,
                    algorithm=public.key.algorithm(),
                ),
                {"trusted comment": printable(comment)},
            )
            return
        trial.fail(
            key,
            Status.INVALID,
            f"{what} does not match",
            Finding.of(
                codes.SIGNATURE_INVALID,
                self.signature.document,
                f"{self.signature.id}: {what} by minisign key {key.key_id} does not match",
                cause=cause,
            ),
        )


class MinisignScheme:
    """Detached ``.minisig`` files."""

    name = SCHEME
    suffixes = (".minisig",)
    last_resort_for = ""

    def recognise(self, data: bytes) -> bool:
        """A comment line, and then what only minisign writes: a prehashed signature (``ED``) or
        a third line. signify's files start with the same comment line."""
        lines = data[: limits.DETECT_HEAD].split(b"\n")
        if not lines[0].startswith(UNTRUSTED) or len(lines) < 2:
            return False
        raw = decode_line(lines[1].removesuffix(b"\r"), SIGNATURE_SIZE)
        third = lines[2] if len(lines) > 2 else b""
        return third.startswith(b"trusted comment:") or (raw is not None and raw[:2] == _PREHASHED)

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        return None

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """Parse a signature file. Raises AssayError (signature-malformed)."""
        parsed = parse(data, signature_id)
        return [MinisignSignature(parsed, Signature(signature_id, SCHEME, document, alternatives))]

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """A minisign or signify public key file, or its bare base64 line."""
        return ed25519_lines.load_keys(data, anchor)


SCHEME_PLUGIN: SignatureScheme = MinisignScheme()
