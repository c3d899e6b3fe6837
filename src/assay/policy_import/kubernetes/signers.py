"""Who may have signed, as these policies say it, and the keys that come of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from assay.crypto.public_key import KEY_SCHEME, PublicKey
from assay.model.finding import AssayError, UsageError
from assay.model.identity import IDENTITY_SCHEME, IdentityPattern
from assay.model.signature import Key
from assay.signatures.sigstore.signature import LOGGED
from assay.sigstore.trusted_root import (
    TRUSTED_ROOT_SCHEME,
    WITNESS_SCHEME,
    Authority,
    Log,
    TrustedRoot,
    Validity,
)
from assay.x509 import key_schemes
from assay.x509.certificate import Certificate

_NO_ROOT = (
    "it takes a trusted root, which comes from whoever verifies: give one with --trusted-root"
)


class NotUsableError(Exception):
    """What a signer is to be checked with is not at hand; says why."""


class Signer(Protocol):
    """Someone who may have signed."""

    @property
    def kind(self) -> str:
        """The kind of anchor (`Anchor.kind`)."""
        ...

    @property
    def schemes(self) -> tuple[str, ...]:
        """The kinds of signatures that count (`Signature.scheme`)."""
        ...

    def describe(self) -> str: ...

    def keys(self, anchor: str, lent: Sequence[Key]) -> tuple[Key, ...]:
        """The keys; ``lent`` is what the user gave that is no anchor. Raises NotUsableError."""
        ...


class Material(Struct, frozen=True):
    """What proofs are checked with, as far as a policy says it itself: certificates of authorities
    (roots, and what may stand below them), a key of a log, of a certificate log, certificates of a
    time stamping authority. ``url`` names the log that is meant; ``instance`` is a whole trusted
    root that the policy brings along. What it does not say comes from whoever verifies."""

    authorities: tuple[Certificate, ...] = ()
    log_key: PublicKey | None = None
    certificate_log_key: PublicKey | None = None
    clocks: tuple[Certificate, ...] = ()
    url: str = ""
    authority_url: str = ""
    ignore_certificate_log: bool = False
    instance: TrustedRoot | None = None

    def roots(self, lent: Sequence[Key]) -> list[TrustedRoot]:
        """The trusted roots to check with. Raises NotUsableError when there are none."""
        known = [key.material for key in lent if key.scheme == TRUSTED_ROOT_SCHEME]
        if self.instance is not None:
            known = [self.instance]
        elif not known and self.log_key is not None:
            known = [TrustedRoot((), (), (), ())]  # the policy may say it all itself
        if not known:
            raise NotUsableError(_NO_ROOT)
        return [self._with_own(root) for root in known]

    def _with_own(self, root: TrustedRoot) -> TrustedRoot:
        if self.log_key is not None:
            root = replace(root, logs=(_log(self.log_key, self.url),))
        elif self.url:
            logs = tuple(log for log in root.logs if _same_place(log.base_url, self.url))
            if not logs:
                raise NotUsableError(f"the trusted root given knows no log at {self.url}")
            root = replace(root, logs=logs)
        if self.authorities:
            root = replace(root, certificate_authorities=_chains(self.authorities), partial=True)
        elif self.authority_url:
            found = tuple(
                each
                for each in root.certificate_authorities
                if _same_place(each.uri, self.authority_url)
            )
            if not found:
                raise NotUsableError(
                    f"the trusted root given knows no authority at {self.authority_url}"
                )
            root = replace(root, certificate_authorities=found)
        if self.certificate_log_key is not None:
            root = replace(root, certificate_logs=(_log(self.certificate_log_key, ""),))
        if self.clocks:
            root = replace(root, timestamp_authorities=_chains(self.clocks))
        return replace(root, bare=True) if self.ignore_certificate_log else root


def _same_place(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


def _log(key: PublicKey, url: str) -> Log:
    digest = hashlib.sha256(key.spki).digest()
    return Log(url or f"log {key.fingerprint}", digest, key, Validity(), digest[:4], "")


def _chains(certificates: tuple[Certificate, ...]) -> tuple[Authority, ...]:
    """An authority for each root, with whatever else there is below it."""
    roots = [each for each in certificates if each.self_issued] or list(certificates[-1:])
    below = tuple(each for each in certificates if each not in roots)
    return tuple(Authority(str(root), (*below, root), Validity(), "") for root in roots)


def _root_keys(material: Material, lent: Sequence[Key]) -> list[Key]:
    roots = [Key("", TRUSTED_ROOT_SCHEME, "a trusted root", root) for root in material.roots(lent)]
    return [*roots, *(key for key in lent if key.scheme == WITNESS_SCHEME)]


class PlainKey(Struct, frozen=True):
    """The holder of a public key; in a log as well, where ``logged``."""

    key: PublicKey
    logged: bool
    material: Material = Material()
    kind = "key"

    @property
    def schemes(self) -> tuple[str, ...]:
        # an envelope alone, as cosign attaches it where nothing is logged
        return ("cosign", "sigstore") if self.logged else ("cosign", "sigstore", "dsse")

    def describe(self) -> str:
        return f"the {self.key.name} key {self.key.fingerprint}" + _logged(self)

    def keys(self, anchor: str, lent: Sequence[Key]) -> tuple[Key, ...]:
        demands = {LOGGED: "yes"} if self.logged else {}
        roots = _root_keys(self.material, lent) if self.logged else []
        return (Key(anchor, KEY_SCHEME, self.key.fingerprint, self.key, demands), *roots)


def _logged(one: PlainKey) -> str:
    if not one.logged:
        return ""
    return f", logged at {one.material.url}" if one.material.url else ", in a log"


class Identities(Struct, frozen=True):
    """Whoever an authority says is one of these."""

    patterns: tuple[IdentityPattern, ...]
    material: Material = Material()
    kind = "identity"
    schemes = ("cosign", "sigstore")

    def describe(self) -> str:
        own = self.material.authorities
        by = f", certified by {', '.join(map(str, own[:3]))}" if own else ""
        return " or ".join(map(str, self.patterns)) + by

    def keys(self, anchor: str, lent: Sequence[Key]) -> tuple[Key, ...]:
        names = [Key(anchor, IDENTITY_SCHEME, str(each), each) for each in self.patterns]
        return (*_root_keys(self.material, lent), *names)


class Certified(Struct, frozen=True):
    """The holder of the certificate ``leaf``, or of any below ``chain``, without a log."""

    leaf: Certificate | None
    chain: tuple[Certificate, ...]
    kind = "ca"
    schemes = ("cosign", "sigstore")

    def describe(self) -> str:
        if self.leaf is not None:
            return f"the certificate {self.leaf}"
        return f"a certificate below {self.chain[-1]}"

    def keys(self, anchor: str, lent: Sequence[Key]) -> tuple[Key, ...]:
        given = [key for key in lent if key.scheme != TRUSTED_ROOT_SCHEME]
        if self.leaf is not None:
            key = self.leaf.key
            return (
                Key(anchor, key_schemes.AUTHORITY, str(self.leaf), (self.leaf,)),
                Key(anchor, KEY_SCHEME, key.fingerprint, key),
                *given,
            )
        return (
            Key(anchor, key_schemes.AUTHORITY, str(self.chain[-1]), self.chain[-1:]),
            Key("", key_schemes.INTERMEDIATE, "", self.chain[:-1]),
            *given,
        )


class NotaryCertificates(Struct, frozen=True):
    """Whoever has a certificate of one of these authorities, by a Notary signature."""

    authorities: tuple[Certificate, ...]
    clocks: tuple[Certificate, ...] = ()
    kind = "ca"
    schemes = ("notary",)

    def describe(self) -> str:
        return f"a certificate of {', '.join(map(str, self.authorities[:3]))} (Notary)"

    def keys(self, anchor: str, lent: Sequence[Key]) -> tuple[Key, ...]:
        from assay.cms.timestamp import TimeAuthority
        from assay.signatures.notary.envelope import X509
        from assay.signatures.notary.policy import POLICY_SCHEME, Policy, Rules, Stamp

        clocks = (TimeAuthority(self.clocks),) if self.clocks else None
        policy = Policy(
            {X509: self.authorities},
            clocks,
            rules=Rules(stamp=Stamp.ALWAYS if clocks else Stamp.IF_PRESENT, must_ask=True),
        )
        given = [key for key in lent if key.scheme != TRUSTED_ROOT_SCHEME]
        return (Key(anchor, POLICY_SCHEME, self.describe(), policy), *given)


def public_keys(text: str) -> tuple[PublicKey, ...]:
    """The keys in PEM text. Raises ValueError."""
    from assay.signatures import plain_keys

    try:
        found = plain_keys.load(text.encode(), "")
    except UsageError as error:
        raise ValueError(str(error)) from error
    if not found or "-----BEGIN" not in text:
        raise ValueError("it is no public key in PEM")
    return tuple(key.material for key in found)


def certificates(text: str) -> tuple[Certificate, ...]:
    """The certificates in PEM text. Raises ValueError."""
    from assay.x509.load import read_certificates

    try:
        found = tuple(read_certificates(text.encode()))
    except AssayError as error:
        raise ValueError(error.finding.detail) from error
    if not found or "-----BEGIN" not in text:
        raise ValueError("it is no certificate in PEM")
    return found
