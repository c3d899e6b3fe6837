"""The grammar of containers-policy.json(5), in full. An unknown or doubled key anywhere makes the
whole policy worthless: what it was meant to demand would not be demanded."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from assay import limits, strict_json
from assay.policy_import.containers.objects import Members
from assay.trust.containers.identity import (
    ExactReference,
    ExactRepository,
    MatchExact,
    MatchRepoDigestOrExact,
    MatchRepository,
    RemapIdentity,
    SignedName,
)

TRANSPORTS = (
    "atomic",
    "containers-storage",
    "dir",
    "docker",
    "docker-archive",
    "docker-daemon",
    "oci",
    "oci-archive",
    "ostree",
    "sif",
    "tarball",
)
GPG_KEYS = "GPGKeys"
_KEY_TYPES = (GPG_KEYS, "signedByGPGKeys", "X509Certificates", "signedByX509CAs")


class Material(Struct, frozen=True):
    """Files or bytes, in the order given; ``name`` is the member that holds them."""

    name: str
    paths: tuple[str, ...] = ()
    data: tuple[bytes, ...] = ()

    def describe(self) -> str:
        return ", ".join(self.paths) or f"{self.name} in the policy"


class AcceptAnything(Struct, frozen=True):
    """``insecureAcceptAnything``."""


class Reject(Struct, frozen=True):
    """``reject``."""


class SignedBy(Struct, frozen=True):
    """``signedBy``: an OpenPGP signature by one of these keys."""

    key_type: str
    keys: Material
    identity: SignedName


class SignedBaseLayer(Struct, frozen=True):
    """``signedBaseLayer``, which no tool has ever let pass."""

    identity: SignedName


class Fulcio(Struct, frozen=True):
    """Certificates of a Fulcio instance."""

    authorities: Material
    issuer: str
    email: str


class Pki(Struct, frozen=True):
    """Certificates of an authority of one's own; of the two names at least one is there."""

    roots: Material
    between: Material | None
    email: str
    hostname: str


class SigstoreSigned(Struct, frozen=True):
    """``sigstoreSigned``: a Sigstore signature by one of these signers, and in one of these logs
    where there are any."""

    signers: Material | Fulcio | Pki
    logs: Material | None
    identity: SignedName


Required = AcceptAnything | Reject | SignedBy | SignedBaseLayer | SigstoreSigned


class PolicyFile(Struct, frozen=True):
    """A policy: what is asked of each scope of each transport, and of everything else."""

    default: tuple[Required, ...]
    transports: dict[str, dict[str, tuple[Required, ...]]]


def parse_policy(data: bytes) -> PolicyFile:
    """Read a policy. Raises AssayError (malformed, limit-exceeded)."""
    top = Members(strict_json.parse(data, ""), "")
    top.close("default", "transports")
    default = _requirements(top, "default")
    transports: dict[str, dict[str, tuple[Required, ...]]] = {}
    if top.has("transports"):
        given = top.object("transports")
        for name in given.names():
            if name not in TRANSPORTS:
                # a misspelt one would leave its images to the default
                raise given.fail(name, "is no transport")
            scopes = given.object(name)
            if len(scopes.names()) > limits.POLICY_SCOPES:
                raise given.fail(name, "has too many scopes")
            for scope in scopes.names():
                _check_scope(scopes, name, scope)
            transports[name] = {scope: _requirements(scopes, scope) for scope in scopes.names()}
    return PolicyFile(default, transports)


def _check_scope(scopes: Members, transport: str, scope: str) -> None:
    """Refuse scopes that could never match: they were meant to say something."""
    if transport in ("dir", "oci", "oci-archive") and scope:
        parts = scope.split("/")
        if (
            not scope.startswith("/")
            or scope == "/"
            or any(p in ("", ".", "..") for p in parts[1:])
        ):
            raise scopes.fail(scope, "is not an absolute path without . and ..")
    if transport in ("docker-archive", "tarball") and scope:
        raise scopes.fail(scope, "is a scope, and this transport has none but the empty one")


def _requirements(of: Members, name: str) -> tuple[Required, ...]:
    return tuple(
        _requirement(Members(value, f"{of.where + '.' if of.where else ''}{name}[{number}]"))
        for number, value in enumerate(of.list(name))
    )


