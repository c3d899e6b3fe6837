"""Anchors of a policy: whom it trusts, each named once, since when and until when, and for what."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, field

from assay.policy.vocabulary import Entry, Name, Pattern, Purpose, Text, about

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
DigestText = Annotated[
    str, Meta(pattern=r"^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$")
]
SECRET_PLACE = r"^(env:[A-Za-z_][A-Za-z0-9_]*|fd:[0-9]{1,6}|file:.+)$"
SecretPlace = Annotated[str, Meta(pattern=SECRET_PLACE)]


class Material(Entry, frozen=True):
    """A key, certificate or document: in a file, whose name counts from the policy's own folder, or
    written into the policy. In a list of several, each has its own time: that is how a key is
    rotated, with both valid for a while."""

    ONE_OF = ("file", "inline")
    NEEDS = MappingProxyType({"sha256": ("file",)})

    file: Annotated[str, about("The file's name.", min_length=1, max_length=1024)] = ""
    sha256: Annotated[Sha256, about("The digest that the file has to have.")] | None = None
    inline: Annotated[str, about("The text itself, such as PEM.", min_length=1)] = ""
    valid_from: Annotated[datetime, about("Signatures made before do not count.")] | None = None
    valid_until: (
        Annotated[datetime, about("Signatures made at this moment or later do not count.")] | None
    ) = None


MaterialOrFile = Text | Material
"""A file's name, or a `Material` with more to say."""


class Identity(Entry, frozen=True):
    """Whom a certificate has to name, and who has to say so."""

    name: Annotated[Pattern, about("Mail address, URI or other name in the certificate.")]
    issuer: Annotated[Pattern, about("Who identified the signer (OpenID Connect).")] | None = None
    claims: Annotated[
        dict[str, Pattern], about("What else has to be proven, by the claim's name.")
    ] = field(default_factory=dict)


class Anchor(Entry, frozen=True):
    """Someone or something that is trusted. It has material of exactly one kind; several entries
    are alternatives (an old key and its successor), and count as one signer."""

    ONE_OF = (
        "keys",
        "authorities",
        "identities",
        "secrets",
        "digests",
        "checksums",
        "baselines",
        "uefi-databases",
    )
    NEEDS = MappingProxyType(
        {
            "intermediates": ("authorities",),
            "key-usage": ("authorities",),
            "names": ("authorities", "keys"),
            "trusted-roots": ("identities",),
            "forbidden": ("uefi-databases",),
        }
    )

    description: Annotated[str, about("For people.", max_length=4096)] = ""
    keys: Annotated[
        tuple[MaterialOrFile, ...],
        about("Public keys: PEM, OpenPGP, minisign, signify, SSH, allowed signers.", min_length=1),
    ] = ()
    authorities: Annotated[
        tuple[MaterialOrFile, ...],
        about("Certificates of X.509 authorities, or signers' own.", min_length=1),
    ] = ()
    intermediates: Annotated[
        tuple[MaterialOrFile, ...],
        about("With authorities: certificates between them and signers. Not trusted."),
    ] = ()
    names: Annotated[
        tuple[Pattern, ...],
        about("With authorities or keys: who the signer has to be, one of these."),
    ] = ()
    key_usage: Annotated[
        str, about("With authorities: what certificates are for (code-signing).")
    ] = ""
    identities: Annotated[
        tuple[Identity, ...],
        about("Identities that a trusted root proves (Sigstore).", min_length=1),
    ] = ()
    trusted_roots: Annotated[
        tuple[Name, ...],
        about("With identities: the trusted roots that count; any one where left out."),
    ] = ()
    secrets: Annotated[
        tuple[SecretPlace, ...],
        about(
            "Where shared secrets are: env:NAME, file:PATH or fd:NUMBER. Never the secret itself.",
            min_length=1,
        ),
    ] = ()
    digests: Annotated[
        tuple[DigestText, ...], about("Images with these digests.", min_length=1)
    ] = ()
    checksums: Annotated[
        tuple[MaterialOrFile, ...], about("Checksum files (SHA256SUMS).", min_length=1)
    ] = ()
    baselines: Annotated[
        tuple[MaterialOrFile, ...], about("Reference values (assay baseline).", min_length=1)
    ] = ()
    uefi_databases: Annotated[
        tuple[MaterialOrFile, ...],
        about("UEFI signature databases (db) of boot programs.", min_length=1),
    ] = ()
    forbidden: Annotated[
        tuple[MaterialOrFile, ...],
        about("With uefi-databases: what these forbid (dbx)."),
    ] = ()
    purposes: Annotated[
        tuple[Purpose, ...],
        about("What its word counts for; everything where left out."),
    ] = ()
    operator: Annotated[str, about("Anchors with the same operator count as one signer.")] = ""
    valid_from: Annotated[datetime, about("Signatures made before do not count.")] | None = None
    valid_until: (
        Annotated[datetime, about("Signatures made at this moment or later do not count.")] | None
    ) = None

    def serves(self, purpose: Purpose) -> bool:
        """Whether its word counts for this."""
        return not self.purposes or purpose in self.purposes


class TrustedRoot(Entry, frozen=True):
    """What identities and log entries are checked with (a Sigstore trusted root). It vouches for
    nothing by itself."""

    ONE_OF = ("file", "inline", "tuf")
    NEEDS = MappingProxyType({"sha256": ("file",)})

    file: Annotated[str, about("The file's name.", min_length=1)] = ""
    sha256: Annotated[Sha256, about("The digest that the file has to have.")] | None = None
    inline: Annotated[str, about("The JSON text itself.", min_length=1)] = ""
    tuf: Annotated[
        str,
        about("A TUF repository that has it: a known name, or its address.", min_length=1),
    ] = ""


class Revoked(Entry, frozen=True):
    """Something that is trusted no more. With ``since``, signatures that a trusted time shows to
    be older still count; the signer's own word on the time is no proof."""

    ONE_OF = ("key", "certificate", "digest", "identity", "anchor")
    NEEDS = MappingProxyType({"since": ("key", "certificate", "identity", "anchor")})

    reason: Annotated[Text, about("Why.")]
    key: Annotated[str, about("A key's id, as verdicts show it (sha256:...).", min_length=1)] = ""
    certificate: Annotated[
        str,
        about("A certificate's SHA-256 fingerprint.", pattern=r"^sha256:[0-9a-f]{64}$"),
    ] = ""
    digest: Annotated[DigestText, about("An image, or any part of one.")] | None = None
    identity: Annotated[Pattern, about("A signer's name.")] | None = None
    anchor: Annotated[Name, about("An anchor of this policy.")] | None = None
    since: (
        Annotated[datetime, about("The time of the incident; always, where left out.")] | None
    ) = None


class Builder(Entry, frozen=True):
    """Who may speak as a builder, and the SLSA build level that it is granted. Levels are the
    user's word: provenance does not state them."""

    id: Annotated[Pattern, about("The builder as provenance names it.")]
    signers: Annotated[tuple[Name, ...], about("Anchors that sign for it.", min_length=1)]
    level: Annotated[int, about("The SLSA build level.", ge=0, le=4)] = 0
