"""The verdict as JSON, versioned; its schema is `assay/report/schema/verdict-1.json`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from assay.model.contents import FileAccount
from assay.model.files import FileIndex
from assay.model.verdict import SCHEMA_VERSION, Verdict
from assay.printable import encodable
from assay.report.model import Report

if TYPE_CHECKING:
    from assay.report.contents import PackageList

_HIDDEN = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What JSON leaves as it is, and what moves, reorders or hides text when it is looked at."""


def to_value(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain values (dicts, lists, strings, numbers)."""
    value: dict[str, Any] = msgspec.to_builtins(verdict)
    value["exit_status"] = verdict.exit_status
    value["coverage"]["fraction"] = round(verdict.coverage.fraction, 6)
    for account, written in zip(verdict.contents, value["contents"], strict=True):
        _add_fraction(account.files, written["files"])
        for sbom, inner in zip(account.sboms, written["sboms"], strict=True):
            _add_fraction(sbom.accounted, inner["accounted"])
    return value


def _add_fraction(account: FileAccount, written: dict[str, Any]) -> None:
    written["accounted"] = account.accounted
    written["fraction"] = round(account.fraction, 6)


def render(
    verdicts: Sequence[Verdict],
    indexes: Sequence[Sequence[FileIndex]] | None = None,
    packages: Sequence[Sequence[PackageList]] | None = None,
) -> str:
    """A JSON document: ``{"schema_version": 1, "verdicts": [...]}``; with ``indexes`` (one list
    for each verdict) each verdict also has ``file_indexes``, and with ``packages``
    ``package_lists``."""
    values = [to_value(verdict) for verdict in verdicts]
    if indexes is not None:
        from assay.report.files import listed

        for value, verdict, found in zip(values, verdicts, indexes, strict=True):
            lists = [listed(verdict, index) for index in found]
            value["file_indexes"] = msgspec.to_builtins(lists)
    if packages is not None:
        for value, lists_of in zip(values, packages, strict=True):
            value["package_lists"] = msgspec.to_builtins(lists_of)
    document = {"schema_version": SCHEMA_VERSION, "verdicts": values}
    return encode(document)


def encode(document: Any, *, indent: int = 2) -> str:
    """Plain values as JSON text that is safe to look at, with a line end. ``indent`` is in columns
    for each level; below zero all is on one line."""
    try:
        encoded = msgspec.json.encode(document)
    except UnicodeEncodeError:
        # a file's name that is no UTF-8
        encoded = msgspec.json.encode(encodable(document))
    text = msgspec.json.format(encoded, indent=indent).decode() + "\n"
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


REPORT = Report("json", "one JSON document; its schema: assay schema verdict-1", render)
