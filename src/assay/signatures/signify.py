"""OpenBSD's signify (signify(1)): detached signatures, and messages embedded after them (-e).

A signed checksum list (``signify -C``) is an embedded message whose content is a checksum file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from assay import limits
from assay.model.anchor import Signer
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding
from assay.model.measurement import ContentRequest, Request
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

SCHEME = "signify"
_COMMENT_LENGTH = 1024
"""signify's own bound on a comment line."""


class Header(Struct, frozen=True):
    """The two lines of a signature, and where they end."""

    untrusted_comment: bytes
    key_number: bytes
    untrusted_signature: bytes
    end: int


def parse_header(data: bytes, what: str) -> Header:
    """Read a comment line and a base64 line, each ended by a line feed as signify writes them.

    Raises AssayError (signature-malformed) saying which line is wrong.
    """

    def malformed(line: int, offset: int, expected: str, found: bytes) -> AssayError:
        return AssayError(
            Finding.of(
                codes.SIGNATURE_MALFORMED,
                what,
                f"line {line} of the signify signature is not as it must be",
                expected=expected,
                actual=printable(found, 100) if found else "no such line",
                offset=offset,
                cause="a truncated or damaged download",
            )
        )

    first = data.find(b"\n")
    comment = data[: max(first, 0)]
    if not comment.startswith(UNTRUSTED) or len(comment) > _COMMENT_LENGTH:
        raise malformed(1, 0, "untrusted comment: ...", data[:100])
    second = data.find(b"\n", first + 1, first + 1 + 4 * SIGNATURE_SIZE)
    line = data[first + 1 : second] if second > 0 else data[first + 1 : first + 101]
    raw = decode_line(line, SIGNATURE_SIZE) if second > 0 else None
    if raw is None or raw[:2] != b"Ed":
        expected = f"base64 of {SIGNATURE_SIZE} bytes that start with Ed, and a line feed"
        raise malformed(2, first + 1, expected, line)
    return Header(comment, raw[2:10], raw[10:], second + 1)


class SignifySignature:
    """One signify signature over a document."""

    def __init__(self, header: Header, signature: Signature) -> None:
        self._header = header
        self.signature = signature
        self._request = ContentRequest(limits.CONTENT_IN_MEMORY)

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        return (self._request,) if any(self._names(key) for key in keys) else ()

    def _names(self, key: Key) -> bool:
        return key.scheme == SCHEME and key.material.number == self._header.key_number

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        trial = Trial(self.signature, "signify signature")
        mine = [key for key in keys if key.scheme == SCHEME]
        named = shown_number(self._header.key_number)
        message: bytes | None = answers.get(self._request)
        for key in mine:
            public = key.material
            assert isinstance(public, Ed25519Key)
            if not self._names(key):
                trial.miss(key, f"the signature names key {named}")
            elif message is None:
                trial.fail(
                    key,
                    Status.UNCHECKED,
                    "what it signs could not be measured",
                    Finding.of(codes.SIGNATURE_UNCHECKED, self.signature.document),
                )
            elif public.confirms(self._header.untrusted_signature, message):
                trial.match(
                    key,
                    Signer(
                        identity=f"signify key {key.key_id}",
                        key=public.fingerprint,
                        algorithm=public.key.algorithm(),
                    ),
                )
            else:
                trial.fail(
                    key,
                    Status.INVALID,
                    "the signature does not match",
                    Finding.of(
                        codes.SIGNATURE_INVALID,
                        self.signature.document,
                        f"{self.signature.id}: the signature by signify key {named} does not match",
                        cause="the bytes were changed after signing",
                    ),
                )
        hint = printable(self._header.untrusted_comment[len(UNTRUSTED) :].strip(), 100)
        return trial.outcome(
            Finding.of(
                codes.WRONG_KEY,
                self.signature.document,
                f"{self.signature.id}: made by signify key {named}; its comment, which anyone can"
                f" write, says {hint!r}",
                expected=", ".join(key.key_id for key in mine) or "a signify key",
                actual=named,
            )
        )


class SignifyScheme:
    """Detached ``.sig`` files, and files with the message embedded."""

    name = SCHEME
    suffixes = (".sig",)
    last_resort_for = ""

    def recognise(self, data: bytes) -> bool:
        """Any file with the comment line that is not minisign's: so that a damaged one gets the
        finding that says which line is wrong."""
        from assay.signatures.minisign import SCHEME_PLUGIN as MINISIGN

        return data.startswith(UNTRUSTED) and not MINISIGN.recognise(data)

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """Parse a signature file of two lines. Raises AssayError (signature-malformed)."""
        header = parse_header(data, signature_id)
        if header.end != len(data):
            raise AssayError(
                Finding.of(
                    codes.SIGNATURE_MALFORMED,
                    signature_id,
                    "the signature is followed by a message of its own (signify -e), so it is not"
                    " about another file",
                    expected="two lines",
                    actual=f"{len(data) - header.end} bytes after them",
                    offset=header.end,
                )
            )
        return [SignifySignature(header, Signature(signature_id, SCHEME, document, alternatives))]

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        """A message embedded after its signature (``signify -S -e``). Raises AssayError
        (signature-malformed)."""
        if not self.recognise(data) or data.count(b"\n", 0, limits.DETECT_HEAD) < 2:
            return None
        header = parse_header(data, signature_id)
        if header.end == len(data):
            return None
        prepared = SignifySignature(header, Signature(signature_id, SCHEME, document))
        return InlineSigned(data[header.end :], (prepared,), 0)

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """A signify or minisign public key file, or its bare base64 line."""
        return ed25519_lines.load_keys(data, anchor)


SCHEME_PLUGIN: SignatureScheme = SignifyScheme()
