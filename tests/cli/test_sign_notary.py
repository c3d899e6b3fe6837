"""``assay sign`` for notation, and for another repository, as a user calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay import load_signing_key, sign
from assay.cli.notary_options import expiry_from
from assay.model.finding import UsageError
from tests.cli.support import assay_here
from tests.support.certificates import root
from tests.support.images import Layout
from tests.support.notary import signer
from tests.support.registry import Registry, running

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEY = ("--key", "release.key", "--certificate", "chain.pem")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    ca = root("root", start=start, end=start + timedelta(days=30))
    leaf = signer(ca, start=start, end=start + timedelta(days=20))
    (tmp_path / "release.key").write_bytes(leaf.key_pem)
    (tmp_path / "release.key").chmod(0o600)
    (tmp_path / "chain.pem").write_bytes(ca.pem + leaf.pem)
    (tmp_path / "ca.pem").write_bytes(ca.pem)
    (tmp_path / "disk.img").write_bytes(b"content")
    layout = Layout()
    layout.write(tmp_path / "layout", layout.image([{"etc/hostname": b"assay"}]), tag="1")
    return tmp_path


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as found:
        yield found


@pytest.mark.parametrize("form", ["notary-jws", "notary-cose"])
def test_a_file_gets_a_signature_beside_it(folder: Path, form: str) -> None:
    done = assay_here("sign", "disk.img", *KEY, "--format", form, "--expiry", "24h", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / f"disk.img.{form.removeprefix('notary-')}.sig").exists()
    done = assay_here("verify", "disk.img", "--ca", "ca.pem", cwd=folder)
    assert done.returncode == 0, done.stdout
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    done = assay_here("verify", "disk.img", "--ca", "ca.pem", "--at", later, cwd=folder)
    assert done.returncode == 1
    assert "signature-expired" in done.stdout


def test_standard_input_is_signed_with_its_size(folder: Path) -> None:
    import subprocess
    import sys

    from tests.cli.support import ENVIRONMENT, SECONDS

    words = [sys.executable, "-m", "assay", "sign", "-", *KEY, "--format", "notary-cose", "-o"]
    with (folder / "disk.img").open("rb") as content:
        subprocess.run(
            [*words, "disk.img.cose.sig"],
            stdin=content, cwd=folder, check=True, timeout=SECONDS, env=ENVIRONMENT,
        )  # fmt: skip
    assert assay_here("verify", "disk.img", "--ca", "ca.pem", cwd=folder).returncode == 0


@pytest.mark.parametrize("form", ["notary-jws", "notary-cose"])
def test_an_image_in_a_layout(folder: Path, form: str) -> None:
    words = ("oci:layout:1", *KEY, "--format", form, "--annotation", "team=a")
    done = assay_here("sign", *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert f"{form} signature attached as sha256:" in done.stdout
    assert assay_here("verify", "oci:layout:1", "--ca", "ca.pem", cwd=folder).returncode == 0
    index = json.loads((folder / "layout" / "index.json").read_bytes())
    assert index["manifests"][1]["artifactType"] == "application/vnd.cncf.notary.signature"


def test_an_image_whose_signatures_are_elsewhere(folder: Path, registry: Registry) -> None:
    registry.push_image("app", "1")
    image, other = f"docker://{registry.host}/app:1", f"{registry.host}/signatures"
    done = assay_here(
        "sign", image, *KEY, "--format", "notary-jws", "--signature-repository", other, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    assert f"attached in {other} as sha256:" in done.stdout
    assert not registry.count("PUT /v2/app/")
    words = ("verify", image, "--ca", "ca.pem")
    assert assay_here(*words, cwd=folder).returncode == 1
    done = assay_here(*words, "--signature-repository", other, cwd=folder)
    assert done.returncode == 0, done.stdout


def test_in_python(folder: Path, registry: Registry) -> None:
    registry.push_image("app", "1")
    key = load_signing_key(folder / "release.key")
    name = f"docker://{registry.host}/app:1"
    expiry = datetime.now(UTC) + timedelta(days=1)
    chain = [folder / "chain.pem"]
    sign(name, key, form="notary-jws", certificates=chain, expiry=expiry, attach=True)
    assert assay_here("verify", name, "--ca", "ca.pem", cwd=folder).returncode == 0
    with pytest.raises(UsageError, match="--expiry"):
        sign(name, key, form="notary-jws", certificates=chain, expiry=NOW - timedelta(days=999))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "notary-jws"), "--certificate"),
        (("--format", "notary-jws", "--certificate", "ca.pem"), "none of the certificates"),
        (("--format", "notary-jws", "--certificate", "missing.pem"), "missing.pem"),
        (("--format", "notary-jws", "--certificate", "release.key"), "private key"),
        (("--certificate", "chain.pem"), "only Notary signatures"),
        (("--format", "notary-jws", "--certificate", "chain.pem", "--expiry", "1x"), "--expiry"),
        (("--format", "notary-jws", "--certificate", "chain.pem", "--expiry", "0m"), "--expiry"),
        (
            ("--format", "notary-jws", "--certificate", "chain.pem", "--tsa-ca", "ca.pem"),
            "--tsa-ca",
        ),
        (
            ("--format", "notary-jws", "--certificate", "chain.pem", "--payload-type", "a/b"),
            "to choose",
        ),
        (("--signature-repository", "a.example/b"), "--signature-repository"),
    ],
)
def test_what_makes_no_sense(folder: Path, words: tuple[str, ...], said: str) -> None:
    done = assay_here("sign", "disk.img", "--key", "release.key", *words, cwd=folder)
    assert done.returncode == 2, done.stderr
    assert said in " ".join(done.stderr.split())
    assert not list(folder.glob("disk.img.*"))


def test_an_authority_that_does_not_answer(folder: Path) -> None:
    url = ("--timestamp-url", "http://127.0.0.1:1/")
    done = assay_here("sign", "disk.img", *KEY, "--format", "notary-jws", *url, cwd=folder)
    assert done.returncode == 3
    assert "unreachable" in done.stderr
    done = assay_here(
        "sign", "disk.img", *KEY, "--format", "notary-jws", *url, "--offline", cwd=folder
    )
    assert done.returncode == 3
    assert "offline" in done.stderr
    assert not list(folder.glob("disk.img.*"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("90m", NOW + timedelta(minutes=90)),
        ("24h", NOW + timedelta(days=1)),
        ("365d", NOW + timedelta(days=365)),
        ("2026-11-24T12:00:00Z", datetime(2026, 11, 24, 12, tzinfo=UTC)),
    ],
)
def test_until_when(text: str, expected: datetime | None) -> None:
    assert expiry_from(text, NOW) == expected


@pytest.mark.parametrize("text", ["24", "h", "-1h", "1w", "999999d", "tomorrow", "24 h"])
def test_times_that_are_none(text: str) -> None:
    if text == "999999d":
        assert expiry_from(text, NOW) is not None
        text = "9999999d"
    with pytest.raises(UsageError, match="--expiry"):
        expiry_from(text, NOW)
