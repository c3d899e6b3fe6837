"""Message authentication codes: HMAC (RFC 2104) over SHA-2 and SHA-3, and keyed BLAKE3.

A MAC file holds one code alone, or lines that name an algorithm, a file, or both. Those names
are not covered by the code, so they choose nothing: every code of the file is compared. To bind
names to contents, make the MAC over a checksum file.
"""

from __future__ import annotations

import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from assay import limits
from assay.model.anchor import Algorithm, Signer
from assay.model.codes import content as content_codes
from assay.model.codes import trust as codes
from assay.model.digest import algorithm_named
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest, Request
from assay.model.secret import Secret
from assay.model.signature import (
    InlineSigned,
    Key,
    PreparedSignature,
    Signature,
    SignatureOutcome,
    SignatureScheme,
    Status,
)
from assay.signatures.trial import Trial, printable

SCHEME = "mac"
KEY_SCHEME = "secret"
DEMAND = "mac-algorithm"
ALGORITHMS = (
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha512-256",
    "sha3-224",
    "sha3-256",
    "sha3-384",
    "sha3-512",
    "blake3",
)
"""Digest algorithms of the MACs accepted; BLAKE3 by its own keyed mode, all others as HMAC."""

_BY_LENGTH = {16: "md5", 20: "sha1", 28: "sha224", 32: "sha256", 48: "sha384", 64: "sha512"}
_BLAKE3_KEY_SIZE = 32
_NAMED = r"([A-Za-z0-9/_-]{3,40}) ?\(.{0,4096}\) ?= ?([0-9A-Fa-f]{32,128})\Z"
_LISTED = r"([0-9A-Fa-f]{32,128}) [ *].{1,4096}\Z"
_HEX = rb"[0-9A-Fa-f]+\Z"


class Entry(Struct, frozen=True):
    """One code of a MAC file. ``algorithm`` is a digest's canonical name, taken from the length
    of the code unless ``named``."""

    untrusted_algorithm: str
    untrusted_tag: bytes
    named: bool


def digest_of(name: str) -> str:
    """The digest behind a MAC's name (``HMAC-SHA2-256``, ``hmac-sha3-512``, ``blake3``), by its
    canonical name; empty when it is unknown."""
    algorithm = algorithm_named(re.sub(r"^hmac[-_]", "", name.strip().lower()))
    return algorithm.name if algorithm is not None else ""


def accepted_name(algorithm: str) -> str:
    """A MAC's name for people."""
    return "keyed BLAKE3" if algorithm == "blake3" else f"HMAC-{algorithm.upper()}"


def _entry(algorithm: str, tag: bytes, hint: str) -> Entry | None:
    canonical = digest_of(algorithm) if algorithm else hint or _BY_LENGTH.get(len(tag), "")
    known = algorithm_named(canonical)
    if known is None or known.size != len(tag):
        return None
    return Entry(known.name, tag, bool(algorithm))


def _hint(file_name: str) -> str:
    """The algorithm that a MAC file's own name gives (``disk.img.hmac-sha3-256``)."""
    suffix = file_name.rpartition(".")[2].lower()
    if suffix in ("b3mac", "blake3mac"):
        return "blake3"
    return digest_of(suffix) if suffix.startswith("hmac-") else ""


def _alone(data: bytes, hint: str) -> Entry | None:
    """A file with one code and nothing else: hexadecimal, base64, or the bytes themselves."""
    text = data.strip(b" \t\r\n")
    if re.match(_HEX, text) and len(text) % 2 == 0:
        return _entry("", binascii.a2b_hex(text), hint)
    try:
        decoded = binascii.a2b_base64(text, strict_mode=True)
    except (ValueError, binascii.Error):
        decoded = b""
    if decoded and (entry := _entry("", decoded, hint)):
        return entry
    printable_text = data.isascii() and text.decode("ascii").isprintable()
    return None if printable_text else _entry("", data, hint)


def _line(line: str, hint: str) -> Entry | None:
    if match := re.match(_NAMED, line):
        algorithm, hexadecimal = match[1], match[2]
    elif match := re.match(_LISTED, line):
        algorithm, hexadecimal = "", match[1]
    else:
        return None
    if len(hexadecimal) % 2:
        return None
    return _entry(algorithm, binascii.a2b_hex(hexadecimal), hint)


def parse(data: bytes, what: str) -> list[Entry]:
    """The codes of a MAC file called ``what``. Raises AssayError (signature-malformed,
    limit-exceeded) with the offset of the line that is none."""
    hint = _hint(what)
    if entry := _alone(data, hint):
        return [entry]
    entries: list[Entry] = []
    offset = 0
    for raw in data.split(b"\n"):
        line = raw.removesuffix(b"\r").decode("utf-8", "replace")
        if line.strip() and not line.startswith("#"):
            entry = _line(line, hint)
            if entry is None:
                raise AssayError(
                    Finding.of(
                        codes.SIGNATURE_MALFORMED,
                        what,
                        "a line of the MAC file is no code",
                        expected="a code in hexadecimal or base64, HMAC-SHA256(NAME)= HEX, or"
                        " HEX  NAME",
                        actual=printable(line, 100),
                        offset=offset,
                    )
                )
            if len(entries) >= limits.SIGNATURES:
                raise AssayError(
                    Finding.of(
                        content_codes.LIMIT_EXCEEDED, what, f"more than {limits.SIGNATURES} codes"
                    )
                )
            entries.append(entry)
        offset += len(raw) + 1
    if not entries:
        raise AssayError(Finding.of(codes.SIGNATURE_MALFORMED, what, "the MAC file holds no code"))
    return entries


