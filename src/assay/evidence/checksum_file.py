"""Checksum files: GNU coreutils, BSD and OpenSSL forms, and bare hexadecimal sidecars."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from assay import limits
from assay.model.codes import checksums as codes
from assay.model.codes import content as content_codes
from assay.model.digest import Digest, algorithm_named
from assay.model.finding import AssayError, Finding

_BY_HEX_LENGTH = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
_GNU = re.compile(r"(\\?)([0-9a-fA-F]{32,128}) ([ *])(.+)\Z", re.DOTALL)
_TAG = re.compile(r"(\\?)([A-Za-z0-9][A-Za-z0-9/_-]*) ?\((.+)\) ?= ?([0-9a-fA-F]{32,128})\Z")
_BARE = re.compile(r"[0-9a-fA-F]{32,128}\Z")


class Entry(Struct, frozen=True):
    """One line of a checksum file. ``name`` is empty for a bare digest; ``line`` counts from 1."""

    name: str
    digest: Digest
    line: int


def _unescape(name: str) -> str:
    return re.sub(r"\\([nr\\])", lambda match: {"n": "\n", "r": "\r", "\\": "\\"}[match[1]], name)


def _digest(algorithm: str, hexadecimal: str) -> Digest | None:
    known = algorithm_named(algorithm)
    if known is None or len(hexadecimal) != 2 * known.size:
        return None
    return Digest(known.name, bytes.fromhex(hexadecimal))


def parse(text: str, document: str, name_hint: str = "") -> tuple[list[Entry], list[Finding]]:
    """The entries of a checksum file, and findings for lines that are none.

    ``name_hint`` is the checksum file's own name, which tells SHA-256 from the other 256-bit
    algorithms (``B2SUMS``, ``file.blake3``). Raises AssayError when there are too many lines.
    """
    entries: list[Entry] = []
    findings: list[Finding] = []
    lines = text.splitlines()
    if len(lines) > limits.CHECKSUM_LINES:
        raise AssayError(Finding.of(content_codes.LIMIT_EXCEEDED, document, f"{len(lines)} lines"))
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip("\r")
        if not line.strip() or line.lstrip().startswith(("#", ";", "//")):
            continue
        entry = _line(line, number, name_hint)
        if entry is None:
            findings.append(
                Finding.of(
                    codes.CHECKSUM_LINE_MALFORMED,
                    document,
                    f"line {number} is not a checksum",
                    expected="DIGEST  NAME, or ALGORITHM (NAME) = DIGEST",
                    actual=line[:100],
                )
            )
        else:
            entries.append(entry)
    return entries, findings


def _line(line: str, number: int, name_hint: str) -> Entry | None:
    if match := _TAG.match(line):
        escaped, algorithm, name, hexadecimal = match.groups()
        digest = _digest(algorithm, hexadecimal)
    elif match := _GNU.match(line):
        escaped, hexadecimal, _, name = match.groups()
        digest = _digest(_algorithm_for(len(hexadecimal), name_hint), hexadecimal)
    elif _BARE.match(line.strip()):
        escaped, name, hexadecimal = "", "", line.strip()
        digest = _digest(_algorithm_for(len(hexadecimal), name_hint), hexadecimal)
    else:
        return None
    if digest is None:
        return None
    return Entry(_unescape(name) if escaped else name, digest, number)


def _algorithm_for(length: int, name_hint: str) -> str:
    hint = name_hint.lower()
    if length == 64 and ("b3sum" in hint or "blake3" in hint):
        return "blake3"
    if length == 128 and ("b2sum" in hint or "blake2" in hint):
        return "blake2b"
    return _BY_HEX_LENGTH.get(length, "")


def entries_for(entries: Sequence[Entry], label: str) -> list[Entry]:
    """The entries about a file called ``label``: by its full name, else by base name; a bare
    digest counts when the file holds nothing else."""
    exact = [entry for entry in entries if entry.name.removeprefix("./") == label]
    if exact:
        return exact
    base = [entry for entry in entries if entry.name.rsplit("/", 1)[-1] == label]
    if base:
        return base
    if entries and all(not entry.name for entry in entries):
        return list(entries)
    return []
