"""Names of images in registries, by the grammar of the reference format, in full.

reference   ::= name [ ":" tag ] [ "@" digest ]
name        ::= [ host [ ":" port ] "/" ] path-component [ "/" path-component ]*
"""

from __future__ import annotations

import re

from msgspec import Struct

from assay.model.digest import Digest
from assay.sources.http.url import parse_authority

DEFAULT_TAG = "latest"

_PATH = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\Z"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z"
_PATH_LENGTH = 255
_REFERENCE_LENGTH = 1024


class Reference(Struct, frozen=True):
    """An image in a registry. ``registry`` is ``host[:port]``; of ``tag`` and ``digest`` either
    may be missing, the digest decides where both are there."""

    registry: str
    repository: str
    tag: str = ""
    digest: Digest | None = None

    @property
    def name(self) -> str:
        return f"{self.registry}/{self.repository}"

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def names_a_registry(text: str) -> bool:
    """Whether the first part of a name is a host and not a folder of repositories: it has a dot
    or a port, is localhost, or has capital letters, which no repository may have."""
    first, slash, _ = text.partition("/")
    return bool(slash) and (
        "." in first or ":" in first or first == "localhost" or first != first.lower()
    )


def is_tag(text: str) -> bool:
    """Whether the text is a tag by the grammar."""
    return re.match(_TAG, text) is not None


def parse_reference(text: str, default_registry: str = "") -> Reference:
    """Parse an image's name.

    ``default_registry`` stands in where the name carries no registry. Raises ValueError, saying
    what is wrong.
    """
    if len(text) > _REFERENCE_LENGTH:
        raise ValueError(f"longer than {_REFERENCE_LENGTH} characters")
    rest, at, digest_text = text.partition("@")
    digest = Digest.parse(digest_text) if at else None
    if digest is not None and not digest.binding:
        raise ValueError(f"{digest.algorithm} identifies nothing: collisions are known")
    if names_a_registry(rest):
        registry, _, rest = rest.partition("/")
    elif default_registry:
        registry = default_registry
    else:
        raise ValueError("it names no registry; expected HOST[:PORT]/REPOSITORY[:TAG|@DIGEST]")
    parse_authority(registry)
    repository, colon, tag = rest.partition(":")
    if colon and not is_tag(tag):
        raise ValueError(f"not a tag: {tag[:140]!r}")
    if not re.match(_PATH, repository) or len(repository) > _PATH_LENGTH:
        raise ValueError(
            f"not a repository: {repository[:80]!r} (lower-case letters and digits, parted by"
            " . _ __ - or /)"
        )
    lowered = registry.lower()
    if names_a_registry(f"{registry}/") and not names_a_registry(f"{lowered}/"):
        # only its capital letters tell that it is a host
        lowered = registry
    return Reference(lowered, repository, tag, digest)


def referrers_tag(digest: Digest) -> str:
    """The tag under which referrers of a digest are kept where the registry has no API for them
    (distribution-spec, "Referrers Tag Schema")."""
    return f"{digest.algorithm[:32]}-{digest.hex[:64]}"
