"""Signed updates of variables that are tried before they are enrolled: what the machine would make
of them (UEFI Specification section 8.2.2, as EDK II has it).

An update of db or dbx has to be signed below KEK, one of KEK below PK; one that replaces has to be
newer than what is there. One that the machine would not take changes nothing, and that is told.
Where it is not known whom the machine asks, the update counts on the user's word.
"""

from __future__ import annotations

from datetime import UTC, datetime

from assay.boot.databases import Databases
from assay.formats.uefi.target import signer_of, target_of
from assay.model.codes import boot as codes
from assay.model.finding import Finding
from assay.uefi.authentication import Target, Update, read_update
from assay.uefi.signature_list import read_lists
from assay.uefi.time import shown
from assay.uefi.variable import APPEND
from assay.x509.path import find_path
from assay.x509.requirements import Requirements

_ASKED = {"db": ("KEK", "PK"), "dbx": ("KEK", "PK"), "dbt": ("KEK", "PK"), "KEK": ("PK",)}


def apply_update(source: str, data: bytes, name: str, databases: Databases) -> None:
    """Let an update change the databases, or say why the machine would not take it. ``name`` is the
    database that the user says it is of, empty for what its signature says. Raises AssayError where
    it cannot be read at all."""
    update = read_update(data, source)
    lists = read_lists(data[update.content_start :], source)
    target = target_of(data, update)
    name = name or (target.name if target is not None else "")
    reason = _refused(update, target, name, databases)
    if reason:
        databases.findings.append(Finding.of(codes.BOOT_UPDATE_REFUSED, source, reason))
        return
    if target is not None and not target.attributes & APPEND:
        databases.clear(name)
    databases.add(name, source, lists)
    stored = databases.times.get(name)
    databases.times[name] = update.time if stored is None else max(stored, update.time)


def _refused(update: Update, target: Target | None, name: str, databases: Databases) -> str:
    """Why the machine would not take an update; empty where it would."""
    found = signer_of(update)
    if target is None or found is None:
        return "its signature is of another content, or of no variable that is protected"
    if target.name != name:
        return f"it is of {target.name}, and not of {name}"
    signed, leaf = found
    asked = _ASKED.get(name, ("PK",))
    authorities = [
        each.certificate
        for each in databases.other
        if each.database in asked and each.certificate is not None
    ]
    required = Requirements(at=datetime.now(UTC), timeless=True, legacy=True)
    path = find_path(leaf, signed.certificates, authorities, required).path
    if authorities and leaf not in authorities and not path:
        return f"it is signed by {leaf}, which {' and '.join(asked)} do not allow"
    stored = databases.times.get(name)
    if stored is not None and not target.attributes & APPEND and update.time <= stored:
        return f"it is of {shown(update.time)}, and what is there of {shown(stored)}"
    return ""
