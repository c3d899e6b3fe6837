"""What an output format is, and which ones there are."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol

from msgspec import Struct

from assay.crypto.algorithms import NAMED, SignatureAlgorithm
from assay.crypto.check import Check
from assay.crypto.public_key import Family
from assay.model.finding import UsageError
from assay.model.measurement import Request
from assay.produce.signing_key import SigningKey

Answers = Mapping[Request, Any]
"""What was measured of the file to sign."""


class Wishes(Struct, frozen=True):
    """What the user wants of a signature. ``algorithm`` is one of `NAMED`, empty for what is usual;
    ``comment`` is minisign's trusted comment, None for what minisign writes; ``payload_type`` is
    the media type in a DSSE envelope, empty to tell it by the content; ``seconds`` is the time of
    signing, since 1970; ``namespace`` is what an SSH signature is for."""

    algorithm: str = ""
    comment: str | None = None
    payload_type: str = ""
    seconds: int = 0
    namespace: str = "file"


class SignatureFormat(Protocol):
    """One form of a signature over a file."""

    name: str
    suffix: str
    """What is put behind the file's name."""
    about: str
    """What it is, for people: one line."""

    def misfit(self, key: SigningKey) -> str:
        """Why a key cannot sign in this form; empty where it can."""
        ...

    def requests(self, key: SigningKey, wishes: Wishes) -> tuple[Request, ...]:
        """What to measure of the file. Raises UsageError for wishes that cannot be met."""
        ...

    def produce(self, key: SigningKey, label: str, answers: Answers, wishes: Wishes) -> bytes:
        """The signature; ``label`` is the file's name. Raises AssayError (signing-failed),
        UsageError."""
        ...


FORMATS = {
    "sigstore": "assay.produce.formats.sigstore:FORMAT",
    "minisign": "assay.produce.formats.minisign:FORMAT",
    "dsse": "assay.produce.formats.dsse:FORMAT",
    "raw": "assay.produce.formats.raw:FORMAT",
    "ssh": "assay.produce.formats.ssh:FORMAT",
    "signify": "assay.produce.formats.signify:FORMAT",
}


def format_named(name: str) -> SignatureFormat:
    """The format of this name. Raises UsageError."""
    if name not in FORMATS:
        raise UsageError(f"there is no signature format {name!r}: {', '.join(FORMATS)}")
    module, _, attribute = FORMATS[name].partition(":")
    found: SignatureFormat = getattr(import_module(module), attribute)
    return found


def check_for(key: SigningKey, wishes: Wishes, prefix: bytes = b"") -> Check:
    """How the signature will be checked. Raises UsageError for an algorithm that is not known, or
    not one of the key's."""
    algorithm: SignatureAlgorithm = key.usual_algorithm
    if wishes.algorithm:
        if wishes.algorithm not in NAMED:
            raise UsageError(f"--signature-algorithm {wishes.algorithm}: not known")
        algorithm = NAMED[wishes.algorithm]
        if not key.public.can_use(algorithm):
            raise UsageError(
                f"--signature-algorithm {wishes.algorithm}: not of an {key.public.name} key"
            )
    return Check(key.public, algorithm, prefix)


def only_ed25519(key: SigningKey, name: str) -> str:
    """Why the tool called ``name`` cannot use this key; empty where it can."""
    if key.public.family is Family.ED25519:
        return ""
    return f"{name} knows Ed25519 keys alone, and this is an {key.public.name} key"


def without_choice(wishes: Wishes, name: str) -> None:
    """Refuse the wish for an algorithm in a form that leaves no choice. Raises UsageError."""
    if wishes.algorithm:
        raise UsageError(f"--signature-algorithm: {name} signatures leave no choice of it")
