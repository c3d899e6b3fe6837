"""Key files of SSH: lists of allowed signers (ssh-keygen(1), "ALLOWED SIGNERS"), and public keys
alone, one a line."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from msgspec import Struct

from assay import limits, strict_base64
from assay.model.finding import AssayError, UsageError
from assay.signatures.ssh import keys
from assay.signatures.ssh.keys import fingerprint_of, plain_type
from assay.signatures.ssh.wire import Reader, WireError
from assay.signatures.trial import printable

_KEY = re.compile(r"(?<!\S)(\S+)[ \t]+([A-Za-z0-9+/]{16,}={0,2})(?=[ \t]|$)")
_OPTION = re.compile(r'([A-Za-z-]+)(?:="((?:[^"\\]|\\.)*)")?(,|$)')
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z|UTC)?\Z", re.IGNORECASE)
_FLAGS = ("cert-authority", "no-touch-required")
_VALUES = ("namespaces", "valid-after", "valid-before")
_PRIVATE = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_RFC4716 = b"---- BEGIN SSH2 PUBLIC KEY ----"


class Entry(Struct, frozen=True):
    """One key that may sign, and when, for whom and what for.

    ``principals`` is a pattern list, None for a key alone, which then speaks for nobody by name;
    ``namespaces`` is one as well, None when it is left open. Times are seconds since 1970, the
    last one included.
    """

    blob: bytes
    line: int
    principals: str | None = None
    authority: bool = False
    namespaces: str | None = None
    valid_after: int | None = None
    valid_before: int | None = None
    touch_required: bool = True

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.blob)


def read(data: bytes) -> list[Entry]:
    """The entries of a key file; none when it is no file of SSH keys.

    Raises UsageError, naming the line, when it is one and cannot be used.
    """
    if data.lstrip().startswith(_PRIVATE):
        raise UsageError("this is a private key; give the public key (.pub) that belongs to it")
    if data.lstrip().startswith(_RFC4716):
        raise UsageError(
            "the key is in the form of RFC 4716; convert it with ssh-keygen -i -f FILE"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return []
    lines = [(number, line.strip(" \t\r")) for number, line in enumerate(text.split("\n"), 1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not any(key_at(line, match.start()) for _, line in lines for match in _KEY.finditer(line)):
        return []
    if len(lines) > limits.SSH_ENTRIES:
        raise UsageError(f"more than {limits.SSH_ENTRIES} keys")
    return [_entry(line, number) for number, line in lines]


def key_at(line: str, position: int) -> bytes | None:
    """The blob of the key at a place in a line, if there is one."""
    match = _KEY.match(line, position)
    raw = strict_base64.decode(match[2].encode("ascii")) if match else None
    if match is None or raw is None:
        return None
    try:
        return raw if Reader(raw).text() == match[1] else None
    except WireError:
        return None


def _entry(line: str, number: int) -> Entry:
    if (blob := key_at(line, 0)) is not None:
        _check(blob, number, alone=True)
        return Entry(blob, number)
    if re.split(r"[=, \t]", line)[0] in (*_FLAGS, *_VALUES):
        raise _wrong(number, "options without the principals that go before them")
    principals, rest = _principals(line, number)
    if (blob := key_at(rest, 0)) is not None:
        _check(blob, number, alone=False)
        return Entry(blob, number, principals)
    options, rest = _options(rest, number)
    blob = key_at(rest, 0)
    if blob is None:
        raise _wrong(number, "no public key after the principals and options")
    _check(blob, number, alone=False)
    after, before = (_time(options.get(f"valid-{which}"), number) for which in ("after", "before"))
    if after is not None and before is not None and before <= after:
        raise _wrong(number, "valid-before is not after valid-after")
    return Entry(
        blob,
        number,
        principals,
        "cert-authority" in options,
        options.get("namespaces"),
        after,
        before,
        "no-touch-required" not in options,
    )


def _principals(line: str, number: int) -> tuple[str, str]:
    if line.startswith('"'):
        principals, quote, rest = line[1:].partition('"')
        if not quote:
            raise _wrong(number, "a quotation mark that is not closed")
    else:
        found = re.match(r"[^ \t]+", line)
        assert found is not None
        principals, rest = found[0], line[found.end() :]
    if not principals.strip(",") or '"' in principals:
        raise _wrong(number, f"no list of principals: {printable(principals, 100)!r}")
    return principals, rest.lstrip(" \t")


def _options(text: str, number: int) -> tuple[dict[str, str], str]:
    """The options at the start of a text, and what follows them."""
    end, quoted = 0, False
    while end < len(text) and (quoted or text[end] not in " \t"):
        if text[end : end + 2] == '\\"':
            end += 1
        elif text[end] == '"':
            quoted = not quoted
        end += 1
    wanted, position = text[:end], 0
    found: dict[str, str] = {}
    while position < len(wanted):
        match = _OPTION.match(wanted, position)
        name = match[1].lower() if match else ""
        known = _FLAGS if match and match[2] is None else _VALUES
        if match is None or name not in known or name in found:
            shown = printable(wanted[position:], 60)
            raise _wrong(number, f"an option that is unknown, malformed or given twice: {shown!r}")
        found[name] = (match[2] or "").replace('\\"', '"')
        position = match.end()
        if match[3] == "," and position == len(wanted):
            raise _wrong(number, "a comma with no option after it")
    return found, text[end:].lstrip(" \t")


def _time(text: str | None, number: int) -> int | None:
    """A time in the form of ssh-keygen: in local time unless it ends with Z."""
    if text is None:
        return None
    match = _TIME.match(text)
    try:
        if match is None:
            raise ValueError
        parts = [int(part or 0) for part in match.groups()[:6]]
        moment = datetime(*parts, tzinfo=UTC if match[7] else None)  # type: ignore[misc, arg-type]
        return int(moment.timestamp())
    except (ValueError, OverflowError, OSError):
        raise _wrong(number, f"{text[:40]!r} is not a time YYYYMMDD[HHMM[SS]][Z]") from None


def _check(blob: bytes, number: int, *, alone: bool) -> None:
    """Refuse a damaged key. A key of a list that is weak or of a kind not supported is let be: a
    signature by it is refused, and those by others stand."""
    try:
        if plain_type(Reader(blob).text()):
            raise _wrong(
                number,
                "a certificate; list the key of the authority that made it, with the option"
                " cert-authority",
            )
        keys.read_key(blob, f"line {number}")
    except WireError as error:
        raise _wrong(number, f"a damaged key: {error}") from error
    except AssayError as error:
        if alone or error.finding.code == "key-malformed":
            raise _wrong(number, error.finding.detail) from error


def _wrong(number: int, detail: str) -> UsageError:
    return UsageError(f"line {number}: {detail}")
