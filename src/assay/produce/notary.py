"""What both forms of a Notary signature have in common when they are made (notaryproject/
specifications, signature-specification.md, signing scheme ``notary.x509``)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from msgspec import Struct

from assay.crypto.algorithms import SignatureAlgorithm
from assay.crypto.public_key import PublicKey
from assay.model.digest import Digest
from assay.model.finding import UsageError
from assay.signatures.notary.certificates import chain_faults
from assay.signatures.notary.envelope import (
    ALGORITHMS,
    EXPIRY,
    PAYLOAD_TYPE,
    PREFIX,
    SIGNING_SCHEME,
    SIGNING_TIME,
    X509,
    algorithm_of,
)
from assay.version import __version__
from assay.x509.certificate import Certificate

AGENT = PREFIX + "signingAgent"
AGENT_NAME = f"assay/{__version__}"
"""Says, unsigned, which program made the signature."""

Stamp = Callable[[bytes, str], bytes]
"""Gets a time stamp token: from a message and the digest algorithm to use."""


class Signing(Protocol):
    """A private key, as `assay.produce.signing_key.SigningKey`."""

    @property
    def public(self) -> PublicKey: ...

    def sign_bytes(self, message: bytes, algorithm: SignatureAlgorithm | None = None) -> bytes: ...


class Artifact(Struct, frozen=True):
    """What is signed: a manifest, or a file of some media type. ``annotations`` are signed with
    it."""

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = {}

    @property
    def payload(self) -> bytes:
        target: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": str(self.digest),
            "size": self.size,
        }
        if self.annotations:
            target["annotations"] = dict(self.annotations)
        document = {"targetArtifact": target}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


class Signer(Struct, frozen=True):
    """A key with its certificates, the signer's first and the root last, and the one algorithm
    that such a key signs with. Make one with `signer_of`."""

    key: Signing
    chain: tuple[Certificate, ...]
    algorithm: str

    @property
    def digest(self) -> str:
        """The digest that belongs to the algorithm: for the signature, and for its time stamp."""
        return ALGORITHMS[self.algorithm].digest

    def sign(self, message: bytes) -> bytes:
        """Raises AssayError (signing-failed)."""
        return self.key.sign_bytes(message, ALGORITHMS[self.algorithm])

    @property
    def thumbprints(self) -> str:
        """By which others see, unchecked, whose signature an artifact is: the digests of the
        certificates, as JSON."""
        prints = [each.fingerprint.removeprefix("sha256:") for each in self.chain]
        return json.dumps(prints, separators=(",", ":"))


def signer_of(key: Signing, certificates: Sequence[Certificate], at: datetime) -> Signer:
    """A signer whose signatures made at a time can be verified. The certificates may stand in any
    order; those that the signer's does not rest on are left out.

    Raises UsageError where one is missing, not yet or no longer valid, or not for this use.
    """
    algorithm = algorithm_of(key.public)
    if not algorithm:
        raise UsageError(
            f"no Notary signature can be made with an {key.public.name} key; it takes RSA of 2048,"
            " 3072 or 4096 bits or ECDSA on P-256, P-384 or P-521"
        )
    own = [each for each in certificates if _key_of(each) == key.public]
    if not own:
        raise UsageError("--certificate: none of the certificates is for the key given with --key")
    chain = [own[0]]
    while not chain[-1].self_issued:
        above = [each for each in certificates if each.subject == chain[-1].issuer]
        if not above or above[0] in chain:
            break
        chain.append(above[0])
    for fault in chain_faults(chain):
        raise UsageError(f"--certificate: {fault.detail}")
    for certificate in chain:
        if not certificate.not_before <= at <= certificate.not_after:
            raise UsageError(
                f"--certificate: {certificate} is valid from {certificate.not_before:%Y-%m-%d} to"
                f" {certificate.not_after:%Y-%m-%d} only"
            )
    return Signer(key, tuple(chain), algorithm)


def _key_of(certificate: Certificate) -> PublicKey | None:
    from assay.model.finding import AssayError

    try:
        return certificate.key
    except AssayError:
        return None


class NotaryWishes(Struct, frozen=True):
    """What the user wants of a Notary signature: by which certificates (in any order), until when
    it is meant to count, and who says when it was made (`Terms`, `Stamp`)."""

    certificates: tuple[Certificate, ...]
    expiry: datetime | None = None
    stamp: Stamp | None = None


class Terms(Struct, frozen=True):
    """When a signature is made, and until when it is meant to count (None: without end)."""

    time: datetime
    expiry: datetime | None = None

    def check(self) -> None:
        """Raises UsageError for an end before the beginning."""
        if self.expiry is not None and int(self.expiry.timestamp()) <= int(self.time.timestamp()):
            raise UsageError(
                f"--expiry: {self.expiry.isoformat()} is not after the time of signing"
            )

    def headers(self, algorithm: str, write: Callable[[datetime], Any]) -> dict[str, Any]:
        """The signed headers, by their names in JWS. Raises UsageError."""
        self.check()
        time = self.time.astimezone(UTC).replace(microsecond=0)
        critical = [SIGNING_SCHEME]
        headers = {
            "alg": algorithm,
            "cty": PAYLOAD_TYPE,
            SIGNING_SCHEME: X509,
            SIGNING_TIME: write(time),
        }
        if self.expiry is not None:
            expiry = self.expiry.astimezone(UTC).replace(microsecond=0)
            critical.append(EXPIRY)
            headers[EXPIRY] = write(expiry)
        return {**headers, "crit": critical}


class NotaryForm(Protocol):
    """One of the two forms, each a module. ``SUFFIX`` is what a file with a signature is called
    after what is signed, as by notation."""

    NAME: str
    MEDIA_TYPE: str
    SUFFIX: str

    def sign(
        self, signer: Signer, artifact: Artifact, terms: Terms, stamp: Stamp | None = None
    ) -> bytes: ...
