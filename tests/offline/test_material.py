"""What a bundle carries beside signatures: policies with their keys, revocation lists, trusted
roots through TUF, signatures that are kept elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay import Trust, UsageError, verify
from assay.offline.policies import self_contained
from assay.policy_import.load import load_policy
from tests.cli.support import Done, assay_here
from tests.evidence.test_attached import attach, bundle_for
from tests.offline.support import list_of
from tests.signatures.support import run, tool
from tests.support import certificates, cms
from tests.support.images import Layout
from tests.support.offline import no_sockets
from tests.support.registry import Registry, running
from tests.support.sigstore import IDENTITY, ISSUER, Instance

WHO = ("--identity", IDENTITY, "--issuer", ISSUER)


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance()


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as found:
        yield found


def made(home: Path, *arguments: str) -> Done:
    done = assay_here("bundle", *arguments, "-o", "app.bundle", cwd=home)
    assert done.returncode == 0, done.stderr
    return done


def digest(home: Path) -> str:
    return f"sha256:{hashlib.sha256((home / 'app.bundle').read_bytes()).hexdigest()}"


def pinned(home: Path, *arguments: str) -> Done:
    with no_sockets():
        return assay_here(
            "verify",
            "--bundle",
            "app.bundle",
            "--bundle-digest",
            digest(home),
            *arguments,
            cwd=home,
        )


# trusted roots through TUF


def test_a_trusted_root_through_tuf_goes_with_it(
    tmp_path: Path, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuf = pytest.importorskip("tests.support.tuf")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    repository = tuf.Repository({"trusted_root.json": json.dumps(instance.trusted_root()).encode()})
    (tmp_path / "root.json").write_bytes(repository.first_root)
    (tmp_path / "disk.img").write_bytes(b"content")
    signed = json.dumps(instance.sign(b"content"))
    (tmp_path / "disk.img.sigstore.json").write_text(signed)
    with tuf.serving(repository) as address:
        update = ("trust", "update", "--tuf", address, "--root", "root.json")
        assert assay_here(*update, cwd=tmp_path).returncode == 0
        made(tmp_path, "disk.img", "--trusted-root", "tuf", *WHO, "--with-content")
    assert pinned(tmp_path).returncode == 0
    shown = assay_here("trust", "show", cwd=tmp_path)
    assert shown.returncode == 0
    assert "signature log" in shown.stdout
    listed = json.loads(assay_here("trust", "show", "--format", "json", cwd=tmp_path).stdout)
    assert listed["instances"][0]["roles"][0] | {"expires": ""} == {
        "name": "root",
        "version": 1,
        "expires": "",
    }


# revocation lists


def test_a_revocation_list_in_a_pinned_bundle_counts(tmp_path: Path) -> None:
    authority = certificates.root()
    signer = certificates.make(
        "Signer", authority, extensions=[(certificates.purposes("1.3.6.1.5.5.7.3.3"), False)]
    )
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    (tmp_path / "disk.img").write_bytes(b"content")
    (tmp_path / "disk.img.p7s").write_bytes(
        cms.signed_data(cms.signer(signer, b"content"), certificates=[signer])
    )
    at = certificates.START + (certificates.END - certificates.START) / 2
    for number, revoked in enumerate(
        ((), ((signer.made.serial_number, certificates.START, None),))
    ):
        (tmp_path / "list.crl").write_bytes(certificates.crl(authority, *revoked))
        time = ("--created", at.isoformat())
        made(
            tmp_path,
            "disk.img",
            "--ca",
            "ca.pem",
            "--crl",
            "list.crl",
            "--with-content",
            "--force",
            *time,
        )
        done = pinned(tmp_path, "--at", at.isoformat())
        assert done.returncode == number, done.stdout
        # and where the authority is named, a pinned list counts as well
        assert pinned(tmp_path, "--ca", "ca.pem", "--at", at.isoformat()).returncode == number


# policies


def test_a_policy_takes_its_keys_along(tmp_path: Path) -> None:
    gpg = tool("gpg")
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    run(
        gpg,
        "--homedir",
        home,
        "--batch",
        "--passphrase",
        "",
        "--quick-gen-key",
        "a@b.test",
        "ed25519",
        "sign",
    )
    (tmp_path / "key.gpg").write_bytes(run(gpg, "--homedir", home, "--export"))
    key = base64.b64encode((tmp_path / "key.gpg").read_bytes()).decode()
    path = str(tmp_path / "key.gpg")
    policy = {
        "default": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": path}],
        "transports": {
            "docker": {
                "a.test": [{"type": "signedBy", "keyType": "GPGKeys", "keyPaths": [path]}],
                "b.test": [{"type": "sigstoreSigned", "keyPaths": [path, path]}],
            }
        },
    }
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    found = json.loads(self_contained(str(tmp_path / "policy.json")))
    assert found["default"] == [{"type": "signedBy", "keyType": "GPGKeys", "keyData": key}]
    docker = found["transports"]["docker"]
    assert docker["a.test"][0]["keyData"] == key
    assert docker["b.test"][0]["keyDatas"] == [key, key]
    (tmp_path / "inside.json").write_text(json.dumps(found))
    assert load_policy(str(tmp_path / "inside.json")).meanings()


def test_several_keys_of_signed_by_have_no_form_inside(tmp_path: Path) -> None:
    policy = {"default": [{"type": "signedBy", "keyType": "GPGKeys", "keyPaths": ["/a", "/b"]}]}
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    with pytest.raises(UsageError, match="keyPaths"):
        self_contained(str(tmp_path / "policy.json"))


def test_a_policy_in_a_pinned_bundle_decides(tmp_path: Path) -> None:
    layout = Layout()
    name = layout.write(tmp_path / "layout", layout.image())
    (tmp_path / "policy.json").write_text(json.dumps({"default": [{"type": "reject"}]}))
    made(tmp_path, name, "--policy", "policy.json", "--with-content")
    (tmp_path / "policy.json").unlink()
    done = pinned(tmp_path, "--self-consistent")
    assert done.returncode == 1
    assert "policy-rejects" in done.stdout
    with no_sockets():
        unpinned = assay_here("verify", "--bundle", "app.bundle", "--self-consistent", cwd=tmp_path)
    assert unpinned.returncode == 0
    assert "bundle-trust-unused" in unpinned.stdout


# signatures that are kept elsewhere


def test_signatures_in_another_repository(
    tmp_path: Path, registry: Registry, instance: Instance
) -> None:
    image = registry.push_image("app", "1")
    elsewhere = attach(registry, image, bundle_for(instance, image["digest"]))
    kind, data = registry.manifests.pop(("app", elsewhere["digest"]))
    registry.push_manifest("signatures", data, media_type=kind)
    (tmp_path / "root.json").write_text(json.dumps(instance.trusted_root()))
    name = f"docker://{registry.host}/app:1"
    more = ("--signature-repository", f"{registry.host}/signatures", "--with-content")
    made(tmp_path, name, *more, "--trusted-root", "root.json", *WHO)
    assert pinned(tmp_path).returncode == 0


def test_signatures_in_a_dir_image(tmp_path: Path) -> None:
    skopeo, gpg = tool("skopeo"), tool("gpg")
    layout = Layout()
    name = layout.write(tmp_path / "layout", layout.image())
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    batch = (gpg, "--homedir", home, "--batch", "--passphrase", "")
    run(*batch, "--quick-gen-key", "a@b.test", "ed25519", "sign")
    (tmp_path / "key.gpg").write_bytes(run(gpg, "--homedir", home, "--export"))
    run(skopeo, "--insecure-policy", "copy", "-q", name, f"dir:{tmp_path / 'image'}")
    value = hashlib.sha256((tmp_path / "image" / "manifest.json").read_bytes()).hexdigest()
    payload = {
        "critical": {
            "identity": {"docker-reference": "app.test/app:1"},
            "image": {"docker-manifest-digest": f"sha256:{value}"},
            "type": "atomic container signature",
        },
        "optional": {},
    }
    (tmp_path / "payload").write_text(json.dumps(payload))
    run(*batch, "-o", tmp_path / "image" / "signature-1", "-s", tmp_path / "payload")
    made(tmp_path, "dir:image", "--with-content", "--key", "key.gpg")
    assert [e["role"] for e in list_of(tmp_path / "app.bundle")["entries"]].count("signature") == 1
    done = pinned(tmp_path)
    assert done.returncode == 0, done.stdout


# programs


def test_from_python(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(b"content")
    sums = f"{hashlib.sha256(b'content').hexdigest()}  disk.img\n"
    (tmp_path / "SHA256SUMS").write_text(sums)
    made(tmp_path, "disk.img", "--checksums", "SHA256SUMS", "--with-content")
    bundle = tmp_path / "app.bundle"
    name = f"bundle:{bundle}"
    with no_sockets():
        trust = Trust()
        assert verify(name, trust, bundle=bundle, bundle_digest=digest(tmp_path))
        assert trust == Trust()  # what one bundle names is not for what comes next
        assert not verify(name, Trust(), bundle=bundle)
        assert verify(
            tmp_path / "disk.img", Trust().add_checksums(tmp_path / "SHA256SUMS"), bundle=bundle
        )
    with pytest.raises(UsageError):
        verify(name, Trust(), bundle_digest=digest(tmp_path))


def test_a_clock_that_is_wrong_is_no_excuse(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(b"content")
    made(
        tmp_path,
        "disk.img",
        "--with-content",
        "--digest",
        f"sha256:{hashlib.sha256(b'content').hexdigest()}",
    )
    assert pinned(tmp_path).returncode == 0
    late = datetime(2199, 1, 1, tzinfo=UTC)
    verdict = verify(
        f"bundle:{tmp_path / 'app.bundle'}", Trust(), bundle=tmp_path / "app.bundle", at=late
    )
    assert "bundle-stale" in {finding.code for finding in verdict.findings}
