"""Anchors: what the user trusts from the start."""

from __future__ import annotations

from msgspec import Struct


class Anchor(Struct, frozen=True):
    """One thing that the user trusts.

    ``kind`` groups alternatives: of each kind given, at least one must vouch for the image.
    Kinds in use: ``digest``, ``checksums``, ``baseline``, ``key``, ``ca``, ``identity``,
    ``secret``, ``verity-root``, ``fs-verity``, ``kernel``, ``pcr``.
    ``id`` is unique in a run, ``description`` is for people and holds no secret. Anchors with a
    ``group`` are alternatives only among each other: of each group one has to vouch. All signers
    of anchors with the same ``operator``, a name that the user gives, count as one. ``name`` is
    what a policy calls an anchor of its own, and ``definition`` a digest of all that it is made of;
    several anchors of one name are alternatives, and only the policy's rules ask for them.
    """

    id: str
    kind: str
    description: str
    group: str = ""
    operator: str = ""
    name: str = ""
    definition: str = ""


class KeyAttempt(Struct, frozen=True):
    """One key tried on one signature: whether it matched, and if not, why not."""

    anchor: str
    key: str
    matched: bool
    reason: str = ""


class Algorithm(Struct, frozen=True):
    """How a signature was made. ``family`` is that of the key (``RSA``, ``ECDSA``, ``Ed25519``,
    ``Ed448``, ``ML-DSA``; ``HMAC`` for a shared secret), ``key`` what the key is called
    (``RSA 3072``, ``ECDSA P-256``), ``size`` its bits, 0 where the name says all. ``digest`` is
    what was signed (``sha256``), empty where the algorithm takes one of its own."""

    family: str
    key: str
    size: int = 0
    digest: str = ""

    def __str__(self) -> str:
        return self.key + (f" with {self.digest}" if self.digest else "")


class Signer(Struct, frozen=True):
    """Who made a signature, as proven: an identity, the key's id, and the time if it is known.

    For a bare public key ``key`` is ``sha256:`` and the digest of the SubjectPublicKeyInfo, so that
    one key in several file formats is one signer. ``names`` are all that is known of who it is, and
    ``issuer`` who says so; ``self_named`` says that nobody but the key itself does. Signers that
    share a key, or a name that somebody else proves, are one. ``signed_at`` is RFC 3339;
    ``time_source`` says who asserts it (``signer``, ``timestamp authority`` ...), empty when the
    signature carries no time. ``algorithm`` is how the signature was made, None where that is not
    told.
    """

    identity: str
    key: str
    signed_at: str = ""
    time_source: str = ""
    names: tuple[str, ...] = ()
    issuer: str = ""
    self_named: bool = False
    algorithm: Algorithm | None = None


class Voucher(Struct, frozen=True):
    """A verified fact: ``anchor`` vouches for the bytes of ``component``, by a signature or by
    the user's own word. ``notes`` carry signed extras, such as a trusted comment, and ``claims``
    what is proven of the signer beside names."""

    anchor: str
    component: str
    by: str
    signer: Signer | None = None
    notes: dict[str, str] = {}
    claims: dict[str, str] = {}
