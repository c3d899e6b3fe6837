"""Kernel modules: what is signed, by whom, and what is refused."""

from __future__ import annotations

import gzip
import lzma
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.linux.trailer import SIZE
from assay.model.finding import UsageError
from assay.model.verdict import Answer, Decision, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.signatures.support import run, says_yes, tool
from tests.support import modules
from tests.support.certificates import NOW, Holder, key_of, root
from tests.support.checking import codes_of, text_of
from tests.support.images import compressed

HOLDER = modules.signing_key()
OTHER = modules.signing_key("Other key", key=key_of("rsa2048", 1))
LATER = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    path = tmp_path / "vmlinux"
    path.write_bytes(modules.kernel(modules.key_list(HOLDER)))
    return path


def by_kernel(path: Path, kernel: Path, at: datetime = NOW) -> Verdict:
    [verdict] = verify(str(path), VerifyOptions(Trust().add_kernel(kernel), at=at))
    return verdict


def judged(data: bytes, tmp_path: Path, kernel: Path, name: str = "assay.ko") -> Verdict:
    path = tmp_path / name
    path.write_bytes(data)
    return by_kernel(path, kernel)


def test_a_module_is_vouched_for_by_the_kernel_that_loads_it(tmp_path: Path, kernel: Path) -> None:
    verdict = judged(modules.signed(HOLDER), tmp_path, kernel)
    assert verdict.decision is Decision.ALLOWED
    assert verdict.format == "kernel-module"
    assert verdict.coverage.unclaimed == 0
    size = len(modules.module())
    assert verdict.coverage.bound == size
    assert "taken on your word" in text_of(verdict)


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_digests(digest: str, tmp_path: Path, kernel: Path) -> None:
    assert judged(modules.signed(HOLDER, digest=digest), tmp_path, kernel).exit_status == 0


def test_the_signer_may_be_named_by_key_identifier(tmp_path: Path, kernel: Path) -> None:
    data = modules.signed(HOLDER, key_id=HOLDER.certificate.key_id)
    assert judged(data, tmp_path, kernel).exit_status == 0


def test_sha1_is_refused(tmp_path: Path, kernel: Path) -> None:
    verdict = judged(modules.signed(HOLDER, digest="sha1"), tmp_path, kernel)
    assert "weak-signature" in codes_of(verdict)
    assert verdict.decision is Decision.REFUSED


def test_the_kernel_looks_at_no_dates_and_an_authority_does(tmp_path: Path, kernel: Path) -> None:
    path = tmp_path / "a.ko"
    path.write_bytes(modules.signed(HOLDER))
    certificate = tmp_path / "key.pem"
    certificate.write_bytes(HOLDER.pem)
    assert by_kernel(path, kernel, LATER).decision is Decision.ALLOWED
    for at, exit_status in ((NOW, 0), (LATER, 1)):
        [verdict] = verify(str(path), VerifyOptions(Trust().add_ca(certificate), at=at))
        assert verdict.exit_status == exit_status
    [verdict] = verify(str(path), VerifyOptions(Trust().add_key(certificate), at=NOW))
    assert verdict.decision is Decision.ALLOWED


def test_a_signer_below_an_authority(tmp_path: Path) -> None:
    authority = root("Module CA")
    holder = modules.signing_key("Signer", issuer=authority)
    path, anchor = tmp_path / "a.ko", tmp_path / "ca.pem"
    path.write_bytes(modules.signed(holder))
    anchor.write_bytes(authority.pem)
    between = tmp_path / "signer.pem"
    between.write_bytes(holder.pem)
    trust = Trust().add_ca(anchor).add_ca_intermediate(between)
    [verdict] = verify(str(path), VerifyOptions(trust, at=NOW))
    assert verdict.decision is Decision.ALLOWED
    [verdict] = verify(str(path), VerifyOptions(Trust().add_ca(anchor), at=NOW))
    assert verdict.decision is Decision.REFUSED
    assert "signer-certificate-missing" in codes_of(verdict)


