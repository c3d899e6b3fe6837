"""Envelopes made by notation for its own tests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.model.signature import Key, SignatureOutcome, Status
from assay.signatures.notary.scheme import SCHEME_PLUGIN
from assay.x509 import key_schemes
from assay.x509.load import read_certificates

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "notation" / "verifier"
ENVELOPES = VECTORS / "timestamp" / "sigEnv"
STORES = VECTORS / "truststore" / "x509"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

if not VECTORS.is_dir():
    pytest.skip("the vectors are not here", allow_module_level=True)


def _certificates(*paths: str) -> tuple[object, ...]:
    return tuple(each for p in paths for each in read_certificates((STORES / p).read_bytes()))


def check(name: str, *, clock: str = "", at: datetime = NOW) -> SignatureOutcome:
    signed = SCHEME_PLUGIN.inline((ENVELOPES / name).read_bytes(), "payload", "signature")
    assert signed is not None
    store = sorted(path.name for path in (STORES / "ca" / "valid-trust-store").glob("Test*"))
    roots = _certificates(
        *(f"ca/valid-trust-store/{each}" for each in [*store, "NotationTestRoot.pem"])
    )
    alone = read_certificates_of(name)
    keys = [Key("ca:1", key_schemes.AUTHORITY, "store", (*roots, *alone))]
    if clock:
        keys.append(Key("", key_schemes.TIME_AUTHORITY, clock, _certificates(f"tsa/{clock}")))
    return signed.signatures[0].verify({}, keys, at)


def read_certificates_of(name: str) -> list[object]:
    """The signer's own certificate, for the tests' signers are certified by nobody else."""
    from assay.signatures.notary.files import read_envelope

    return [read_envelope((ENVELOPES / name).read_bytes(), "")[1][0]]


RIGHT = "test-timestamp/globalsignRoot.cer"
OTHER = "test-mismatch/DigiCertTSARootSHA384.cer"


@pytest.mark.parametrize(
    "name", ["jwsWithTimestamp.sig", "coseWithTimestamp.sig", "withoutTimestamp.sig"]
)
def test_a_certificate_that_is_still_valid(name: str) -> None:
    outcome = check(name)
    assert outcome.status is Status.VERIFIED, outcome


@pytest.mark.parametrize("name", ["jwsExpiredWithTimestamp.sig", "coseExpiredWithTimestamp.sig"])
def test_a_certificate_that_has_expired(name: str) -> None:
    assert check(name).status is Status.NOT_VALID_NOW
    assert check(name, clock=OTHER).status is Status.NOT_VALID_NOW
    outcome = check(name, clock=RIGHT)
    assert outcome.status is Status.VERIFIED, outcome


@pytest.mark.parametrize("name", ["timestampAfterNotAfter.sig", "timestampBeforeNotBefore.sig"])
def test_a_time_stamp_outside_of_the_certificates_life(name: str) -> None:
    outcome = check(name, clock=RIGHT)
    assert outcome.status is Status.NOT_VALID_NOW, outcome


def test_a_time_stamp_of_an_authority_that_is_not_trusted_is_told() -> None:
    outcome = check("jwsWithTimestamp.sig", clock=OTHER)
    assert outcome.status is Status.VERIFIED
    assert {finding.code for finding in outcome.findings} >= {"timestamp-invalid"}
