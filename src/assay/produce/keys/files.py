"""Private keys from files that users name: who else can read them, and what opens them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from assay import limits
from assay.asn1.pem import looks_like_pem
from assay.model.codes import produce as codes
from assay.model.finding import AssayError, UsageError
from assay.model.secret import Secret
from assay.produce.keys.form import KeyForm, form_of
from assay.produce.signing_key import SigningKey
from assay.trust.secrets import read_passphrase

AskPassphrase = Callable[[str], Secret]
"""Gives the passphrase of what is named. Raises UsageError where there is none to be had."""


class KeyFile(Struct, frozen=True):
    """A private key that was found, and not yet opened. ``encrypted`` says whether it takes a
    passphrase; ``notices`` is what is worth saying to whoever uses it."""

    path: str
    data: bytes
    form: KeyForm
    encrypted: bool
    notices: tuple[str, ...] = ()

    def open(self, ask: AskPassphrase) -> SigningKey:
        """The key. Raises UsageError, naming ``--key`` and what to do."""
        try:
            return self.form.read(self.data, ask(self.path) if self.encrypted else None)
        except AssayError as error:
            raise _usage(self.path, error) from error
        except UsageError as error:
            raise UsageError(f"--key {self.path}: {error}") from error


def find_key(path: str | os.PathLike[str]) -> KeyFile:
    """Read a file with a private key. One that is not encrypted, and that others on this machine
    can read, is refused. Raises UsageError."""
    name = os.fspath(path)
    data, mode = _contents(name)
    form = form_of(data)
    if form is None:
        raise UsageError(f"--key {name}: {_instead(data)}")
    try:
        encrypted = form.is_encrypted(data)
    except AssayError as error:
        raise _usage(name, error) from error
    notices: tuple[str, ...] = ()
    if mode is not None and mode & 0o077:
        told = f"{name}: {codes.PRIVATE_KEY_EXPOSED.title} (mode {mode & 0o777:04o})"
        if not encrypted:
            raise UsageError(f"--key {told}. {codes.PRIVATE_KEY_EXPOSED.remedy}")
        notices = (
            f"{told}; only its passphrase protects it. Take the permissions away: chmod 600",
        )
    return KeyFile(name, data, form, encrypted, notices)


def holds_private_key(path: str | os.PathLike[str]) -> bool:
    """Whether a file holds a private key of a known form. Raises UsageError."""
    return form_of(_contents(os.fspath(path))[0]) is not None


def load_key(
    path: str | os.PathLike[str],
    passphrase: str | bytes | None = None,
    ask: AskPassphrase | None = None,
) -> SigningKey:
    """The private key in a file. ``passphrase`` says where its passphrase is (``env:NAME``,
    ``fd:NUMBER``, ``file:PATH``), or is the passphrase where it is bytes; ``ask`` is called where
    none is given and one is needed. Raises UsageError."""
    return find_key(path).open(asker(passphrase, ask))


def asker(passphrase: str | bytes | None, ask: AskPassphrase | None = None) -> AskPassphrase:
    """What gives the passphrase, as `load_key` has it."""

    def found(name: str) -> Secret:
        if isinstance(passphrase, bytes):
            return Secret(passphrase)
        if passphrase is not None:
            return read_passphrase(passphrase, "--passphrase")
        if ask is not None:
            return ask(name)
        raise UsageError(
            "the key is encrypted; give its passphrase: env:NAME, fd:NUMBER or file:PATH"
        )

    return found


def _contents(name: str) -> tuple[bytes, int | None]:
    """The bytes of a file, and its mode where it is one that stays (not a pipe)."""
    try:
        with Path(name).open("rb") as file:
            status = os.fstat(file.fileno())
            data = file.read(limits.PRIVATE_KEY_SIZE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a file's name"
        raise UsageError(f"--key {name}: {reason}") from error
    if len(data) > limits.PRIVATE_KEY_SIZE:
        raise UsageError(
            f"--key {name}: larger than {limits.PRIVATE_KEY_SIZE} bytes; no private key"
        )
    return data, status.st_mode if stat.S_ISREG(status.st_mode) else None


def _instead(data: bytes) -> str:
    """What a file is that is no private key."""
    if b"PUBLIC KEY" in data or b"public key" in data or b"CERTIFICATE" in data:
        return "this is public; to sign, give the private key that belongs to it"
    if data.startswith(b"untrusted comment: signify secret key") or b"PGP PRIVATE KEY" in data:
        return (
            "a private key of a kind that Assay does not sign with; see assay key generate --help"
        )
    if looks_like_pem(data):
        return "PEM, and no private key in it"
    return "no known kind of private key (PEM, cosign, minisign); assay key generate makes one"


def _usage(name: str, error: AssayError) -> UsageError:
    found = error.finding
    return UsageError(f"--key {name}: {found.detail}. {found.remedy}")