@pytest.mark.parametrize(
    ("name", "compress"),
    [
        ("a.ko.gz", gzip.compress),
        ("a.ko.xz", lambda data: lzma.compress(data, check=lzma.CHECK_CRC32)),
        ("a.ko.zst", lambda data: compressed(data, "zstd")),
    ],
)
def test_compressed(name: str, compress: object, tmp_path: Path, kernel: Path) -> None:
    data = modules.signed(HOLDER)
    verdict = judged(compress(data), tmp_path, kernel, name)  # type: ignore[operator]
    assert verdict.decision is Decision.ALLOWED
    assert verdict.coverage.unclaimed == 0
    changed = data.replace(b"license=GPL", b"license=BSD")
    verdict = judged(compress(changed), tmp_path, kernel, name)  # type: ignore[operator]
    assert verdict.decision is Decision.REFUSED


def test_a_signature_of_another_module(tmp_path: Path, kernel: Path) -> None:
    made = modules.signature(HOLDER, modules.module("other"))
    verdict = judged(modules.module() + made + modules.trailer(len(made)), tmp_path, kernel)
    assert verdict.decision is Decision.REFUSED
    assert "signature-invalid" in codes_of(verdict)


def test_a_stranger(tmp_path: Path, kernel: Path) -> None:
    verdict = judged(modules.signed(OTHER), tmp_path, kernel)
    assert verdict.decision is Decision.REFUSED
    assert codes_of(verdict) >= {"wrong-key", "not-vouched"}


def test_a_stranger_under_the_name_of_a_key(tmp_path: Path, kernel: Path) -> None:
    verdict = judged(modules.signed(OTHER, names=HOLDER), tmp_path, kernel)
    assert "signature-invalid" in codes_of(verdict)


def test_a_module_without_a_signature(tmp_path: Path, kernel: Path) -> None:
    verdict = judged(modules.module(), tmp_path, kernel)
    assert verdict.decision is Decision.REFUSED
    assert codes_of(verdict) >= {"module-not-signed", "no-signature"}


def test_a_pinned_digest_needs_no_signature(tmp_path: Path) -> None:
    import hashlib

    path = tmp_path / "a.ko"
    path.write_bytes(modules.module())
    trust = Trust().add_digest("sha256:" + hashlib.sha256(path.read_bytes()).hexdigest())
    [verdict] = verify(str(path), VerifyOptions(trust, at=NOW))
    assert verdict.decision is Decision.ALLOWED


def test_a_nested_signature(tmp_path: Path, kernel: Path) -> None:
    twice = modules.signed(HOLDER, modules.signed(HOLDER))
    verdict = judged(twice, tmp_path, kernel)
    assert verdict.decision is Decision.REFUSED
    assert "module-signature-nested" in codes_of(verdict)


def test_bytes_after_the_trailer(tmp_path: Path, kernel: Path) -> None:
    verdict = judged(modules.signed(HOLDER) + b"\0\0", tmp_path, kernel)
    assert verdict.decision is Decision.REFUSED
    [found] = [f for f in verdict.findings if f.code == "module-trailer"]
    assert "2 bytes follow" in found.detail


def test_bytes_between_module_and_signature(tmp_path: Path, kernel: Path) -> None:
    made = modules.signature(HOLDER, modules.module())
    data = modules.module() + b"extra" + made + modules.trailer(len(made))
    assert judged(data, tmp_path, kernel).decision is Decision.REFUSED


def test_bytes_between_signature_and_trailer(tmp_path: Path, kernel: Path) -> None:
    made = modules.signature(HOLDER, modules.module())
    data = modules.module() + made + b"\0" + modules.trailer(len(made) + 1)
    verdict = judged(data, tmp_path, kernel)
    assert "signature-malformed" in codes_of(verdict)
    assert verdict.decision is Decision.REFUSED


@pytest.mark.parametrize("change", [-1, 1, 10_000, 2**32 - 1])
def test_a_length_that_lies(change: int, tmp_path: Path, kernel: Path) -> None:
    made = modules.signature(HOLDER, modules.module())
    length = change if change > 100 else len(made) + change
    data = modules.module() + made + modules.trailer(length)
    verdict = judged(data, tmp_path, kernel)
    assert verdict.decision is Decision.REFUSED
    assert codes_of(verdict) & {"module-trailer", "signature-malformed"}


