"""The files that a policy names: keys, certificates, trusted roots. Each is read once, when the
policy is, and what was read is what counts from then on.

A policy that is pinned by a digest or signed is worth no more than the files that it names. So such
a policy has to hold their text itself, or their digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from assay import limits
from assay.evidence.model import read_bounded
from assay.model.finding import UsageError
from assay.policy.anchors import Anchor, Material, TrustedRoot
from assay.policy.problems import PolicyError, Problem
from assay.policy.reading import Document
from assay.policy.reading import Path as Place

_FIELDS = (
    "keys",
    "authorities",
    "intermediates",
    "checksums",
    "baselines",
    "uefi_databases",
    "forbidden",
)
_LIMITS = {"checksums": limits.DOCUMENT_SIZE, "baselines": limits.DOCUMENT_SIZE}


class Surroundings(Struct, frozen=True):
    """What a policy document has around it. Files are looked for in ``held`` (those that came with
    the policy), and else in ``folder``; None for a policy that is in no folder. A policy is
    ``sealed`` when its own bytes are vouched for."""

    folder: Path | None = None
    held: Mapping[str, bytes] = {}
    sealed: bool = False


class Piece(Struct, frozen=True):
    """The bytes of one key, certificate or document, and what to call it. ``outside`` says that
    the policy's own digest does not cover them."""

    name: str
    data: bytes
    digest: str
    outside: bool = True


Pieces = dict[Place, Piece]
"""What a policy document names, by its place in it."""


def read_pieces(document: Document, around: Surroundings) -> Pieces:
    """Everything that a document names. Raises PolicyError, with all that cannot be used."""
    found: Pieces = {}
    problems: list[Problem] = []
    for place, one, limit in _named(document):
        try:
            found[place] = _piece(one, around, limit)
        except UsageError as error:
            problems.append(Problem(document.place(*place), str(error), structural=False))
    if problems:
        raise PolicyError(problems)
    return found


def _named(document: Document) -> Iterator[tuple[Place, str | Material | TrustedRoot, int]]:
    policy = document.policy
    for name, anchor in policy.anchors.items():
        for field in _FIELDS:
            key = field.replace("_", "-")
            limit = _LIMITS.get(field, limits.KEY_FILE_SIZE)
            for number, one in enumerate(getattr(anchor, field)):
                yield ("anchors", name, key, number), one, limit
    for name, root in policy.trusted_roots.items():
        if not root.tuf:
            yield ("trusted-roots", name), root, limits.DOCUMENT_SIZE
    for number, one in enumerate(policy.time_authorities):
        yield ("time-authorities", number), one, limits.KEY_FILE_SIZE
    for number, one in enumerate(policy.revocation_lists):
        yield ("revocation-lists", number), one, limits.CRL_SIZE


def _piece(one: str | Material | TrustedRoot, around: Surroundings, limit: int) -> Piece:
    if not isinstance(one, str) and one.inline:
        data = one.inline.encode()
        return Piece("written in the policy", data, hashlib.sha256(data).hexdigest(), False)
    name = one if isinstance(one, str) else one.file
    pinned = None if isinstance(one, str) else one.sha256
    if around.sealed and pinned is None:
        raise UsageError(
            f"the policy is signed or pinned, and {name} is not: give its sha256 here, or its text"
            " (inline)"
        )
    data = _bytes(name, around, limit)
    digest = hashlib.sha256(data).hexdigest()
    if pinned is not None and digest != pinned:
        raise UsageError(f"{name} has the SHA-256 digest {digest}, and not {pinned}")
    return Piece(name, data, digest, outside=pinned is None)


def _bytes(name: str, around: Surroundings, limit: int) -> bytes:
    if name in around.held:
        data = around.held[name]
        if len(data) > limit:
            raise UsageError(f"{name} has more than {limit} bytes")
        return data
    if around.folder is None:
        raise UsageError(f"{name} did not come with the policy")
    return read_bounded(around.folder / name, limit, "the file")


def window_of(anchor: Anchor, field: str, number: int) -> Material | None:
    """The material itself, where it says more than a file's name."""
    one = getattr(anchor, field)[number]
    return one if isinstance(one, Material) else None
