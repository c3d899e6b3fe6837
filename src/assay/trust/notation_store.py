"""The trust stores of notation: directories of certificates (notaryproject/specifications,
trust-store-trust-policy.md, "Trust Store")."""

from __future__ import annotations

import stat
from pathlib import Path

from msgspec import Struct

from assay import limits
from assay.cms.timestamp import TimeAuthority
from assay.evidence.model import read_bounded
from assay.model.finding import AssayError, UsageError
from assay.signatures.notary.envelope import X509, X509_SIGNING_AUTHORITY
from assay.x509.certificate import Certificate
from assay.x509.load import read_certificates
from assay.x509.signing import signature_fault

SCHEMES = {"ca": X509, "signingAuthority": X509_SIGNING_AUTHORITY}
"""The kinds of stores of authorities, and the signing scheme that each is for."""
TIME_STORE = "tsa"


class TrustStores(Struct, frozen=True):
    """All stores in a directory, by kind and name."""

    folder: Path

    def load(
        self, stores: tuple[tuple[str, str], ...]
    ) -> tuple[dict[str, tuple[Certificate, ...]], tuple[TimeAuthority, ...]]:
        """The authorities of the stores named, by signing scheme, and those that state times.
        Raises UsageError."""
        authorities: dict[str, tuple[Certificate, ...]] = {}
        clocks: list[TimeAuthority] = []
        for kind, name in stores:
            found = self._store(kind, name)
            if kind == TIME_STORE:
                clocks.append(TimeAuthority(found))
            else:
                scheme = SCHEMES[kind]
                authorities[scheme] = (*authorities.get(scheme, ()), *found)
        return authorities, tuple(clocks)

    def _store(self, kind: str, name: str) -> tuple[Certificate, ...]:
        folder = self.folder / kind / name
        found: list[Certificate] = []
        try:
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise UsageError(f"trust store {folder} is not a directory of its own")
            paths = sorted(folder.iterdir())
            for path in paths[: limits.NOTATION_ENTRIES]:
                mode = path.lstat().st_mode
                if stat.S_ISDIR(mode):
                    continue
                if not stat.S_ISREG(mode):
                    raise UsageError(f"{path} is not a file of its own (a link, say)")
                found += _certificates(path, kind)
        except OSError as error:
            raise UsageError(f"trust store {folder}: {error.strerror or error}") from error
        if len(paths) > limits.NOTATION_ENTRIES:
            raise UsageError(f"{folder}: more than {limits.NOTATION_ENTRIES} files")
        if not found:
            raise UsageError(f"trust store {folder} holds no certificate")
        return tuple(dict.fromkeys(found))


def _certificates(path: Path, kind: str) -> list[Certificate]:
    data = read_bounded(path, limits.KEY_FILE_SIZE, "trust store")
    try:
        found = read_certificates(data)
        for each in found:
            itself = each.self_issued and signature_fault(each, each) is None
            constraints = each.basic_constraints
            authority = constraints is not None and constraints.authority
            if kind == TIME_STORE and not (itself and authority):
                raise UsageError(f"{path}: {each} is not the root of a time stamping authority")
            if not itself and not authority:
                raise UsageError(f"{path}: {each} is neither an authority's nor signed by itself")
    except AssayError as error:
        raise UsageError(f"{path}: {error.finding.detail}") from error
    return found