@pytest.mark.parametrize(
    "fields",
    [
        {"algorithm": 1},
        {"digest": 4},
        {"signer": 1},
        {"key_id": 1},
        {"padding": b"\0\0\1"},
    ],
)
def test_fields_that_are_not_zero(fields: dict[str, int], tmp_path: Path, kernel: Path) -> None:
    made = modules.signature(HOLDER, modules.module())
    data = modules.module() + made + modules.trailer(len(made), **fields)
    verdict = judged(data, tmp_path, kernel)
    assert "module-trailer" in codes_of(verdict)
    assert verdict.decision is Decision.REFUSED


@pytest.mark.parametrize("kind", [0, 1, 3, 255])
def test_kinds_that_are_not_pkcs7_are_named(kind: int, tmp_path: Path, kernel: Path) -> None:
    body = b"Someone" + b"\xaa\xbb" + b"s" * 64
    data = modules.module() + body + modules.trailer(64, kind=kind, signer=7, key_id=2)
    verdict = judged(data, tmp_path, kernel)
    assert verdict.exit_status != 0
    [found] = [f for f in verdict.findings if f.code == "signature-unsupported"]
    assert f"type {kind}" in found.detail
    if kind == 1:
        assert "Someone" in found.detail
        assert "aabb" in found.detail


def test_signed_attributes_are_refused_as_the_kernel_does(tmp_path: Path, kernel: Path) -> None:
    verdict = judged(modules.signed(HOLDER, bare=False), tmp_path, kernel)
    assert "signed-attributes-invalid" in codes_of(verdict)
    assert verdict.decision is Decision.REFUSED


def test_two_signers_are_refused(tmp_path: Path, kernel: Path) -> None:
    from tests.support import cms

    content = modules.module()
    one = cms.signer(HOLDER, content, bare=True)
    two = cms.signer(OTHER, content, bare=True)
    made = cms.signed_data(one, two)
    verdict = judged(content + made + modules.trailer(len(made)), tmp_path, kernel)
    assert "signature-malformed" in codes_of(verdict)


def test_a_module_for_another_kernel(tmp_path: Path, kernel: Path) -> None:
    content = modules.module(release="6.0.0-other")
    verdict = judged(modules.signed(HOLDER, content), tmp_path, kernel)
    assert verdict.decision is Decision.REFUSED
    assert verdict.authentic is Answer.YES
    assert "module-release" in codes_of(verdict)


def test_a_signed_file_that_names_no_kernel(tmp_path: Path, kernel: Path) -> None:
    content = modules.module().replace(b".modinfo", b".no_info")
    verdict = judged(modules.signed(HOLDER, content), tmp_path, kernel)
    assert "module-release" in codes_of(verdict)


def test_a_kernel_without_a_release(tmp_path: Path) -> None:
    kernel = tmp_path / "vmlinux"
    plain = modules.kernel(modules.key_list(HOLDER))
    kernel.write_bytes(plain.replace(b"Linux version", b"Other version"))
    verdict = judged(modules.signed(HOLDER), tmp_path, kernel)
    assert verdict.decision is Decision.ALLOWED
    assert "kernel-release-unknown" in codes_of(verdict)


def test_a_tree(tmp_path: Path, kernel: Path) -> None:
    tree = tmp_path / "modules" / "kernel"
    (tree / "fs").mkdir(parents=True)
    (tree / "fs" / "one.ko").write_bytes(modules.signed(HOLDER, modules.module("one")))
    (tree / "two.ko.xz").write_bytes(lzma.compress(modules.signed(HOLDER, modules.module("two"))))
    (tree / "modules.dep").write_text("kernel/two.ko.xz:\n")
    verdict = by_kernel(tmp_path / "modules", kernel)
    assert verdict.decision is Decision.ALLOWED
    assert verdict.format == "kernel-modules"
    assert verdict.coverage.unclaimed == 0
    assert "all 2 are vouched for" in text_of(verdict)
    (tree / "three.ko").write_bytes(modules.module("three"))
    (tree / "four.ko").write_bytes(modules.signed(OTHER, modules.module("four")))
    (tree / "five.ko").write_bytes(modules.signed(HOLDER)[:-1])
    verdict = by_kernel(tmp_path / "modules", kernel)
    assert verdict.decision is Decision.REFUSED
    assert verdict.intact is not Answer.YES
    [found] = [f for f in verdict.findings if f.code == "parts-not-vouched"]
    assert "3 of 5 modules" in found.detail
    for name in ("three", "four", "five"):
        assert f"kernel/{name}.ko" in found.detail
    assert "2 of 5" in text_of(verdict)


