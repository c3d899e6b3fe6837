"""Grounds: what a policy is judged on, beside what a verdict tells in any case. With it a recorded
verdict can be judged again, at another time or by another policy, without touching the image."""

from __future__ import annotations

from msgspec import Struct

from assay.model.anchor import Signer

Gap = tuple[int, int, int]
"""Bytes that no anchor reaches: which byte space of the image, first offset, offset after the
last. Components that share bytes share gaps."""


class Target(Struct, frozen=True):
    """A part of the image that stands for it as a whole: one platform of several, say. ``id`` is
    that of its component, ``digests`` are its own as text. ``labels`` are those of its
    configuration and ``annotations`` those of its manifest: its maker's words, no better than the
    anchors that reach it."""

    id: str
    digests: tuple[str, ...] = ()
    platform: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class KnownAnchor(Struct, frozen=True):
    """An anchor of the policy that the image was checked with. ``definition`` is a digest of all
    that it is made of: by another policy an anchor of the same name may be somebody else."""

    name: str
    definition: str = ""


class Endorsement(Struct, frozen=True):
    """That an anchor vouches for a document, by one signature or by the user's own word, and what
    that comes to.

    ``anchor`` is its name in the policy. ``reaches`` are the targets and the statements that claims
    lead to from there. Endorsements of one ``person`` are by one signer, by whatever keys.
    ``claims`` are what is proven of the signer beside names, ``certificate`` is the fingerprint of
    the signer's, and ``signed_for`` is the image name that the signed document says it is about.
    """

    anchor: str
    document: str
    reaches: tuple[str, ...] = ()
    person: int = 0
    scheme: str = ""
    signer: Signer | None = None
    claims: dict[str, str] = {}
    signed_for: str = ""
    certificate: str = ""


class Occasion(Struct, frozen=True):
    """Where and why the image is about to be used, as the caller says. None stands for what is not
    said. ``break_glass`` is the reason for asking that rules be set aside, empty where nobody
    asks."""

    namespace: str | None = None
    namespace_labels: dict[str, str] | None = None
    environment: str | None = None
    break_glass: str = ""


class SeenVersion(Struct, frozen=True):
    """The highest version of a repository that a ledger has on record as allowed. ``read_from`` is
    where it stood (``tag``, ``label:NAME`` ...), ``order`` how versions compare; ``version`` is
    empty where there was none, and ``unread`` counts entries of which that is not known. ``entry``
    is the number of the entry."""

    repository: str
    read_from: str
    order: str
    version: str = ""
    entry: int | None = None
    unread: int = 0


class Grounds(Struct, frozen=True):
    """What a policy is judged on. ``name`` is what the image is used by (the name that patterns
    match), ``root`` the component that a digest of it means. ``gaps`` are, by component, the stored
    bytes in it that no anchor reaches. ``history`` is what the ledger said when it was asked."""

    name: str
    root: str
    targets: tuple[Target, ...] = ()
    anchors: tuple[KnownAnchor, ...] = ()
    endorsements: tuple[Endorsement, ...] = ()
    gaps: dict[str, tuple[Gap, ...]] = {}
    occasion: Occasion = Occasion()
    history: tuple[SeenVersion, ...] = ()
