"""The public Python interface."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import assay
from assay import (
    AssayError,
    RefusedError,
    Trust,
    UsageError,
    Verdict,
    attest,
    baseline,
    boot_check,
    compare,
    inspect,
    load_signing_key,
    sign,
    verify,
)
from assay.measure.fs_verity import FsVeritySink
from assay.model.measurement import FsVerityRequest
from assay.model.secret import Secret
from assay.produce.keys import pkcs8
from assay.produce.keys.kinds import generate
from tests.formats.pe.test_authenticode import ROOT, SIGNER
from tests.formats.pe.test_sbat import program as sbat_program
from tests.formats.pe.test_sbat import signed
from tests.formats.verity.support import BLOCK, SALT
from tests.formats.verity.support import make as hash_tree
from tests.signatures.support import run, tool
from tests.support import uefi
from tests.support.certificates import NOW
from tests.support.images import Layout
from tests.uefi.test_sbat import LEVEL

CONTENT = b"assay" * 1000
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(CONTENT)
    return path


def test_verify(image: Path) -> None:
    verdict = verify(image, Trust().add_digest(DIGEST), offline=True)
    assert isinstance(verdict, Verdict)
    assert (verdict.decision.value, verdict.exit_status) == ("allowed", 0)
    assert verdict.coverage.fraction == 1


def test_a_verdict_is_true_only_when_the_image_is_allowed(image: Path) -> None:
    assert verify(image, Trust().add_digest(DIGEST))
    assert not verify(image, Trust().add_digest("sha256:" + "0" * 64))
    assert not verify(image, Trust())
    assert not verify(image.parent / "missing", Trust().add_digest(DIGEST))
    assert verify(image, Trust(), self_consistent=True)


def test_inspect(image: Path) -> None:
    verdict = inspect(image)
    assert [component.id for component in verdict.components] == ["file"]
    assert verdict.coverage.bound == 0


def test_a_baseline_verifies_its_image_and_finds_what_differs(image: Path) -> None:
    document = image.parent / "disk.baseline.json"
    document.write_bytes(baseline(image, chunk_size=4096))
    assert verify(image, Trust().add_baseline(document))
    assert compare(image, document).exit_status == 0
    image.write_bytes(CONTENT[:4500] + b"x" + CONTENT[4501:])
    found = compare(image, document)
    assert found.outcome.value == "different"
    assert not verify(image, Trust().add_baseline(document))


def test_no_baseline_of_an_image_that_is_refused(image: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        baseline(image, Trust().add_digest("sha256:" + "0" * 64))
    assert refused.value.verdict.decision.value == "refused"


def test_a_policy_of_another_tool(tmp_path: Path) -> None:
    layout = Layout()
    name = layout.write(tmp_path / "app", layout.image())
    policy = tmp_path / "policy.json"
    policy.write_text('{"default": [{"type": "reject"}]}')
    assert verify(name, Trust(), self_consistent=True)
    assert not verify(name, Trust(), self_consistent=True, policy=policy)
    with pytest.raises(UsageError):
        verify(name, Trust(), allow_partial=True)


def test_rules_and_times(image: Path) -> None:
    wrong = "sha256:" + "0" * 64
    both = Trust().add_digest(DIGEST).add_digest(wrong)
    assert verify(image, both)
    assert not verify(image, both, every=True)
    at = datetime(2026, 11, 24, tzinfo=UTC)
    assert verify(image, both, at=at).at == "2026-11-24T00:00:00Z"


def test_requests_that_make_no_sense(image: Path) -> None:
    trust = Trust().add_digest(DIGEST)
    for request in (
        lambda: verify(image, trust, at=datetime(2026, 11, 24)),
        lambda: baseline(image, chunk_size=1),
        lambda: baseline(image, algorithms=["md5"]),
        lambda: baseline(image, algorithms=[]),
        lambda: compare(image, image, forced_type="floppy"),
        lambda: verify(image, trust, threshold=0),
        lambda: verify(image, trust, threshold=2),
        lambda: verify(image, trust, forced_type="floppy"),
        lambda: verify(image, trust, signatures="disk.img.minisig"),
        lambda: verify(image, trust, signatures=["missing"]),
        lambda: verify("", trust),
        lambda: Trust().add_digest("sha256:12"),
        lambda: Trust().add_key("missing"),
    ):
        with pytest.raises(UsageError):
            request()


def test_names_that_no_system_has(image: Path) -> None:
    for name in (f"{image}\0", "x" * 10_000, "/" + "\udcff" * 3, "oci:\0", "oci:" + "x" * 10_000):
        verdict = verify(name, Trust())
        assert verdict.exit_status == 3
        assert verdict.findings[0].code in ("not-found", "unreadable"), name[:40]


def test_sign_and_attest(image: Path, tmp_path: Path) -> None:
    secret, public = tmp_path / "release.key", tmp_path / "release.pub"
    key = generate("ecdsa-p256")
    secret.write_bytes(pkcs8.FORM.write(key, Secret(b"correct horse")))
    secret.chmod(0o600)
    public.write_bytes(pkcs8.FORM.write_public(key))

    key = load_signing_key(secret, b"correct horse")
    signature = tmp_path / "disk.img.sigstore.json"
    signature.write_bytes(sign(image, key))
    assert verify(image, Trust().add_key(public))
    signature.unlink()
    assert not verify(image, Trust().add_key(public))
    statement = tmp_path / "tested.json"
    statement.write_bytes(attest(image, key, "https://a.example/tested", {"passed": True}))
    assert verify(image, Trust().add_key(public), attestations=[statement])

    for wrong in (
        lambda: load_signing_key(secret),
        lambda: load_signing_key(secret, b"another"),
        lambda: sign(image, key, form="minisign"),
        lambda: sign(image, key, form="no-such-form"),
        lambda: sign(image, key, annotations={"a": "b"}),
        lambda: sign(image, key, attach=True),
        lambda: attest(image, key, "custom", {"a": object()}),
        lambda: attest(image, key, "custom", {"a": float("nan")}),
        lambda: attest(image, key, "custom", b"[]"),
        lambda: attest(image, key, "no type", {}),
    ):
        with pytest.raises(UsageError):
            wrong()
    with pytest.raises(AssayError):
        sign(tmp_path / "missing", key)


def test_importing_it_is_cheap() -> None:
    heavy = "msgspec, cryptography, urllib3, click, rich, isal, ssl, hashlib, asyncio"
    code = (
        "import sys; import assay; assay.__version__\n"
        f"print(*(set('{heavy}'.split(', ')) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True,
        env={"PYTHONPATH": str(Path(assay.__file__).parents[1])})  # fmt: skip
    assert done.stdout.split() == [], done


def test_what_the_interface_has() -> None:
    assert sorted(assay.__all__) == [
        "AssayError", "BootCheck", "Comparison", "RefusedError", "SigningKey", "Trust",
        "UsageError", "Verdict", "__version__", "attest", "baseline", "boot_check", "compare",
        "inspect", "load_signing_key", "require", "sign", "verify",
    ]  # fmt: skip
    assert set(assay.__all__) <= set(dir(assay))
    with pytest.raises(AttributeError):
        assay.no_such_name  # noqa: B018


def test_root_hashes(tmp_path: Path) -> None:
    made = hash_tree(CONTENT[:4096])
    (tmp_path / "root.img").write_bytes(CONTENT[:4096])
    (tmp_path / "root.verity").write_bytes(made.tree)
    root, image = made.root.hex(), tmp_path / "root.img"
    beside = {"tree": tmp_path / "root.verity"}
    assert verify(image, Trust().add_verity_root(root, **beside))
    assert verify(image, Trust().add_verity_root(f"sha256:{root}", data_blocks=8, **beside))
    assert not verify(image, Trust().add_verity_root(root, data_blocks=7, **beside))
    assert not verify(image, Trust().add_verity_root("00" * 32, **beside))
    image.write_bytes(CONTENT[:4096] + made.tree[BLOCK:])
    bare = {"superblock": False, "data_block_size": BLOCK, "hash_block_size": BLOCK}
    assert verify(image, Trust().add_verity_root(root, offset=4096, salt=SALT, **bare))
    assert not verify(image, Trust().add_verity_root(root, offset=4096, salt=b"", **bare))


@pytest.mark.parametrize(
    ("root", "more"),
    [
        ("no digits", {}),
        ("md7:00", {}),
        ("00" * 32, {"algorithm": "md7"}),
        ("00" * 32, {"blocks": 7}),
        ("00" * 32, {"superblock": False}),
        ("00" * 32, {"superblock": False, "offset": 0}),
    ],
)
def test_what_no_root_hash_is(root: str, more: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Trust().add_verity_root(root, **more)


def test_fs_verity(image: Path) -> None:
    digest = FsVerityRequest("sha512", 1024, b"salt")
    sink = FsVeritySink(digest)
    sink.update(memoryview(CONTENT))
    value = f"sha512:{sink.finish().hex()}"
    assert verify(image, Trust().add_fs_verity(value, 1024, b"salt"))
    assert not verify(image, Trust().add_fs_verity(value, 1024))
    with pytest.raises(UsageError, match="fs-verity"):
        verify(image, Trust(), fs_verity_signatures=[image], fs_verity_algorithm="sha384")
    with pytest.raises(UsageError, match="fs_verity_signatures: give a list"):
        verify(image, Trust(), fs_verity_signatures=image)


def test_signatures_of_fs_verity_digests(image: Path, tmp_path: Path) -> None:
    signature = tmp_path / "disk.img.sig"
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
        "-out", certificate, "-subj", "/CN=signer", "-days", "30",
    )  # fmt: skip
    run(
        tool("fsverity"), "sign", image, signature, f"--key={key}", f"--cert={certificate}",
        "--hash-alg=sha512", "--salt=73616c74",
    )  # fmt: skip
    trust, made = Trust().add_ca(certificate), {"fs_verity_algorithm": "sha512"}
    signatures = {"fs_verity_signatures": [signature]}
    assert verify(image, trust, **signatures, **made, fs_verity_salt=b"salt")
    assert not verify(image, trust, **signatures, **made)


def test_revocation_levels(tmp_path: Path) -> None:
    program, authority, level = tmp_path / "a.efi", tmp_path / "ca.pem", tmp_path / "level.csv"
    program.write_bytes(signed(sbat_program()))
    authority.write_bytes(ROOT.pem)
    trust = Trust().add_ca(authority)
    level.write_bytes(LEVEL)
    assert verify(program, trust, sbat_levels=[level], at=NOW)
    level.write_bytes(LEVEL.replace(b"grub,5", b"grub,6"))
    assert not verify(program, trust, sbat_levels=[level], at=NOW)
    assert verify(program, trust, at=NOW)


def test_boot_check(tmp_path: Path) -> None:
    program, db = tmp_path / "a.efi", tmp_path / "db.esl"
    program.write_bytes(signed(sbat_program()))
    db.write_bytes(uefi.certificates(ROOT))
    found = boot_check(program, [db], at=NOW)
    assert (found.exit_status, found.links[0].outcome.value) == (0, "allowed")
    dbx = tmp_path / "dbx.esl"
    dbx.write_bytes(uefi.certificates(SIGNER))
    assert boot_check(program, [db, dbx], at=NOW).exit_status == 1
    assert boot_check(program, [f"db={dbx}", f"dbx={db}"], at=NOW).exit_status == 1
    with pytest.raises(UsageError, match="firmware: give a list"):
        boot_check(program, str(db))
