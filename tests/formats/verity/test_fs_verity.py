"""fs-verity: digests as fsverity computes them, and signatures of them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.measure.fs_verity import FsVeritySink, descriptor, formatted_digest
from assay.model.finding import UsageError
from assay.model.measurement import FsVerityRequest
from assay.model.verdict import Decision, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.cli.support import assay_here
from tests.signatures.support import codes_of, run, tool

SIZES = (0, 1, 1023, 1024, 1025, 4096, 4097, 4096 * 128, 4096 * 128 + 1, 300_000, 1 << 20)


def digest_of(data: bytes, request: FsVerityRequest) -> bytes:
    sink = FsVeritySink(request)
    for at in range(0, len(data), 70_000):
        sink.update(memoryview(data)[at : at + 70_000])
    return sink.finish()


def judge(path: Path, digest: str, **more: Any) -> Verdict:
    [verdict] = verify(str(path), VerifyOptions(Trust().add_fs_verity(digest, **more)))
    return verdict


def test_the_digest_is_of_a_descriptor_with_the_size_and_the_root() -> None:
    request = FsVerityRequest(salt=b"\x01\x02")
    block = b"content".ljust(4096, b"\0")
    root = hashlib.sha256(b"\x01\x02".ljust(64, b"\0") + block).digest()
    made = descriptor(request, 7, root)
    assert len(made) == 256
    assert digest_of(b"content", request) == hashlib.sha256(made).digest()


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("block_size", [1024, 4096, 65536])
@pytest.mark.parametrize("salt", ["", "ab", "5a" * 32])
def test_digests_are_those_of_fsverity(
    tmp_path: Path, algorithm: str, block_size: int, salt: str
) -> None:
    tool("fsverity")
    names = [f"of-{size}" for size in SIZES]
    for name, size in zip(names, SIZES, strict=True):
        (tmp_path / name).write_bytes(os.urandom(size))
    options = [f"--hash-alg={algorithm}", f"--block-size={block_size}"]
    said = run(
        "fsverity", "digest", *names, *options, *([f"--salt={salt}"] if salt else []), cwd=tmp_path
    )
    request = FsVerityRequest(algorithm, block_size, bytes.fromhex(salt))
    ours = [
        f"{algorithm}:{digest_of((tmp_path / name).read_bytes(), request).hex()} {name}"
        for name in names
    ]
    assert said.decode().splitlines() == ours


def test_the_command_line_prints_what_fsverity_prints(tmp_path: Path) -> None:
    tool("fsverity")
    (tmp_path / "file").write_bytes(os.urandom(100_000))
    done = assay_here(
        "baseline", "file", "--fs-verity", "--algorithm=sha512", "--fs-verity-block-size=1024",
        "--fs-verity-salt=0102", cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.encode() == run(
        "fsverity", "digest", "file", "--hash-alg=sha512", "--block-size=1024", "--salt=0102",
        cwd=tmp_path,
    )  # fmt: skip
    digest = done.stdout.split()[0]
    words = ["verify", "file", "--fs-verity", digest, "--fs-verity-block-size=1024"]
    assert assay_here(*words, "--fs-verity-salt=0102", cwd=tmp_path).returncode == 0
    assert assay_here(*words, cwd=tmp_path).returncode == 1


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=9000), st.integers(0), st.sampled_from([1024, 4096]))
def test_every_flipped_bit_is_refused(data: bytes, bit: int, block_size: int) -> None:
    digest = digest_of(data, FsVerityRequest(block_size=block_size))
    bit %= 8 * len(data)
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << bit % 8
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        for content, decision in ((data, Decision.ALLOWED), (flipped, Decision.REFUSED)):
            path.write_bytes(content)
            verdict = judge(path, f"sha256:{digest.hex()}", block_size=block_size)
            assert verdict.decision is decision


def test_zero_bytes_at_the_end_are_another_file(tmp_path: Path) -> None:
    """The last block is filled up with zeros; the size in the descriptor tells them apart."""
    digest = f"sha256:{digest_of(b'content', FsVerityRequest()).hex()}"
    (tmp_path / "file").write_bytes(b"content\0")
    assert "digest-mismatch" in codes_of(judge(tmp_path / "file", digest))


@pytest.mark.parametrize(
    ("digest", "more"),
    [
        ("sha256:" + "0" * 64, {"block_size": 512}),
        ("sha256:" + "0" * 64, {"block_size": 5000}),
        ("sha256:" + "0" * 64, {"salt": bytes(33)}),
        ("sha384:" + "0" * 96, {}),
        ("sha256:00", {}),
    ],
)
def test_digests_that_fs_verity_does_not_have(digest: str, more: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--fs-verity"):
        Trust().add_fs_verity(digest, **more)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tool("openssl")
    folder = tmp_path_factory.mktemp("signer")
    run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem",
        "-out", "cert.pem", "-subj", "/CN=signer", "-days", "30", cwd=folder,
    )  # fmt: skip
    return folder


def signed(signer: Path, image: Path, signature: Path) -> Verdict:
    trust = Trust().add_ca(signer / "cert.pem")
    request = VerifyOptions(trust, fs_verity_signatures=[str(signature)])
    [verdict] = verify(str(image), request)
    return verdict


def test_what_fsverity_signs_is_verified(signer: Path, tmp_path: Path) -> None:
    tool("fsverity")
    image, signature = tmp_path / "file", tmp_path / "file.sig"
    image.write_bytes(os.urandom(50_000))
    run(
        "fsverity", "sign", image, signature, f"--key={signer / 'key.pem'}",
        f"--cert={signer / 'cert.pem'}",
    )  # fmt: skip
    verdict = signed(signer, image, signature)
    assert verdict.decision is Decision.ALLOWED
    assert verdict.coverage.bound == 50_000
    image.write_bytes(image.read_bytes()[:-1] + b"x")
    assert signed(signer, image, signature).decision is Decision.REFUSED


def sign(signer: Path, content: bytes) -> bytes:
    """As the kernel wants it: PKCS#7, detached, without attributes and certificates."""
    return run(
        "openssl", "smime", "-sign", "-binary", "-noattr", "-nocerts", "-outform", "DER",
        "-signer", signer / "cert.pem", "-inkey", signer / "key.pem", stdin=content,
    )  # fmt: skip


def test_only_the_formatted_digest_counts_as_signed(signer: Path, tmp_path: Path) -> None:
    """A signature of the bare digest, of the file or of another digest says nothing of it."""
    image, signature = tmp_path / "file", tmp_path / "file.sig"
    image.write_bytes(b"content")
    value = digest_of(b"content", FsVerityRequest())
    formatted = formatted_digest(FsVerityRequest(), value)
    signature.write_bytes(sign(signer, formatted))
    assert signed(signer, image, signature).decision is Decision.ALLOWED
    other = digest_of(b"other", FsVerityRequest())
    for content in (value, b"content", formatted_digest(FsVerityRequest(), other), formatted[8:]):
        signature.write_bytes(sign(signer, content))
        assert signed(signer, image, signature).decision is Decision.REFUSED
    signature.write_bytes(b"no signature")
    assert "signature-malformed" in codes_of(signed(signer, image, signature))
