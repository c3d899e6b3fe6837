"""Whether the name that a signature was made for is right for the name that an image is used by:
the rules of ``signedIdentity`` in containers-policy.json(5). Pure.

A signature of the right bytes by the right key is still the wrong one when it was made for another
image: an old version under the tag of the current one, a test image in place of the real one.
"""

from __future__ import annotations

import re
from typing import Protocol

from msgspec import Struct

from assay.sources.registry.names import complete
from assay.sources.registry.reference import Reference


class SignedName(Protocol):
    """A rule for the name that a signature was made for."""

    def admits(self, used: Reference | None, signed: str) -> bool:
        """Whether a signature for the name ``signed`` is right for an image used by the name
        ``used``; None when that has no name in a registry. Raises nothing."""
        ...

    def describe(self, used: Reference | None) -> str:
        """The name asked for, in words."""
        ...


def _parsed(text: str) -> Reference | None:
    try:
        return complete(text)
    except ValueError:
        return None


def _whole(reference: Reference | None) -> bool:
    """Whether it says which image of a repository it is: no tag is added to what was signed."""
    return reference is not None and bool(reference.tag or reference.digest)


def _same(one: Reference | None, other: Reference | None) -> bool:
    return _whole(one) and one == other


def _unnamed(used: Reference | None) -> str:
    return str(used) if used is not None else "a name, which the image as opened does not have"


class MatchExact(Struct, frozen=True):
    """The same repository, and the same tag or digest."""

    def admits(self, used: Reference | None, signed: str) -> bool:
        return used is not None and _same(used, _parsed(signed))

    def describe(self, used: Reference | None) -> str:
        return _unnamed(used)


class MatchRepoDigestOrExact(Struct, frozen=True):
    """As `MatchExact`; but an image that is used by its digest may have been signed for any tag
    of the repository, since the digest says by itself which image it is."""

    def admits(self, used: Reference | None, signed: str) -> bool:
        found = _parsed(signed)
        if used is None or found is None or not _whole(found):
            return False
        if used.digest is not None:
            return found.name == used.name
        return _same(used, found)

    def describe(self, used: Reference | None) -> str:
        if used is not None and used.digest is not None:
            return f"an image of {used.name}"
        return _unnamed(used)


class MatchRepository(Struct, frozen=True):
    """The same repository."""

    def admits(self, used: Reference | None, signed: str) -> bool:
        found = _parsed(signed)
        return used is not None and found is not None and found.name == used.name

    def describe(self, used: Reference | None) -> str:
        return f"an image of {used.name}" if used is not None else _unnamed(used)


class ExactReference(Struct, frozen=True):
    """This name, whatever the image is used by."""

    reference: Reference

    @classmethod
    def parse(cls, text: str) -> ExactReference:
        """Raises ValueError, also for a name with neither tag nor digest."""
        found = complete(text)
        if not _whole(found):
            raise ValueError("it has neither a tag nor a digest")
        return cls(found)

    def admits(self, used: Reference | None, signed: str) -> bool:
        return _same(self.reference, _parsed(signed))

    def describe(self, used: Reference | None) -> str:
        return str(self.reference)


class ExactRepository(Struct, frozen=True):
    """Any image of this repository, whatever the image is used by."""

    repository: str

    @classmethod
    def parse(cls, text: str) -> ExactRepository:
        """Raises ValueError, also for a name with a tag or a digest."""
        found = complete(text)
        if _whole(found):
            raise ValueError("it is one image, and not a repository")
        return cls(found.name)

    def admits(self, used: Reference | None, signed: str) -> bool:
        found = _parsed(signed)
        return found is not None and found.name == self.repository

    def describe(self, used: Reference | None) -> str:
        return f"an image of {self.repository}"


_PREFIX = (
    r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[0-9]+)?"
    r"(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\Z"
)


class RemapIdentity(Struct, frozen=True):
    """As `MatchRepoDigestOrExact`, where what is used below ``prefix`` (a mirror) was signed with
    ``signed_prefix`` in its place."""

    prefix: str
    signed_prefix: str

    @classmethod
    def parse(cls, prefix: str, signed_prefix: str) -> RemapIdentity:
        """Raises ValueError for what is no registry, namespace or repository."""
        for text in (prefix, signed_prefix):
            if not re.match(_PREFIX, text):
                raise ValueError(f"{text[:200]!r} is no registry, namespace or repository")
        return cls(prefix, signed_prefix)

    def _remapped(self, used: Reference) -> Reference | None:
        name = used.name
        if name != self.prefix and not name.startswith(f"{self.prefix}/"):
            return used
        text = self.signed_prefix + str(used)[len(self.prefix) :]
        found = _parsed(text)
        # a name that would be completed on the way means something else than it says
        return found if found is not None and str(found) == text else None

    def admits(self, used: Reference | None, signed: str) -> bool:
        meant = self._remapped(used) if used is not None else None
        return MatchRepoDigestOrExact().admits(meant, signed)

    def describe(self, used: Reference | None) -> str:
        meant = self._remapped(used) if used is not None else None
        return MatchRepoDigestOrExact().describe(meant)
