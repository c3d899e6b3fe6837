"""NIST's public key interoperability test suite (PKITS): paths and revocation lists, good and bad.

The suite comes with ``cryptography_vectors``; without that the tests are skipped. Not one of its
bad paths may be accepted; of the good ones, those are refused that need what is not supported.
"""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.model.finding import AssayError
from assay.x509.certificate import Certificate
from assay.x509.crl import RevocationList, read_crls
from assay.x509.load import read_certificates
from assay.x509.path import find_path
from assay.x509.requirements import Requirements

_UNSUPPORTED = (
    "DSA",
    "IDPwithindirectCRL",
    "cRLIssuer",
    "distributionPointTest4",
    "distributionPointTest5",
    "distributionPointTest7",
    "onlySomeReasons",
    "PolicyMapping",
    "inhibitAnyPolicy",
    "requireExplicitPolicy",
)
"""Parts of the names of good paths that need DSA, indirect or partial lists, distribution points
with relative names, or explicit policies."""


@pytest.fixture(scope="module")
def suite() -> Path:
    spec = importlib.util.find_spec("cryptography_vectors")
    if spec is None or spec.origin is None:
        pytest.skip("cryptography_vectors is not installed")
    return Path(spec.origin).parent / "x509" / "PKITS_data"


def _is_signer(name: str) -> bool:
    return name.startswith(("Valid", "Invalid")) and "Test" in name


def test_the_whole_suite(suite: Path) -> None:
    signers: dict[str, Certificate] = {}
    pool: list[Certificate] = []
    lists: list[RevocationList] = []
    for file in sorted(suite.glob("certs/*.crt")):
        try:
            [certificate] = read_certificates(file.read_bytes())
        except AssayError:
            assert file.stem.startswith(("Bad", "Invalid"))
            continue
        if _is_signer(file.stem):
            signers[file.stem] = certificate
        else:
            pool.append(certificate)
    for file in sorted(suite.glob("crls/*.crl")):
        try:
            lists += read_crls(file.read_bytes())
        except AssayError:
            assert file.stem.startswith("Bad")
    [anchor] = read_certificates((suite / "certs" / "TrustAnchorRootCertificate.crt").read_bytes())
    assert len(signers) > 190
    asked = Requirements(datetime(2020, 1, 1, tzinfo=UTC), lists=tuple(lists))
    wrong: dict[str, list[str]] = {}
    for name, signer in signers.items():
        result = find_path(signer, pool, [anchor], asked)
        good = name.startswith("Valid")
        if bool(result.path) is not good and not (good and any(u in name for u in _UNSUPPORTED)):
            wrong[name] = [fault.detail for fault in result.faults]
    assert wrong == {}
