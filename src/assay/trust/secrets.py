"""Shared secrets and passphrases: where they may come from, and how they are read.

A secret is never taken from the command line itself, which every user of a machine can read.
"""

from __future__ import annotations

import binascii
import os
from pathlib import Path

from assay.model.finding import UsageError
from assay.model.secret import Secret

MINIMUM_LENGTH = 16
"""Bytes. Anything shorter can be found by trying."""

_LONGEST = 1024 * 1024
_LONGEST_PASSPHRASE = 1024
_ENCODINGS = {"secret": "", "secret-hex": "hex", "secret-base64": "base64"}


def is_secret_name(name: str) -> bool:
    """Whether ``name`` says where a secret is (``secret:...``), and is no file's name."""
    return name.partition(":")[0] in _ENCODINGS and ":" in name


def read_secret(name: str, option: str) -> tuple[Secret, str]:
    """The secret, and where it is from, for people.

    ``name`` is ``secret:FILE``, ``secret:env:NAME`` or ``secret:fd:NUMBER``: the secret is exactly
    the bytes found there, line feeds included. ``secret-hex:`` and ``secret-base64:`` instead of
    ``secret:`` decode text, in which white space does not count. Raises UsageError, naming
    ``option`` and never the secret.
    """
    form, _, place = name.partition(":")
    raw, where = _from_place(place, option)
    if len(raw) > _LONGEST:
        raise UsageError(f"{option}: the secret from {where} is larger than {_LONGEST} bytes")
    value = _decoded(raw, _ENCODINGS[form], f"{option}: the secret from {where}")
    if len(value) < MINIMUM_LENGTH:
        raise UsageError(
            f"{option}: the secret from {where} has {len(value)} bytes; one of fewer than"
            f" {MINIMUM_LENGTH} bytes can be found by trying"
        )
    return Secret(value), where


def read_passphrase(place: str, option: str) -> Secret:
    """The passphrase of a private key, from ``env:NAME``, ``fd:NUMBER`` or ``file:PATH``. The line
    end that editors put behind it does not count. Raises UsageError, naming ``option`` and never
    the passphrase."""
    kind, colon, rest = place.partition(":")
    if not colon or kind not in ("env", "fd", "file"):
        # it might be the passphrase itself, which everybody on this machine can see by now
        raise UsageError(f"{option}: expected env:NAME, fd:NUMBER or file:PATH")
    raw, where = _from_place(rest if kind == "file" else place, option)
    value = raw if kind == "env" else raw.removesuffix(b"\n").removesuffix(b"\r")
    if len(value) > _LONGEST_PASSPHRASE or b"\n" in value or b"\0" in value:
        raise UsageError(f"{option}: what is in {where} is no passphrase: one line is expected")
    return Secret(value)


def _from_place(place: str, option: str) -> tuple[bytes, str]:
    """What is found at ``env:NAME``, ``fd:NUMBER`` or in a file, and where that is."""
    kind, colon, rest = place.partition(":")
    if kind == "env" and colon:
        return _from_environment(rest, option), f"environment variable {rest}"
    if kind == "fd" and colon:
        return _from_descriptor(rest, option), f"file descriptor {rest}"
    return _from_file(place, option), f"file {place}"


def _from_environment(name: str, option: str) -> bytes:
    value = os.environb.get(os.fsencode(name))
    if value is None:
        raise UsageError(f"{option}: there is no environment variable {name}")
    return value


def _from_descriptor(number: str, option: str) -> bytes:
    if not (number.isascii() and number.isdigit() and len(number) < 8):
        raise UsageError(f"{option}: {number!r} is not the number of a file descriptor")
    try:
        with open(int(number), "rb", closefd=False) as file:
            return file.read(_LONGEST + 1)
    except OSError as error:
        raise UsageError(
            f"{option}: file descriptor {number}: {error.strerror or error}"
        ) from error


def _from_file(name: str, option: str) -> bytes:
    if not name:
        raise UsageError(f"{option}: expected secret:FILE, secret:env:NAME or secret:fd:NUMBER")
    try:
        with Path(name).open("rb") as file:
            return file.read(_LONGEST + 1)
    except (OSError, ValueError) as error:
        # The name might be the secret itself, given by mistake: it is not repeated.
        reason = error.strerror if isinstance(error, OSError) else "not a file's name"
        raise UsageError(f"{option}: the file that should hold the secret: {reason}") from None


def _decoded(raw: bytes, encoding: str, what: str) -> bytes:
    if not encoding:
        return raw
    compact = b"".join(raw.split())
    try:
        if encoding == "hex":
            return binascii.a2b_hex(compact)
        return binascii.a2b_base64(compact, strict_mode=True)
    except (ValueError, binascii.Error):
        raise UsageError(f"{what} is not {encoding}") from None
