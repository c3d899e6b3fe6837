"""The list in an offline bundle, ``bundle.json``: what is in it, about which image, made when, and
until when it may be used. Nothing that stands in it is believed."""

from __future__ import annotations

import re
import tarfile
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from assay import canonical_json, limits, strict_json
from assay.model.codes.bundle import BUNDLE_MALFORMED
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding

NAME = "bundle.json"
MEDIA_TYPE = "application/vnd.assay.bundle.v1+json"

IMAGE = "image"
"""A manifest, index or configuration of the image."""
CONTENT = "content"
"""A layer of the image, or the file that the image is."""
ATTACHED = "attached"
"""Something attached to the image, or a part of it."""

EVIDENCE_ROLES = ("signature", "attestation", "checksums", "baseline")
TRUST_ROLES = (
    "key",
    "ca",
    "ca-intermediate",
    "tsa-ca",
    "crl",
    "ssh-revoked",
    "trusted-root",
    "witness-policy",
    "policy",
)
"""Named after the options of the command line that take such a file."""

ROLES = (IMAGE, CONTENT, ATTACHED, *EVIDENCE_ROLES, *TRUST_ROLES)

_TIME = "%Y-%m-%dT%H:%M:%SZ"
_FILE_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}\Z")


class Entry(Struct, frozen=True):
    """One part. ``name`` is the file's name for evidence and what is trusted, else empty;
    ``anchor`` says that the user named it to be trusted."""

    role: str
    digest: Digest
    size: int
    name: str = ""
    anchor: bool = False

    @property
    def path(self) -> str:
        """Its name in the archive."""
        return f"blobs/{self.digest.algorithm}/{self.digest.hex}"


class Identity(Struct, frozen=True):
    """As of ``--identity``, ``--issuer`` and ``--identity-claim``."""

    name: str
    issuer: str = ""
    claims: dict[str, str] = {}


class Subject(Struct, frozen=True):
    """The image that a bundle is about. ``name`` is what it was called when the bundle was made;
    ``media_type`` is empty for a plain file."""

    name: str
    digest: Digest
    size: int
    media_type: str = ""


class Manifest(Struct, frozen=True):
    """``complete`` says that the image's content is inside. ``identities``, ``digests`` and
    ``demands`` are what was given to be trusted beside files, and what was asked of signatures."""

    subject: Subject
    created: datetime
    valid_until: datetime
    complete: bool
    entries: tuple[Entry, ...]
    identities: tuple[Identity, ...] = ()
    digests: tuple[Digest, ...] = ()
    demands: dict[str, str] = {}
    tool: str = ""

    def of(self, *roles: str) -> list[Entry]:
        """The entries with these roles."""
        return [entry for entry in self.entries if entry.role in roles]

    @property
    def has_trust(self) -> bool:
        """Whether there is anything in it that could be trusted."""
        return bool(
            self.identities
            or self.digests
            or self.of(*TRUST_ROLES)
            or any(entry.anchor for entry in self.entries)
        )


def header_of(name: str, size: int) -> bytes:
    """What stands in front of a member of the archive: nothing is left to whoever writes it."""
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = size, 0o644, 0
    return header.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def padding_of(size: int) -> bytes:
    """What follows a member's content."""
    return bytes(-size % tarfile.BLOCKSIZE)


END = bytes(2 * tarfile.BLOCKSIZE)


def encode_manifest(manifest: Manifest) -> bytes:
    """The same bytes for the same manifest. Raises ValueError for names that cannot be written."""
    subject = manifest.subject
    return canonical_json.encode(
        {
            "mediaType": MEDIA_TYPE,
            "created": manifest.created.strftime(_TIME),
            "validUntil": manifest.valid_until.strftime(_TIME),
            "tool": manifest.tool,
            "image": {
                "name": subject.name,
                "digest": str(subject.digest),
                "size": subject.size,
                "mediaType": subject.media_type,
                "complete": manifest.complete,
            },
            "entries": [
                {
                    "role": entry.role,
                    "digest": str(entry.digest),
                    "size": entry.size,
                    **({"name": entry.name} if entry.name else {}),
                    **({"anchor": True} if entry.anchor else {}),
                }
                for entry in manifest.entries
            ],
            "trust": {
                "identities": [
                    {"name": one.name, "issuer": one.issuer, "claims": one.claims}
                    for one in manifest.identities
                ],
                "digests": [str(digest) for digest in manifest.digests],
                "demands": manifest.demands,
            },
        }
    )


