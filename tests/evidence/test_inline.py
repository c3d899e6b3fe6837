"""Documents within their own signature, by the tools that make them: the block counts, no more."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.evidence.intoto import PAYLOAD_TYPE
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.compare.support import write_baseline
from tests.signatures.support import codes_of, run, tool

CONTENT = os.urandom(20_000)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(CONTENT)
    return path


Signer = Callable[[Path], tuple[Path, Callable[[Trust], object]]]
"""Signs a document: the file with the document in it, and how to trust the signer."""


def by_gpg(document: Path) -> tuple[Path, Callable[[Trust], object]]:
    gpg = tool("gpg")
    home = document.parent / "gnupg"
    home.mkdir(mode=0o700, exist_ok=True)
    base = (gpg, "--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", "")
    run(*base, "--quick-gen-key", "Publisher <p@example.org>", "ed25519", "sign", "0")
    signed = document.with_name(document.name + ".asc")
    run(*base, "--clearsign", "-o", signed, document)
    public = document.parent / "publisher.gpg"
    public.write_bytes(run(*base, "--export"))
    run(tool("gpgconf"), "--homedir", home, "--kill", "gpg-agent")
    return signed, lambda trust: trust.add_key(str(public))


def by_openssl(document: Path) -> tuple[Path, Callable[[Trust], object]]:
    openssl, folder = tool("openssl"), document.parent
    certificate, key = folder / "signer.pem", folder / "signer.key"
    run(
        *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-subj", "/CN=Publisher", "-days", "30", "-keyout", key, "-out", certificate),
        *("-addext", "keyUsage=digitalSignature"),
    )
    signed = document.with_name(document.name + ".cms")
    run(
        *(openssl, "cms", "-sign", "-nodetach", "-binary", "-in", document, "-signer", certificate),
        *("-inkey", key, "-outform", "PEM", "-out", signed),
    )
    public = folder / "signer.pub"
    public.write_bytes(run(openssl, "x509", "-in", certificate, "-noout", "-pubkey"))
    return signed, lambda trust: trust.add_ca(str(certificate))


def by_signify(document: Path) -> tuple[Path, Callable[[Trust], object]]:
    signify, folder = tool("signify-openbsd", "signify"), document.parent
    public, secret = folder / "key.pub", folder / "key.sec"
    run(signify, "-G", "-n", "-p", public, "-s", secret)
    signed = document.with_name(document.name + ".sig")
    run(signify, "-S", "-e", "-s", secret, "-m", document, "-x", signed)
    return signed, lambda trust: trust.add_key(str(public))


def in_envelope(
    document: Path, payload_type: str = PAYLOAD_TYPE
) -> tuple[Path, Callable[[Trust], object]]:
    """A DSSE envelope (secure-systems-lab/dsse, protocol.md)."""
    private, payload = Ed25519PrivateKey.generate(), document.read_bytes()
    covered = b"DSSEv1 %d %b %d %b" % (
        len(payload_type),
        payload_type.encode(),
        len(payload),
        payload,
    )
    signed = document.with_name(document.name + ".dsse")
    signed.write_text(
        json.dumps(
            {
                "payload": base64.b64encode(payload).decode(),
                "payloadType": payload_type,
                "signatures": [{"sig": base64.b64encode(private.sign(covered)).decode()}],
            }
        )
    )
    public = document.parent / "key.pem"
    public.write_bytes(
        private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return signed, lambda trust: trust.add_key(str(public))


def sums_of(image: Path) -> Path:
    path = image.parent / "SHA256SUMS"
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    path.write_text(f"{digest}  {image.name}\n")
    return path


def with_checksums(image: Path, sums: Path, trusting: Callable[[Trust], object]) -> Verdict:
    trust = Trust()
    trust.add_checksums(str(sums))
    trusting(trust)
    [verdict] = verify(str(image), VerifyOptions(trust))
    return verdict


def with_baseline(image: Path, baseline: Path, trusting: Callable[[Trust], object]) -> Verdict:
    trust = Trust()
    trust.add_baseline(str(baseline))
    trusting(trust)
    [verdict] = verify(str(image), VerifyOptions(trust))
    return verdict


@pytest.mark.parametrize("sign", [by_gpg, by_openssl, by_signify])
def test_a_signed_checksum_file_vouches_through_its_block(image: Path, sign: Signer) -> None:
    signed, trusting = sign(sums_of(image))
    verdict = with_checksums(image, signed, trusting)
    assert verdict.exit_status == 0, verdict.findings
    signer = next(vouching for vouching in verdict.vouchers if vouching.kind != "checksums")
    assert signer.path[0].startswith(f"{signed.name}/signed (")
    assert signer.path[-1] == "file (line 1)"
    image.write_bytes(b"x")
    assert with_checksums(image, signed, trusting).exit_status == 1


@pytest.mark.parametrize("sign", [by_gpg, by_openssl])
def test_lines_around_a_signed_block_are_not_read(image: Path, sign: Signer) -> None:
    """The attack on readers that look for checksum lines anywhere in the file."""
    signed, trusting = sign(sums_of(image))
    image.write_bytes(b"evil")
    line = f"{hashlib.sha256(b'evil').hexdigest()}  {image.name}\n".encode()
    block = signed.read_bytes()
    for forged in (line + block, block + line, line + b"\n" + block + b"\n" + line):
        signed.write_bytes(forged)
        verdict = with_checksums(image, signed, trusting)
        assert verdict.exit_status == 1
        assert {"outside-signature", "signature-malformed"} & codes_of(verdict)
        assert not any("line 1" in step for found in verdict.vouchers for step in found.path)


@pytest.mark.parametrize("sign", [by_openssl, by_signify, in_envelope])
def test_a_signed_baseline_vouches_through_its_block(image: Path, sign: Signer) -> None:
    signed, trusting = sign(write_baseline(image, image.parent / "b.json"))
    verdict = with_baseline(image, signed, trusting)
    assert verdict.exit_status == 0, verdict.findings
    assert {vouching.kind for vouching in verdict.vouchers} >= {"baseline"}
    assert len(verdict.vouchers) == 2
    data = bytearray(CONTENT)
    data[5000] ^= 1
    image.write_bytes(data)
    verdict = with_baseline(image, signed, trusting)
    assert verdict.exit_status == 1
    assert "chunk-mismatch" in codes_of(verdict)


def test_an_envelope_that_says_it_holds_something_else_is_no_baseline(image: Path) -> None:
    """A signature for one purpose is not taken for another."""
    baseline = write_baseline(image, image.parent / "b.json")
    signed, trusting = in_envelope(baseline, "application/vnd.example+json")
    verdict = with_baseline(image, signed, trusting)
    assert verdict.exit_status == 1
    assert "malformed" in codes_of(verdict)
    assert verdict.claims_held <= 1


def test_a_statement_of_another_kind_is_no_baseline(image: Path) -> None:
    statement = image.parent / "statement.json"
    digest = hashlib.sha256(CONTENT).hexdigest()
    statement.write_text(
        json.dumps(
            {
                "_type": "https://in-toto.io/Statement/v1",
                "subject": [{"name": "disk.img", "digest": {"sha256": digest}}],
                "predicateType": "https://slsa.dev/provenance/v1",
                "predicate": {},
            }
        )
    )
    signed, trusting = in_envelope(statement)
    assert with_baseline(image, signed, trusting).exit_status == 1
