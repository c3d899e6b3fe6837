"""The keys of a requirement: who may have signed, and which logs have to know of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from assay import limits, plugins
from assay.crypto.public_key import KEY_SCHEME, PublicKey
from assay.evidence.model import read_bounded
from assay.model.finding import AssayError, UsageError
from assay.model.identity import IDENTITY_SCHEME, IdentityPattern, NamePattern
from assay.model.signature import Key
from assay.policy_import.containers.grammar import Fulcio, Material, Pki, SigstoreSigned
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


def describe(signers: Material | Fulcio | Pki) -> str:
    """Who may have signed, in words."""
    match signers:
        case Fulcio():
            authorities = signers.authorities.describe()
            return f"{signers.email} at {signers.issuer}, certified by {authorities}"
        case Pki():
            names = " and ".join(filter(None, (signers.email, signers.hostname)))
            return f"{names}, certified by {signers.roots.describe()}"
    return signers.describe()


def openpgp_keys(material: Material, anchor: str) -> tuple[Key, ...]:
    """OpenPGP certificates. Raises UsageError."""
    scheme = plugins.load("assay.signatures", "openpgp")
    found: list[Key] = []
    for where, data in _contents(material):
        keys = _loaded(where, data, lambda data: scheme.load_keys(data, anchor))
        if not keys:
            raise UsageError(f"--policy: {where} holds no OpenPGP certificate")
        found += keys
    return tuple(found)


def sigstore_keys(one: SigstoreSigned, anchor: str, lent: Sequence[Key]) -> tuple[Key, ...]:
    """All that a requirement for Sigstore signatures is judged with; of what the user lends it
    takes the witnesses that logs have to have. Raises UsageError."""
    witnesses = tuple(key for key in lent if key.scheme == WITNESS_SCHEME)
    return (*_sigstore_keys(one, anchor), *witnesses)


def _sigstore_keys(one: SigstoreSigned, anchor: str) -> tuple[Key, ...]:
    logs = _logs(one.logs) if one.logs is not None else ()
    match one.signers:
        case Fulcio():
            return _fulcio(one.signers, logs, anchor)
        case Pki():
            return _pki(one.signers, anchor)
    demands = {LOGGED: "yes"} if logs else {}
    keys = [
        Key(anchor, KEY_SCHEME, key.fingerprint, key, demands) for key in _public_keys(one.signers)
    ]
    if logs:
        keys.append(_root(TrustedRoot(logs, (), (), (), bare=True), "logs"))
    return tuple(keys)


def _fulcio(one: Fulcio, logs: tuple[Log, ...], anchor: str) -> tuple[Key, ...]:
    authorities = tuple(
        Authority(str(each), (each,), Validity(), "") for each in _certificates(one.authorities)
    )
    root = TrustedRoot(logs, authorities, (), (), bare=True)
    return (
        _root(root, one.authorities.describe()),
        _identity(anchor, (one.email,), one.issuer),
    )


def _pki(one: Pki, anchor: str) -> tuple[Key, ...]:
    roots = tuple(_certificates(one.roots))
    keys = [Key("", key_schemes.AUTHORITY, one.roots.describe(), roots)]
    if one.between is not None:
        between = tuple(_certificates(one.between))
        keys.append(Key("", key_schemes.INTERMEDIATE, one.between.describe(), between))
    return (*keys, _identity(anchor, tuple(filter(None, (one.email, one.hostname))), ""))


def _identity(anchor: str, names: tuple[str, ...], issuer: str) -> Key:
    first, *others = (_exactly(name) for name in names)
    pattern = IdentityPattern(first, _exactly(issuer) if issuer else None, also=tuple(others))
    return Key(anchor, IDENTITY_SCHEME, str(pattern), pattern)


def _exactly(name: str) -> NamePattern:
    """This name and no other, even where it looks like a pattern."""
    return NamePattern(name if NamePattern(name).literal else f"regex:{re.escape(name)}")


def _root(root: TrustedRoot, name: str) -> Key:
    return Key("", TRUSTED_ROOT_SCHEME, name, root)


def _logs(material: Material) -> tuple[Log, ...]:
    return tuple(
        Log(
            f"log {key.fingerprint}",
            hashlib.sha256(key.spki).digest(),
            key,
            Validity(),
            hashlib.sha256(key.spki).digest()[:4],
            "",
        )
        for key in _public_keys(material)
    )


def _public_keys(material: Material) -> Iterator[PublicKey]:
    from assay.signatures import plain_keys

    for where, data in _contents(material):
        keys = _loaded(where, data, lambda data: plain_keys.load(data, ""))
        if not keys:
            raise UsageError(f"--policy: {where} holds no public key in PEM")
        yield from (key.material for key in keys)


def _certificates(material: Material) -> Iterator[Certificate]:
    from assay.x509.load import read_certificates

    for where, data in _contents(material):
        try:
            yield from read_certificates(data)
        except AssayError as error:
            raise UsageError(f"--policy: {where}: {error.finding.detail}") from error


def _contents(material: Material) -> Iterator[tuple[str, bytes]]:
    for path in material.paths:
        yield path, read_bounded(Path(path), limits.KEY_FILE_SIZE, f"--policy: {material.name}")
    for data in material.data:
        yield material.name, data


def _loaded(where: str, data: bytes, load: Callable[[bytes], list[Key]]) -> list[Key]:
    try:
        return load(data)
    except UsageError as error:
        raise UsageError(f"--policy: {where}: {error}") from error
