"""The log that systemd keeps of what it measures once the kernel runs (tpm2-measure.log): records
of the TCG Canonical Event Log in JSON, as a JSON text sequence (RFC 7464)."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from assay import limits, strict_json
from assay.model.codes import tcg as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding
from assay.model.spans import Span
from assay.printable import printable
from assay.tcg import names
from assay.tcg.replay import LAST_PCR, digest, extend

SEPARATOR = b"\x1e"
_HEX = re.compile(r"(?:[0-9a-f]{2})+\Z")
_BANKS = {bank.name: bank for bank in names.BANKS.values()}


class Record(Struct, frozen=True):
    """One record. ``span`` is its JSON in the log, ``pcr`` None where something else than a PCR
    was extended (an NV index). ``text`` is what was measured, as the record says, and ``measured``
    where these bytes are in the log; both are empty where it does not say so in plain letters."""

    number: int
    span: Span
    pcr: int | None
    digests: dict[str, bytes]
    kind: str
    text: str
    measured: Span | None

    @property
    def lies(self) -> bool:
        """Whether the text is not what was measured."""
        known = [(digest(bank, self.text.encode()), value) for bank, value in self.digests.items()]
        return bool(self.text) and any(
            found is not None and found != value for found, value in known
        )


def looks_like_records(head: bytes) -> bool:
    """Whether a file that starts so is such a log."""
    return head[:1] == SEPARATOR and head[1:2] == b"{" and b'"digests"' in head


def read_records(data: bytes) -> tuple[Record, ...]:
    """All records. Raises AssayError (tcg-log-malformed, -truncated, limit-exceeded or as
    `strict_json` does)."""
    if len(data) > limits.TCG_LOG_SIZE:
        raise AssayError(
            Finding.of(LIMIT_EXCEEDED, detail=f"a log of more than {limits.TCG_LOG_SIZE} bytes")
        )
    if data[:1] != SEPARATOR:
        raise _malformed("the log does not start with a record separator", 0)
    records: list[Record] = []
    at = 0
    while at < len(data):
        if len(records) >= limits.TCG_EVENTS:
            raise AssayError(
                Finding.of(LIMIT_EXCEEDED, detail=f"more than {limits.TCG_EVENTS} records")
            )
        end = data.find(SEPARATOR, at + 1)
        end = len(data) if end < 0 else end
        if data[end - 1 : end] != b"\n":
            raise AssayError(
                Finding.of(
                    codes.TCG_LOG_TRUNCATED,
                    detail=f"record {len(records)} has no end",
                    offset=end,
                    cause="truncation",
                )
            )
        records.append(_record(data, (at + 1, end - 1), len(records)))
        at = end
    return tuple(records)


def _record(data: bytes, span: Span, number: int) -> Record:
    body = data[span[0] : span[1]]
    what = f"record {number}"
    try:
        value = strict_json.parse_object(body, what)
    except AssayError as error:
        raise _malformed(error.finding.detail, span[0] + (error.finding.offset or 0)) from error
    pcr, content = value.get("pcr"), value.get("content")
    if pcr is not None and (type(pcr) is not int or not 0 <= pcr <= LAST_PCR):
        raise _malformed(f"{what} has PCR {str(pcr)[:20]!r}", span[0])
    text, kind = "", ""
    if isinstance(content, dict):
        text = content["string"] if isinstance(content.get("string"), str) else ""
        kind = content["eventType"] if isinstance(content.get("eventType"), str) else ""
    place = body.find(b'"string":"' + text.encode("utf-8", "surrogatepass") + b'"')
    measured = None
    if text and place >= 0:
        start = span[0] + place + len(b'"string":"')
        measured = (start, start + len(text.encode("utf-8", "surrogatepass")))
    return Record(
        number, span, pcr, _digests(value.get("digests"), what, span[0]), kind, text, measured
    )


def _digests(value: Any, what: str, offset: int) -> dict[str, bytes]:
    if not isinstance(value, list) or not 0 < len(value) <= limits.TCG_BANKS:
        raise _malformed(f"{what} has no list of digests", offset)
    found: dict[str, bytes] = {}
    for each in value:
        bank = each.get("hashAlg") if isinstance(each, dict) else None
        digits = each.get("digest") if isinstance(each, dict) else None
        if not isinstance(bank, str) or not isinstance(digits, str) or not _HEX.match(digits):
            raise _malformed(f"{what} has a digest that is none", offset)
        size = len(digits) // 2
        if bank in found or size > limits.TCG_DIGEST_SIZE:
            raise _malformed(f"{what} has two {printable(bank, 20)} digests", offset)
        if bank in _BANKS and _BANKS[bank].size != size:
            raise _malformed(f"{what} has a {bank} digest of {size} bytes", offset)
        found[bank] = bytes.fromhex(digits)
    return found


def extend_with(
    values: dict[str, dict[int, bytes]], records: tuple[Record, ...]
) -> dict[str, dict[int, bytes]]:
    """The PCR values after these records, from those before (zeros where there are none): systemd
    goes on where firmware stopped."""
    after = {bank: dict(registers) for bank, registers in values.items()}
    for record in records:
        for bank, value in record.digests.items():
            if record.pcr is not None and digest(bank, b"") is not None:
                registers = after.setdefault(bank, {})
                before = registers.get(record.pcr, bytes(len(value)))
                registers[record.pcr] = extend(bank, before, value)
    return after


def _malformed(detail: str, offset: int) -> AssayError:
    return AssayError(
        Finding.of(codes.TCG_LOG_MALFORMED, detail=f"{detail} (at byte {offset})", offset=offset)
    )