def _requirement(one: Members) -> Required:
    match one.text("type"):
        case "insecureAcceptAnything":
            one.close("type")
            return AcceptAnything()
        case "reject":
            one.close("type")
            return Reject()
        case "signedBy":
            return _signed_by(one)
        case "signedBaseLayer":
            one.close("type", "baseLayerIdentity")
            return SignedBaseLayer(_identity(one, "baseLayerIdentity"))
        case "sigstoreSigned":
            return _sigstore_signed(one)
    raise one.fail("type", f"is {one.text('type')[:80]!r}, which is no kind of requirement")


def _signed_by(one: Members) -> SignedBy:
    one.close("type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity")
    key_type = one.text("keyType")
    if key_type not in _KEY_TYPES:
        raise one.fail("keyType", f"is {key_type[:80]!r}, which is none")
    keys = _material(one, "keyPath", "keyPaths", "keyData")
    return SignedBy(key_type, keys, _signed_identity(one))


def _sigstore_signed(one: Members) -> SigstoreSigned:
    keys = ("keyPath", "keyPaths", "keyData", "keyDatas")
    logs = tuple(f"rekorPublicKey{form}" for form in ("Path", "Paths", "Data", "Datas"))
    one.close("type", *keys, "fulcio", "pki", *logs, "signedIdentity")
    log = one.one_of(*logs, needed=False)
    signers: Material | Fulcio | Pki
    match one.one_of(*keys, "fulcio", "pki"):
        case "fulcio":
            signers = _fulcio(one.object("fulcio"))
            if not log:
                raise one.fail("", "needs a rekorPublicKey with fulcio: certificates live minutes")
        case "pki":
            signers = _pki(one.object("pki"))
            if log:
                raise one.fail(log, "does not go with pki")
        case _:
            signers = _material(one, *keys)
    found = _material(one, *logs) if log else None
    return SigstoreSigned(signers, found, _signed_identity(one))


def _fulcio(one: Members) -> Fulcio:
    one.close("caPath", "caData", "oidcIssuer", "subjectEmail")
    authorities = _material(one, "caPath", "caData")
    return Fulcio(authorities, one.text("oidcIssuer"), one.text("subjectEmail"))


def _pki(one: Members) -> Pki:
    roots, between = ("caRootsPath", "caRootsData"), ("caIntermediatesPath", "caIntermediatesData")
    one.close(*roots, *between, "subjectEmail", "subjectHostname")
    given = one.one_of(*between, needed=False)
    email = one.text("subjectEmail") if one.has("subjectEmail") else ""
    hostname = one.text("subjectHostname") if one.has("subjectHostname") else ""
    if not email and not hostname:
        raise one.fail("", "needs subjectEmail or subjectHostname")
    return Pki(_material(one, *roots), _material(one, *between) if given else None, email, hostname)


def _material(of: Members, *names: str) -> Material:
    name = of.one_of(*names)
    if name.endswith("Paths"):
        return Material(name, paths=of.texts(name))
    if name.endswith("Path"):
        return Material(name, paths=(of.text(name),))
    if name.endswith("Datas"):
        return Material(name, data=of.datas(name))
    return Material(name, data=(of.data(name),))


def _signed_identity(of: Members) -> SignedName:
    return _identity(of, "signedIdentity") if of.has("signedIdentity") else MatchRepoDigestOrExact()


_PLAIN: dict[str, Any] = {
    "matchExact": MatchExact,
    "matchRepoDigestOrExact": MatchRepoDigestOrExact,
    "matchRepository": MatchRepository,
}


def _identity(of: Members, name: str) -> SignedName:
    one = of.object(name)
    kind = one.text("type")
    try:
        match kind:
            case "exactReference":
                one.close("type", "dockerReference")
                return ExactReference.parse(one.text("dockerReference"))
            case "exactRepository":
                one.close("type", "dockerRepository")
                return ExactRepository.parse(one.text("dockerRepository"))
            case "remapIdentity":
                one.close("type", "prefix", "signedPrefix")
                return RemapIdentity.parse(one.text("prefix"), one.text("signedPrefix"))
    except ValueError as error:
        raise one.fail("", f"cannot be used: {error}") from error
    if kind not in _PLAIN:
        raise one.fail("type", f"is {kind[:80]!r}, which is no rule for names")
    one.close("type")
    rule: SignedName = _PLAIN[kind]()
    return rule
