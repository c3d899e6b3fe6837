"""The kernel modules that a kernel in the chain would load: signed by whom it trusts?

A kernel trusts the keys built into it; those of MokList as well, where the owner of the machine
said so (MokListTrusted, the machine keyring).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from assay import limits
from assay.boot.collect import kernel_of
from assay.boot.databases import Databases
from assay.boot.programs import Program
from assay.linux.keyring import Keyring, read_keyring
from assay.model.boot import Ground, Link, Outcome, Role
from assay.model.finding import AssayError, Finding, Severity, UsageError
from assay.model.reading import Blob
from assay.model.verdict import Decision, State, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust

_OUTCOMES = {
    Decision.ALLOWED: Outcome.ALLOWED,
    Decision.REFUSED: Outcome.REFUSED,
    Decision.UNCHECKED: Outcome.UNCHECKED,
}
_KERNELS = (Role.KERNEL, Role.UNIFIED_KERNEL)
_TREE = "tree"
FINDINGS = 20
"""Modules that are told one by one; the others are counted."""


def check_modules(
    folder: str,
    programs: Sequence[Program],
    blobs: dict[str, Blob],
    databases: Databases,
    options: VerifyOptions,
    findings: list[Finding],
) -> Link:
    """The link from a kernel to a directory of modules. ``options`` are those of `verify` but for
    whom to trust. Raises UsageError where it is not clear which kernel loads them."""
    kernels = _kernels(programs, blobs, findings)
    name = Path(folder).resolve().name
    fitting = [each for each in kernels if each[1].release == name] or kernels
    if len(fitting) != 1:
        what = "several kernels" if kernels else "no kernel with keys"
        raise UsageError(f"--modules {folder}: {what} in the image; give the one that loads them")
    [(program, keyring)] = fitting
    trust = Trust()
    certificates = [each.certificate for each in keyring.keys]
    trust.add_kernel_keys(program.id, certificates, keyring.release)
    if databases.mok_trusted:
        owner = [each.certificate for each in databases.mok_allowed if each.certificate is not None]
        if owner:
            trust.keys[-1] = replace(trust.keys[-1], material=(*certificates, *owner))
    [verdict] = verify(folder, replace(options, trust=trust))
    errors = [each for each in verdict.findings if each.severity is Severity.ERROR]
    findings += [replace(each, component=_place(folder, each)) for each in errors[:FINDINGS]]
    modules = [each for each in verdict.components if each.parent == _TREE]
    signed = [each for each in verdict.components if each.kind == "kernel-module-content"]
    good = sum(each.state is State.BOUND for each in signed)
    return Link(
        id=folder,
        role=Role.MODULES,
        checked_by=program.id,
        outcome=_OUTCOMES[verdict.decision],
        allowed_by=_grounds(verdict, program),
        detail=f"{good} of {len(modules)} modules are signed by keys that the kernel trusts",
    )


def _kernels(
    programs: Sequence[Program], blobs: dict[str, Blob], findings: list[Finding]
) -> list[tuple[Program, Keyring]]:
    found: list[tuple[Program, Keyring]] = []
    for program in programs:
        blob = kernel_of(program, blobs)
        if program.role not in _KERNELS or blob is None or not blob.size:
            continue
        if len(found) > limits.NESTING:
            break
        try:
            _, keyring = read_keyring(blob.read_at, blob.size)
        except AssayError as error:
            findings.append(replace(error.finding, component=program.id))
            continue
        if keyring.keys:
            found.append((program, keyring))
    return found


def _place(folder: str, finding: Finding) -> str:
    return f"{folder}/{finding.component}" if finding.component else folder


def _grounds(verdict: Verdict, program: Program) -> tuple[Ground, ...]:
    signers = {
        voucher.signer.identity: None for voucher in verdict.vouchers if voucher.signer is not None
    }
    return tuple(Ground("keys of the kernel", "certificate", name, program.id) for name in signers)
