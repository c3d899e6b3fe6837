"""What a form of private key files is, and which forms there are."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

from assay.model.codes import produce as codes
from assay.model.finding import AssayError, Finding
from assay.model.secret import Secret
from assay.produce.signing_key import SigningKey


class KeyForm(Protocol):
    """One way to write a key pair down."""

    name: str
    usual_kind: str
    """The kind of key that is generated where none is asked for (`assay.produce.keys.kinds`)."""

    def recognise(self, data: bytes) -> bool:
        """Whether these bytes are a private key of this form. Cheap; raises nothing."""
        ...

    def is_encrypted(self, data: bytes) -> bool:
        """Whether it takes a passphrase to read the key. Raises AssayError."""
        ...

    def read(self, data: bytes, passphrase: Secret | None) -> SigningKey:
        """The key; ``passphrase`` is None for one that is not encrypted. Raises AssayError
        (private-key-malformed, private-key-unsupported, passphrase-wrong)."""
        ...

    def misfit(self, key: SigningKey) -> str:
        """Why a key has no place in this form; empty where it has one."""
        ...

    def write(self, key: SigningKey, passphrase: Secret | None) -> bytes:
        """The private key as a file; without a passphrase it is not encrypted."""
        ...

    def write_public(self, key: SigningKey) -> bytes:
        """The public key as a file, as whoever uses this form expects it."""
        ...


FORMS = {
    "pem": "assay.produce.keys.pkcs8:FORM",
    "cosign": "assay.produce.keys.cosign:FORM",
    "minisign": "assay.produce.keys.minisign:FORM",
}


def form_named(name: str) -> KeyForm:
    """The form of this name. Raises KeyError."""
    module, _, attribute = FORMS[name].partition(":")
    form: KeyForm = getattr(import_module(module), attribute)
    return form


def form_of(data: bytes) -> KeyForm | None:
    """The form that these bytes are a private key of."""
    return next((form for form in map(form_named, FORMS) if form.recognise(data)), None)


def malformed(detail: str, offset: int | None = None) -> AssayError:
    """The error for a file that is not as its form has it."""
    return AssayError(Finding.of(codes.PRIVATE_KEY_MALFORMED, detail=detail, offset=offset))


def unsupported(detail: str, expected: str = "", actual: object = "") -> AssayError:
    """The error for a file that is right, and cannot be used."""
    return AssayError(
        Finding.of(codes.PRIVATE_KEY_UNSUPPORTED, detail=detail, expected=expected, actual=actual)
    )


def wrong_passphrase(detail: str = "") -> AssayError:
    return AssayError(Finding.of(codes.PASSPHRASE_WRONG, detail=detail))
