"""``assay sign`` and ``assay attest`` as a user calls them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from assay.produce.keys import pkcs8
from assay.produce.keys.kinds import generate
from tests.cli.support import ENVIRONMENT, SECONDS, assay_here
from tests.support.images import Layout

KEY = ("--key", "signer.key")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    key = generate("ed25519")
    secret = tmp_path / "signer.key"
    secret.write_bytes(pkcs8.FORM.write(key, None))
    secret.chmod(0o600)
    (tmp_path / "signer.pub").write_bytes(pkcs8.FORM.write_public(key))
    (tmp_path / "disk.img").write_bytes(b"content")
    (tmp_path / "predicate.json").write_text('{"passed": true}')
    return tmp_path


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("sigstore", "disk.img.sigstore.json"),
        ("minisign", "disk.img.minisig"),
        ("dsse", "disk.img.envelope.json"),
        ("raw", "disk.img.sig"),
    ],
)
def test_a_signature_is_put_beside_the_file_and_never_over_another(
    folder: Path, form: str, name: str
) -> None:
    words = ("sign", "disk.img", *KEY, "--format", form)
    done = assay_here(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{name}: {form} signature by the Ed25519 key sha256:")
    first = (folder / name).read_bytes()
    done = assay_here(*words, cwd=folder)
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert (folder / name).read_bytes() == first
    assert assay_here(*words, "--force", "-q", cwd=folder).stdout == ""


def test_several_files_are_signed_together_or_not_at_all(folder: Path) -> None:
    for name in ("a.img", "b.img"):
        (folder / name).write_bytes(name.encode())
    done = assay_here("sign", "a.img", "b.img", *KEY, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    trust = ("--key", "signer.pub")
    assert assay_here("verify", "a.img", "b.img", *trust, cwd=folder).returncode == 0
    (folder / "a.img.sigstore.json").unlink()
    for wrong in (("b.img",), ("missing",), ("a.img", "-o", "x"), ("-", "-")):
        done = assay_here("sign", "a.img", *wrong, *KEY, cwd=folder)
        assert done.returncode in (2, 3), wrong
        assert not (folder / "a.img.sigstore.json").exists()


def test_standard_input_and_output(folder: Path) -> None:
    words = [sys.executable, "-m", "assay", "sign", "-", *KEY, "--format", "raw", "-o", "-"]
    done = subprocess.run(
        words, input=b"content", cwd=folder, capture_output=True, timeout=SECONDS, env=ENVIRONMENT,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder / "disk.img.sig").write_bytes(done.stdout)
    assert assay_here("verify", "disk.img", "--key", "signer.pub", cwd=folder).returncode == 0


def test_a_signed_baseline(folder: Path) -> None:
    baseline = "disk.img.baseline.json"
    assert assay_here("baseline", "disk.img", "-o", baseline, cwd=folder).returncode == 0
    trust = ("--baseline", baseline, "--key", "signer.pub")
    assert assay_here("verify", "disk.img", *trust, cwd=folder).returncode == 1
    assert assay_here("sign", baseline, *KEY, cwd=folder).returncode == 0
    done = assay_here("verify", "disk.img", *trust, cwd=folder)
    assert done.returncode == 0, done.stdout
    words = ("sign", baseline, *KEY, "--format", "dsse", "-o", "signed.json")
    assert assay_here(*words, cwd=folder).returncode == 0
    trust = ("--baseline", "signed.json", "--key", "signer.pub")
    done = assay_here("verify", "disk.img", *trust, cwd=folder)
    assert done.returncode == 0, done.stdout


def test_a_signed_checksum_file(folder: Path) -> None:
    digest = hashlib.sha256(b"content").hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  disk.img\n")
    words = ("sign", "SHA256SUMS", *KEY, "--format", "minisign")
    assert assay_here(*words, cwd=folder).returncode == 0
    (folder / "minisign.pub").write_text(
        assay_here("key", "export-public", "signer.key", "--format", "minisign", cwd=folder).stdout
    )
    trust = ("--checksums", "SHA256SUMS", "--key", "minisign.pub")
    assert assay_here("verify", "disk.img", *trust, cwd=folder).returncode == 0


def test_an_attestation(folder: Path) -> None:
    words = ("attest", "disk.img", "--predicate", "predicate.json", *KEY)
    done = assay_here(*words, "--type", "https://a.example/tests/v1", cwd=folder)
    assert done.returncode == 0, done.stderr
    name = "disk.img.attestation.sigstore.json"
    assert done.stdout.startswith(f"{name}: attestation by")
    given = ("--attestation", name, "--key", "signer.pub")
    assert assay_here("verify", "disk.img", *given, cwd=folder).returncode == 0
    (folder / "disk.img").write_bytes(b"other")
    assert assay_here("verify", "disk.img", *given, cwd=folder).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("sign", "disk.img"), 2),
        (("sign", "disk.img", "--key", "missing"), 2),
        (("sign", "disk.img", "--key", "signer.pub"), 2),
        (("sign", "disk.img", *KEY, "--format", "no-such"), 2),
        (("sign", "disk.img", *KEY, "--format", "simple-signing"), 2),
        (("sign", "disk.img", *KEY, "--annotation", "a=b"), 2),
        (("sign", "disk.img", *KEY, "-o", "disk.img", "--force"), 2),
        (("sign", "disk.img", *KEY, "-o", "no/such/folder/x"), 2),
        (("sign", "-", *KEY), 2),
        (("sign", "layout", *KEY, "--trusted-comment", "x"), 2),
        (("sign", "layout", *KEY, "--format", "minisign"), 2),
        (("sign", "layout", *KEY, "--format", "simple-signing", "-o", "x"), 2),
        (("sign", "layout", *KEY, "--annotation", "a"), 2),
        (("sign", "layout", *KEY, "--expiry", "1d"), 2),
        (("sign", "layout", *KEY, "--certificate", "signer.pub"), 2),
        (("sign", "layout", *KEY, "--signature-repository", "registry.example/a:tag"), 2),
        (("sign", "layout", *KEY, "--format", "dsse"), 2),
        (("sign", "layout", *KEY, "--annotation", "a=b", "--annotation", "a=c"), 2),
        (("sign", "missing.img", *KEY), 3),
        (("sign", "docker://registry.example/app:1", *KEY, "--offline"), 3),
        (("attest", "disk.img", "--predicate", "disk.img", "--type", "custom", *KEY), 2),
        (("attest", "disk.img", "--predicate", "missing", "--type", "custom", *KEY), 2),
        (("attest", "disk.img", "--predicate", "predicate.json", "--type", "cyclonedx", *KEY), 2),
        (("attest", "disk.img", "--predicate", "predicate.json", "--type", "my type", *KEY), 2),
        (("attest", "missing.img", "--predicate", "predicate.json", "--type", "a:b", *KEY), 3),
    ],
)
def test_what_cannot_be_signed_leaves_nothing_behind(
    folder: Path, arguments: tuple[str, ...], status: int
) -> None:
    layout = Layout()
    layout.write(folder / "layout", layout.image())
    before = sorted(path.name for path in folder.rglob("*"))
    done = assay_here(*arguments, cwd=folder)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout == ""
    assert done.stderr
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_an_image_in_a_layout(folder: Path) -> None:
    layout = Layout()
    image = layout.image()
    layout.write(folder / "layout", image)
    trust = ("--key", "signer.pub")
    assert assay_here("verify", "oci:layout", *trust, cwd=folder).returncode == 1
    done = assay_here("sign", "layout", *KEY, "--annotation", "build=1", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert f"@{image['digest']}: sigstore signature attached as sha256:" in done.stdout
    done = assay_here("verify", "oci:layout", *trust, cwd=folder)
    assert done.returncode == 0, done.stdout
    done = assay_here("verify", "oci:layout", "--key", "other.pub", cwd=folder)
    assert done.returncode == 2
    for form in ("sigstore", "dsse"):
        words = ("attest", "oci:layout", "--predicate", "predicate.json", "--type", "custom")
        done = assay_here(*words, *KEY, "--format", form, cwd=folder)
        assert done.returncode == 0, done.stderr
        assert "attestation attached as" in done.stdout
    index = json.loads((folder / "layout" / "index.json").read_bytes())
    assert len(index["manifests"]) == 4
    assert assay_here("verify", "oci:layout", *trust, cwd=folder).returncode == 0


def test_a_signature_of_an_image_in_a_file(folder: Path) -> None:
    layout = Layout()
    layout.write(folder / "layout", layout.image())
    for form in ("sigstore", "dsse"):
        name = f"{form}.json"
        done = assay_here("sign", "layout", *KEY, "--format", form, "-o", name, cwd=folder)
        assert done.returncode == 0, done.stderr
        given = ("--attestation", name, "--key", "signer.pub")
        done = assay_here("verify", "layout", *given, cwd=folder)
        assert done.returncode == 0, done.stdout


def test_an_image_that_is_not_what_its_digest_says_is_not_signed(folder: Path) -> None:
    layout = Layout()
    image = layout.image()
    layout.write(folder / "layout", image)
    manifest = folder / "layout" / "blobs" / "sha256" / image["digest"].partition(":")[2]
    manifest.write_bytes(manifest.read_bytes().replace(b"layer", b"laver", 1))
    done = assay_here("sign", "layout", *KEY, cwd=folder)
    assert done.returncode == 3
    assert "digest-mismatch" in done.stderr


def test_several_images_and_archives_are_not_signed_by_one_name(folder: Path) -> None:
    layout = Layout()
    both = [layout.image(), layout.image(platform="linux/arm64")]
    layout.write(folder / "layout", *both)
    done = assay_here("sign", "layout", *KEY, cwd=folder)
    assert done.returncode == 2
    assert "2 images" in done.stderr
    done = assay_here("sign", f"oci:layout@{both[1]['digest']}", *KEY, cwd=folder)
    assert done.returncode == 0, done.stderr