class Mac:
    """The codes of one MAC file, any of which may be over the document."""

    def __init__(self, entries: Sequence[Entry], signature: Signature) -> None:
        self._entries = entries
        self.signature = signature

    def _usable(self, key: Key) -> list[tuple[Entry, HashRequest]]:
        """The codes that can be checked with this key, with what to measure for each."""
        assert isinstance(key.material, Secret)
        demanded = key.demands.get(DEMAND, "")
        wanted = digest_of(demanded)
        found = []
        for entry in self._entries:
            algorithm = entry.untrusted_algorithm
            if demanded and algorithm != wanted:
                known = algorithm_named(wanted)
                if entry.named or known is None or known.size != len(entry.untrusted_tag):
                    continue
                algorithm = wanted
            if algorithm not in ALGORITHMS:
                continue
            if algorithm == "blake3" and len(key.material.reveal()) != _BLAKE3_KEY_SIZE:
                continue
            found.append((entry, HashRequest(algorithm, key=key.material)))
        return found

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        mine = [key for key in keys if key.scheme == KEY_SCHEME]
        return tuple(dict.fromkeys(need for key in mine for _, need in self._usable(key)))

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        trial = Trial(self.signature, "MAC")
        document = self.signature.document
        for key in keys:
            if key.scheme == KEY_SCHEME:
                self._try(trial, key, answers)
        return trial.outcome(
            Finding.of(
                codes.WRONG_KEY,
                document,
                f"{self.signature.id}: a message authentication code, and no secret was given",
                expected="the shared secret (--key secret:FILE)",
                actual="no secret",
            )
        )

    def _try(self, trial: Trial, key: Key, answers: Mapping[Request, Any]) -> None:
        document, usable = self.signature.document, self._usable(key)
        if not usable:
            self._refuse(trial, key)
            return
        if any(need not in answers for _, need in usable):
            reason = "what it is over could not be measured"
            finding = Finding.of(codes.SIGNATURE_UNCHECKED, document)
            trial.fail(key, Status.UNCHECKED, reason, finding)
            return
        # Every code is compared, in constant time each, before anything is concluded.
        matching = [
            need
            for entry, need in usable
            if hmac.compare_digest(answers[need], entry.untrusted_tag)
        ]
        if matching:
            name = accepted_name(matching[0].algorithm)
            notes = {"MAC": name}
            algorithm = Algorithm("HMAC", name, digest=matching[0].algorithm)
            signer = Signer(f"holder of {key.key_id}", key.key_id, algorithm=algorithm)
            trial.match(key, signer, notes)
            return
        tried = ", ".join(dict.fromkeys(accepted_name(need.algorithm) for _, need in usable))
        number = f"none of {len(usable)} codes" if len(usable) > 1 else "the code"
        verb = "matches" if len(usable) > 1 else "does not match"
        line_feed = key.material.reveal().endswith(b"\n")
        trial.fail(
            key,
            Status.INVALID,
            f"{number} {verb} ({tried})",
            Finding.of(
                codes.MAC_INVALID,
                document,
                f"{self.signature.id}: {number} {verb} ({tried}, {key.key_id})"
                + ("; note that the secret ends with a line feed" if line_feed else ""),
                cause="changed bytes, or another secret",
            ),
        )

    def _refuse(self, trial: Trial, key: Key) -> None:
        """Why none of the codes can be checked with this key."""
        document = self.signature.document
        wanted = key.demands.get(DEMAND, "")
        algorithms = list(dict.fromkeys(entry.untrusted_algorithm for entry in self._entries))
        actual = ", ".join(map(accepted_name, algorithms))
        blake3_meant = "blake3" in algorithms or any(
            not entry.named and len(entry.untrusted_tag) == 32 for entry in self._entries
        )
        if blake3_meant and (digest_of(wanted) == "blake3" or not wanted):
            code = codes.KEY_NOT_PERMITTED
            reason = f"keyed BLAKE3 takes a secret of exactly {_BLAKE3_KEY_SIZE} bytes"
            expected, actual = f"{_BLAKE3_KEY_SIZE} bytes", "a secret of another length"
        elif wanted:
            code, expected = codes.KEY_NOT_PERMITTED, wanted
            reason = f"the secret may only be used with {wanted}"
        else:
            code, expected = codes.WEAK_SIGNATURE, ", ".join(map(accepted_name, ALGORITHMS))
            reason = f"{actual} is not accepted"
        finding = Finding.of(
            code, document, f"{self.signature.id}: {reason}", expected=expected, actual=actual
        )
        trial.fail(key, Status.INVALID, reason, finding)


class MacScheme:
    """MAC files; a bare code has no shape of its own, so this needs a secret to be chosen."""

    name = SCHEME
    suffixes = (
        ".mac",
        ".hmac",
        ".b3mac",
        *(f".hmac-{algorithm}" for algorithm in ALGORITHMS if algorithm != "blake3"),
    )
    last_resort_for = KEY_SCHEME

    def recognise(self, data: bytes) -> bool:
        try:
            return bool(parse(data, ""))
        except AssayError:
            return False

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """Parse a MAC file. Raises AssayError (signature-malformed, limit-exceeded)."""
        entries = parse(data, signature_id)
        return [Mac(entries, Signature(signature_id, SCHEME, document, alternatives))]

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        return None

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """None: a secret has no shape, so it is only ever taken for one by name (``secret:``)."""
        return []


SCHEME_PLUGIN: SignatureScheme = MacScheme()
