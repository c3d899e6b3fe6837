"""Every scheme tells how a signature was made, so that policies can ask for more."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.model.anchor import Algorithm
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.cli.support import assay_here


@pytest.mark.parametrize(
    ("kind", "form", "family", "digest"),
    [
        ("ed25519", "raw", "Ed25519", ""),
        ("ed25519", "sigstore", "Ed25519", ""),
        ("ecdsa-p256", "raw", "ECDSA", "sha256"),
        ("ecdsa-p256", "sigstore", "ECDSA", "sha256"),
        ("ecdsa-p384", "ssh", "ECDSA", "sha384"),
        ("rsa-3072", "raw", "RSA", "sha256"),
        ("rsa-3072", "ssh", "RSA", "sha512"),
        ("ml-dsa-65", "raw", "ML-DSA", ""),
    ],
)
def test_how_a_signature_was_made(
    tmp_path: Path, kind: str, form: str, family: str, digest: str
) -> None:
    (tmp_path / "disk.img").write_bytes(b"x" * 1000)
    for words in (
        ("key", "generate", "a.key", "--kind", kind, "--no-passphrase"),
        ("sign", "disk.img", "--key", "a.key", "--format", form),
        ("key", "export-public", "a.key", "--format", "ssh", "-o", "ssh.pub"),
    ):
        done = assay_here(*words, cwd=tmp_path)
        if words[1] == "export-public" and form != "ssh":
            continue
        assert done.returncode == 0, done.stderr
    key = tmp_path / ("ssh.pub" if form == "ssh" else "a.pub")
    request = VerifyOptions(Trust().add_key(str(key)))
    [verdict] = verify(str(tmp_path / "disk.img"), request)
    [voucher] = verdict.vouchers
    signer = voucher.signer
    assert signer is not None
    assert isinstance(signer.algorithm, Algorithm)
    assert (signer.algorithm.family, signer.algorithm.digest) == (family, digest)
