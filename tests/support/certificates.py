"""Certificates, good and bad, made in code with ``cryptography``."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

from assay.x509.certificate import Certificate, read_certificate

START, NOW, END = (datetime(year, 6, 1, tzinfo=UTC) for year in (2025, 2026, 2027))
_serials = itertools.count(1000)


@cache
def key_of(kind: str, _number: int = 0) -> Any:
    """A private key of a kind; the same one for the same arguments, as RSA takes its time."""
    return {
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "p192": lambda: ec.generate_private_key(ec.SECP192R1()),
        "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
        "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "ed448": ed448.Ed448PrivateKey.generate,
        "mldsa44": mldsa.MLDSA44PrivateKey.generate,
        "mldsa65": mldsa.MLDSA65PrivateKey.generate,
        "mldsa87": mldsa.MLDSA87PrivateKey.generate,
    }[kind]()


def name_of(common_name: str, **more: str) -> x509.Name:
    fields = [x509.NameAttribute(getattr(NameOID, k.upper()), v) for k, v in more.items()]
    return x509.Name([*fields, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def usage(*names: str) -> x509.KeyUsage:
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement"
        " key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{each: each in names for each in every.split()})


def purposes(*oids: str) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([ObjectIdentifier(oid) for oid in oids])


class Holder:
    """Someone with a key and a certificate for it."""

    def __init__(self, key: Any, made: x509.Certificate) -> None:
        self.key, self.made = key, made
        self.der = made.public_bytes(serialization.Encoding.DER)
        self.certificate: Certificate = read_certificate(self.der)

    @property
    def pem(self) -> bytes:
        return self.made.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """The certificate and the key as PEM files."""
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_bytes(self.pem)
        key.write_bytes(self.key_pem)
        return certificate, key


def digest_for(key: Any) -> Any:
    pure = ("Ed25519", "Ed448", "MLDSA")
    return None if any(name in type(key).__name__ for name in pure) else hashes.SHA256()


def make(
    name: str | x509.Name,
    issuer: Holder | None = None,
    *,
    ca: bool | None = False,
    path_length: int | None = None,
    key: Any = None,
    key_usage: x509.KeyUsage | None = None,
    eku: Sequence[str] = (),
    eku_critical: bool = False,
    names: Sequence[x509.GeneralName] = (),
    permitted: Sequence[x509.GeneralName] | None = None,
    excluded: Sequence[x509.GeneralName] | None = None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    start: datetime = START,
    end: datetime = END,
    serial: int | None = None,
    digest: Any = None,
    identifiers: bool = True,
    signed_with: Any = None,
    **sign: Any,
) -> Holder:
    """A certificate. ``ca`` None leaves basic constraints out; ``signed_with`` is a key that is not
    the issuer's."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = name_of(name) if isinstance(name, str) else name
    signing = signed_with or (issuer.key if issuer else key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.made.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(next(_serials) if serial is None else serial)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length), critical=True)
    if key_usage is None and ca:
        key_usage = usage("key_cert_sign", "crl_sign")
    if key_usage is not None:
        builder = builder.add_extension(key_usage, critical=True)
    if eku:
        builder = builder.add_extension(purposes(*eku), critical=eku_critical)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if permitted or excluded:
        builder = builder.add_extension(
            x509.NameConstraints(permitted or None, excluded or None), critical=True
        )
    if identifiers:
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        if issuer:
            builder = builder.add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
                critical=False,
            )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Holder(key, builder.sign(signing, digest or digest_for(signing), **sign))


def root(name: str = "Root", **options: Any) -> Holder:
    return make(name, ca=True, **options)


def crl(
    issuer: Holder,
    *revoked: tuple[int, datetime, x509.ReasonFlags | None],
    start: datetime = START,
    end: datetime | None = END,
    number: int = 1,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    signed_with: Any = None,
) -> bytes:
    """A revocation list, in DER."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.made.subject)
        .last_update(start)
        .next_update(end or END)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for serial, date, reason in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(date)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    signing = signed_with or issuer.key
    return builder.sign(signing, digest_for(signing)).public_bytes(serialization.Encoding.DER)
