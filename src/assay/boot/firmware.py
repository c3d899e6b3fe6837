"""Reads what ``--firmware`` names: variable stores, directories and files of efivarfs, dumps,
signature lists, updates and certificates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from assay import limits
from assay.asn1 import pem
from assay.boot.databases import Databases
from assay.boot.updates import apply_update
from assay.model.codes import boot as codes
from assay.model.codes.x509 import CERTIFICATE_MALFORMED
from assay.model.finding import AssayError, Finding, UsageError
from assay.sources.blobs import read_document
from assay.sources.file import firmware_variables
from assay.sources.files import open_path
from assay.uefi.authentication import looks_like_update
from assay.uefi.dump import looks_like_dump, read_dump
from assay.uefi.efivarfs import (
    FileName,
    looks_like_variable,
    matters,
    read_file_name,
    read_variable,
)
from assay.uefi.guid import GLOBAL, IMAGE_SECURITY, SHIM_LOCK
from assay.uefi.sbat import parse_level
from assay.uefi.signature_list import looks_like_lists, read_lists
from assay.uefi.store import looks_like_volume, read_store
from assay.uefi.variable import Variable

_LISTS = {
    ("PK", GLOBAL): "PK",
    ("KEK", GLOBAL): "KEK",
    ("db", IMAGE_SECURITY): "db",
    ("dbx", IMAGE_SECURITY): "dbx",
    ("dbt", IMAGE_SECURITY): "dbt",
}
_MOK = re.compile(r"(MokListX?)(RT[0-9]{0,3})?")
"""shim shows its lists to the system in variables with RT, and large ones in several."""
_NAMES = ("MokListX", "MokList", "dbx", "dbt", "db", "KEK", "PK")
"""What files with lists are called by, the longer names first."""
_ENABLE = ("SecureBootEnable", "f0a30bc7-af08-4556-99c4-001009c93a44")


def read_firmware(names: list[str] | tuple[str, ...]) -> Databases:
    """All that the files say together. Raises UsageError for one that cannot be read, or of which
    it is not clear what it is."""
    found = Databases()
    updates: list[tuple[str, bytes, str]] = []
    for name in names:
        wanted, path = _split(name)
        try:
            _read(path, wanted, found, updates)
        except AssayError as error:
            raise UsageError(f"--firmware {name}: {error.finding.detail}") from error
    # what they change has to be there first
    for source, data, wanted in updates:
        try:
            apply_update(source, data, wanted, found)
        except AssayError as error:
            raise UsageError(f"--firmware {source}: {error.finding.detail}") from error
    return found


def _split(name: str) -> tuple[str, Path]:
    """A database that a file is said to be, and the file."""
    before, equals, after = name.partition("=")
    if equals and before in _NAMES:
        return before, Path(after)
    return "", Path(name)


def _read(path: Path, wanted: str, found: Databases, updates: list[tuple[str, bytes, str]]) -> None:
    if path.is_dir():
        variables = firmware_variables(path)
        if not variables:
            raise UsageError(f"--firmware {path}: a directory without variables of firmware in it")
        _take(list(_from_folder(variables)), str(path), found)
        return
    limit = limits.UEFI_STORE_SIZE
    data = read_document(open_path(path), limit, str(path))
    size, source = len(data), str(path)
    file = read_file_name(path.name)
    if looks_like_volume(data):
        store = read_store(data, source)
        found.findings += [
            replace(each, component=source)
            for each in store.findings
            if each.severity.value != "info"
        ]
        _take(store.variables, source, found, whole=True)
    elif not data.strip(b"\0") or not data.strip(b"\xff"):
        found.enforced = False  # a store that no firmware has written to yet
    elif looks_like_dump(data):
        _take(read_dump(data, source), source, found, whole=True)
    elif file is not None and not wanted and (variable := read_variable(data, file)) is not None:
        if not matters(file):
            raise UsageError(f"--firmware {path}: {file.name} does not say what may boot")
        _take([variable], source, found)
    elif looks_like_update(data):
        updates.append((source, data, wanted))
    elif looks_like_lists(data, size):
        found.add(wanted or _named(path), source, read_lists(data, source))
    elif looks_like_variable(data, size):
        found.add(wanted or _named(path), source, read_lists(data[4:], source))
    elif certificates := list(_certificates(data)):
        from assay.uefi.signature_list import TYPES, encode_list

        kind = next(guid for guid, known in TYPES.items() if known.name == "X509")
        name = wanted or _named(path)
        for der in certificates:
            found.add(name, source, read_lists(encode_list(kind, GLOBAL, der)))
    else:
        raise UsageError(
            f"--firmware {path}: neither a variable store, a directory or file of efivarfs, a dump,"
            " signature lists, an update nor a certificate"
        )


def _from_folder(paths: list[Path]) -> Iterator[Variable]:
    for path in paths:
        name = read_file_name(path.name)
        data = read_document(open_path(path), limits.UEFI_VARIABLE_SIZE, str(path))
        variable = read_variable(data, name) if name is not None else None
        if variable is not None:
            yield variable


def _certificates(data: bytes) -> Iterator[bytes]:
    if data[:1] == b"\x30":
        yield data
    elif b"-----BEGIN CERTIFICATE-----" in data:
        for block in pem.blocks(data, CERTIFICATE_MALFORMED):
            yield block.data


def _named(path: Path) -> str:
    """The database that a file of this name is."""
    for name in _NAMES:
        if re.match(name, path.name, re.IGNORECASE):
            return name
    raise UsageError(
        f"--firmware {path}: which database is it? Say so with --firmware db={path} (or dbx=, "
        "MokList=, MokListX=)"
    )


def _take(
    variables: list[Variable] | tuple[Variable, ...],
    source: str,
    found: Databases,
    *,
    whole: bool = False,
) -> None:
    """The variables that decide what may boot; ``whole`` is said of those of a whole machine, where
    what is missing says something as well."""
    known = {(each.name, each.vendor): each.data for each in variables}
    times = Counter((each.name, each.vendor) for each in variables)
    for (name, vendor), count in times.items():
        if count > 1 and matters(FileName(name, vendor)):
            # firmware and other readers may each take another one
            detail = f"{name} is there {count} times"
            found.findings.append(Finding.of(codes.BOOT_VARIABLE_UNREADABLE, source, detail))
    for variable in variables:
        name = _list_name(variable)
        if not name or ("RT" in variable.name and (name, SHIM_LOCK) in known):
            continue
        if variable.time is not None:
            found.times[name] = max(variable.time, found.times.get(name, variable.time))
        try:
            found.add(name, source, read_lists(variable.data, source))
        except AssayError as error:
            found.findings.append(_unreadable(variable.name, source, error))
    for name in ("SbatLevel", "SbatLevelRT"):
        if (name, SHIM_LOCK) in known:
            try:
                text = known[name, SHIM_LOCK].rstrip(b"\0")
                found.level = parse_level(text, f"{name} of the machine")
            except AssayError as error:
                found.findings.append(_unreadable(name, source, error))
    off = (("SecureBoot", GLOBAL, b"\0"), ("SetupMode", GLOBAL, b"\1"), (*_ENABLE, b"\0"))
    if any(known.get((name, vendor)) == value for name, vendor, value in off):
        found.enforced = False
    if whole and not known.get(("PK", GLOBAL)):
        found.enforced = False

    def is_set(*names: str) -> bool:
        return any(known.get((name, SHIM_LOCK), b"")[:1] == b"\1" for name in names)

    found.validated &= not is_set("MokSBState", "MokSBStateRT")
    found.mok_trusted |= is_set("MokListTrusted", "MokListTrustedRT")
    found.shim_ignores |= is_set("MokDBState", "MokIgnoreDB")


def _unreadable(name: str, source: str, error: AssayError) -> Finding:
    return Finding.of(codes.BOOT_VARIABLE_UNREADABLE, source, f"{name}: {error.finding.detail}")


def _list_name(variable: Variable) -> str:
    """The database that a variable is of; empty for any other variable."""
    if variable.vendor == SHIM_LOCK and (match := _MOK.fullmatch(variable.name)):
        return match[1]
    return _LISTS.get((variable.name, variable.vendor), "")