def test_a_tree_of_one_stranger_is_refused(tmp_path: Path, kernel: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.ko").write_bytes(b"no module")
    verdict = by_kernel(tree, kernel)
    assert verdict.decision is Decision.REFUSED
    assert "module-malformed" in codes_of(verdict)


def test_a_link_out_of_a_tree(tmp_path: Path, kernel: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.ko").write_bytes(modules.signed(HOLDER))
    outside = tmp_path / "outside.ko"
    outside.write_bytes(modules.signed(HOLDER))
    (tree / "b.ko").symlink_to(outside)
    verdict = by_kernel(tree, kernel)
    assert "link-leads-outside" in codes_of(verdict)
    assert verdict.exit_status != 0


def test_a_kernel_that_cannot_tell_its_keys_is_no_anchor(tmp_path: Path) -> None:
    for content, said in (
        (modules.kernel(), "no certificates"),
        (modules.kernel(modules.key_list(HOLDER, first=1)), "none of them in a list"),
        (b"nothing", "nothing is known"),
        (b"", "nothing is known"),
    ):
        path = tmp_path / "vmlinux"
        path.write_bytes(content)
        with pytest.raises(UsageError, match=said):
            Trust().add_kernel(path)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_flipped_bit_is_refused(tmp_path: Path, kernel: Path, data: st.DataObject) -> None:
    whole = modules.signed(HOLDER)
    at = data.draw(st.integers(0, len(whole) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(whole)
    changed[at] ^= 1 << bit
    assert judged(bytes(changed), tmp_path, kernel).exit_status != 0


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10_000))
def test_any_truncation_is_refused(tmp_path: Path, kernel: Path, end: int) -> None:
    whole = modules.signed(HOLDER)
    assert judged(whole[: end % len(whole)], tmp_path, kernel).exit_status != 0


# peers


def sign_file(content: bytes, holder: Holder, folder: Path, *options: str) -> bytes:
    """As the kernel's scripts/sign-file does it, with openssl."""
    openssl = tool("openssl")
    certificate, key = holder.write(folder, "signer")
    (folder / "content").write_bytes(content)
    made = run(
        openssl, "cms", "-sign", "-binary", "-noattr", "-nocerts", "-md", "sha512", "-outform",
        "DER", "-signer", certificate, "-inkey", key, "-in", folder / "content", *options,
    )  # fmt: skip
    return content + made + modules.trailer(len(made))


@pytest.mark.parametrize("options", [(), ("-keyid",)])
def test_openssl_signs(options: tuple[str, ...], tmp_path: Path, kernel: Path) -> None:
    data = sign_file(modules.module(), HOLDER, tmp_path, *options)
    assert judged(data, tmp_path, kernel).decision is Decision.ALLOWED


def test_openssl_agrees(tmp_path: Path) -> None:
    openssl = tool("openssl")
    data = modules.signed(HOLDER)
    length = int.from_bytes(data[-SIZE:][8:12], "big")
    (tmp_path / "content").write_bytes(data[: -SIZE - length])
    (tmp_path / "signature").write_bytes(data[-SIZE - length : -SIZE])
    certificate, _ = HOLDER.write(tmp_path, "signer")
    command = [
        openssl, "cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "signature",
        "-content", tmp_path / "content", "-certfile", certificate, "-noverify", "-nointern",
        "-out", "/dev/null",
    ]  # fmt: skip
    assert says_yes(*command)
    (tmp_path / "content").write_bytes(modules.module("other"))
    assert not says_yes(*command)


def test_modinfo_shows_the_same_signer(tmp_path: Path, kernel: Path) -> None:
    modinfo = tool("modinfo")
    path = tmp_path / "assay.ko"
    path.write_bytes(sign_file(modules.module(), HOLDER, tmp_path))
    said = run(modinfo, path).decode()
    assert "sig_id:         PKCS#7" in said
    assert f"vermagic:       {modules.RELEASE}" in said
    verdict = by_kernel(path, kernel)
    whole = next(part for part in verdict.components if part.id == "file")
    assert whole.labels["vermagic"].startswith(modules.RELEASE)
    assert whole.labels["license"] == "GPL"
