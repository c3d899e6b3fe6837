"""Finds the importer for a policy file."""

from __future__ import annotations

from pathlib import Path

from assay import limits, plugins
from assay.evidence.model import read_bounded
from assay.model.finding import AssayError, UsageError
from assay.policy_import.model import NOWHERE, Around, Policy, PolicyImporter


def load_policy(path: str, trust_store: str = "", chosen: str = "") -> Policy:
    """Read a policy of whichever kind; ``trust_store`` and ``chosen`` are for those that have trust
    stores, or several policies to choose from. Raises UsageError."""
    around = Around(Path(path).parent, Path(trust_store) if trust_store else None, chosen)
    return read_policy(read_bounded(Path(path), limits.POLICY_SIZE, "--policy"), path, around)


def read_policy(data: bytes, path: str, around: Around = NOWHERE) -> Policy:
    """The same for a policy at hand, called ``path``."""
    names: list[str] = []
    for name, plugin in plugins.each("assay.policies"):
        importer: PolicyImporter = plugin
        names.append(name)
        if importer.recognise(data):
            try:
                return importer.read(data, around)
            except AssayError as error:
                finding = error.finding
                at = f" (at byte {finding.offset})" if finding.offset is not None else ""
                raise UsageError(f"--policy {path}: {finding.detail}{at}") from error
    raise UsageError(f"--policy {path}: no known kind of policy ({', '.join(names)})")