def parse_manifest(data: bytes) -> Manifest:
    """Read a list. Raises AssayError (bundle-malformed), also where it is not written in the one
    form that `encode_manifest` gives it."""
    try:
        top = _Object(strict_json.parse(data, NAME), "the list")
        manifest = _manifest(top)
    except AssayError as error:
        raise malformed(error.finding.detail) from error
    if encode_manifest(manifest) != data:
        raise malformed("the list is not in its canonical form, or has members that are not known")
    return manifest


def malformed(detail: str, *, offset: int | None = None, **compared: object) -> AssayError:
    """The error for a file that is no offline bundle."""
    return AssayError(Finding.of(BUNDLE_MALFORMED, detail=detail, offset=offset, **compared))  # type: ignore[arg-type]


def _manifest(top: _Object) -> Manifest:
    if top.text("mediaType") != MEDIA_TYPE:
        raise malformed("mediaType is not that of an offline bundle", expected=MEDIA_TYPE)
    image, trust = top.object("image"), top.object("trust")
    listed = top.list("entries", limits.BUNDLE_ENTRIES)
    manifest = Manifest(
        subject=Subject(
            image.text("name"), image.digest("digest"), image.size("size"), image.text("mediaType")
        ),
        created=top.time("created"),
        valid_until=top.time("validUntil"),
        complete=image.flag("complete"),
        entries=tuple(_entry(_Object(value, f"entries[{n}]")) for n, value in enumerate(listed)),
        identities=tuple(
            _identity(_Object(value, f"identities[{n}]"))
            for n, value in enumerate(trust.list("identities", limits.BUNDLE_ENTRIES))
        ),
        digests=tuple(
            _digest(value, "trust.digests")
            for value in trust.list("digests", limits.BUNDLE_ENTRIES)
        ),
        demands=trust.texts("demands"),
        tool=top.text("tool"),
    )
    if manifest.valid_until <= manifest.created:
        raise malformed("validUntil is not after created")
    return manifest


def _entry(value: _Object) -> Entry:
    role = value.text("role")
    if role not in ROLES:
        raise malformed(f"{value.where}: the role {role[:40]!r} is not known")
    named = role in EVIDENCE_ROLES or role in TRUST_ROLES
    name = value.text("name") if named else ""
    if named and (not _FILE_NAME.match(name) or name in (".", "..") or not name.isprintable()):
        raise malformed(f"{value.where}: {name[:80]!r} is no name of a file")
    anchor = value.flag("anchor") if value.has("anchor") else False
    return Entry(role, value.digest("digest"), value.size("size"), name, anchor)


def _identity(value: _Object) -> Identity:
    return Identity(value.text("name"), value.text("issuer"), value.texts("claims"))


def _digest(value: Any, where: str) -> Digest:
    try:
        digest = Digest.parse(str(value))
    except ValueError as error:
        raise malformed(f"{where}: {error}") from error
    if not digest.binding:
        raise malformed(f"{where}: {digest.algorithm} identifies nothing")
    return digest


class _Object:
    """One JSON object, each member with the type that it has to have."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise malformed(f"{where} is not an object")
        self._value = value
        self.where = where

    def has(self, name: str) -> bool:
        return name in self._value

    def _get(self, name: str, kind: type) -> Any:
        value = self._value.get(name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise malformed(f"{self.where}: {name} is missing, or not of the right type")
        return value

    def text(self, name: str) -> str:
        text: str = self._get(name, str)
        if len(text) > limits.REFERENCE:
            raise malformed(f"{self.where}: {name} has {len(text)} characters")
        return text

    def texts(self, name: str) -> dict[str, str]:
        found: dict[str, str] = self._get(name, dict)
        if len(found) > 64 or not all(
            isinstance(text, str) and len(text) <= limits.REFERENCE for text in found.values()
        ):
            raise malformed(f"{self.where}: {name} is no short list of texts")
        return found

    def flag(self, name: str) -> bool:
        flag: bool = self._get(name, bool)
        return flag

    def size(self, name: str) -> int:
        size: int = self._get(name, int)
        if not 0 <= size <= canonical_json.LARGEST:
            raise malformed(f"{self.where}: {name} is not a count of bytes")
        return size

    def digest(self, name: str) -> Digest:
        return _digest(self._get(name, str), f"{self.where}: {name}")

    def object(self, name: str) -> _Object:
        return _Object(self._get(name, dict), name)

    def list(self, name: str, most: int) -> list[Any]:
        found: list[Any] = self._get(name, list)
        if len(found) > most:
            raise malformed(f"{self.where}: {name} has {len(found)} entries")
        return found

    def time(self, name: str) -> datetime:
        try:
            return datetime.strptime(self.text(name), _TIME).replace(tzinfo=UTC)
        except ValueError:
            raise malformed(
                f"{self.where}: {name} is not a time such as 2026-11-24T12:00:00Z"
            ) from None
