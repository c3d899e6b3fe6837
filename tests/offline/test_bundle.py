"""Offline bundles: made from an image wherever it is, and used without a connection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.support import Done, assay_here
from tests.evidence.test_attached import SIMPLE_SIGNING, attach, bundle_for, statement
from tests.offline.support import list_of, members_of
from tests.signatures.support import run, tool
from tests.support import certificates
from tests.support.images import Layout
from tests.support.offline import no_sockets
from tests.support.registry import OCI_MANIFEST, Registry, running
from tests.support.sigstore import IDENTITY, ISSUER, Instance, b64

CREATED = "2026-06-02T00:00:00Z"
AT = ("--at", "2026-06-10T00:00:00Z")
MADE = ("--created", CREATED)


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance()


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as found:
        yield found


@pytest.fixture
def home(tmp_path: Path, instance: Instance) -> Path:
    (tmp_path / "trusted_root.json").write_text(json.dumps(instance.trusted_root()))
    return tmp_path


WHO = ("--identity", IDENTITY, "--issuer", ISSUER)
ROOT = ("--trusted-root", "trusted_root.json")


def made(home: Path, *arguments: str) -> Done:
    done = assay_here("bundle", *arguments, "-o", "app.bundle", *MADE, cwd=home)
    assert done.returncode == 0, done.stderr
    return done


def digest(home: Path) -> str:
    return f"sha256:{hashlib.sha256((home / 'app.bundle').read_bytes()).hexdigest()}"


@pytest.fixture
def image(registry: Registry, instance: Instance) -> str:
    """An image for two platforms with a bundle that refers to it."""
    layout = Layout()
    images = [
        layout.image([{"etc/os": kind.encode()}], platform=f"linux/{kind}")
        for kind in ("amd64", "arm64")
    ]
    index = layout.index(images)
    registry.blobs |= layout.blobs
    for one, tag in ((images[0], ""), (images[1], ""), (index, "1")):
        registry.push_manifest("app", layout.blobs[one["digest"]], tag, one["mediaType"])
    attach(registry, index, bundle_for(instance, index["digest"]))
    return f"docker://{registry.host}/app:1"


# with the image elsewhere


def test_the_image_is_all_that_is_asked_of_the_registry(
    home: Path, image: str, registry: Registry
) -> None:
    made(home, image)
    registry.requests.clear()
    done = assay_here("verify", image, "--bundle", "app.bundle", *WHO, *ROOT, *AT, cwd=home)
    assert done.returncode == 0, done.stdout
    assert not registry.count("referrers|tags|/manifests/sha256-")
    assert registry.count("/manifests/|/blobs/") == len(registry.requests) - registry.count("/v2/$")


def test_signatures_that_are_gone_from_the_registry_are_in_the_bundle(
    home: Path, image: str, registry: Registry
) -> None:
    made(home, image)
    for key, (_, data) in list(registry.manifests.items()):
        if b'"subject"' in data:
            del registry.manifests[key]
    without = assay_here("verify", image, *WHO, *ROOT, *AT, cwd=home)
    assert "no-signature" in without.stdout
    done = assay_here("verify", image, "--bundle", "app.bundle", *WHO, *ROOT, *AT, cwd=home)
    assert done.returncode == 0, done.stdout


def test_only_the_name_of_one_platform_is_known(home: Path, image: str, registry: Registry) -> None:
    """A bundle of an index is also about the images in it."""
    made(home, image)
    index = json.loads(members_of(home / "app.bundle")[2][1])["manifests"][0]["digest"]
    name = f"docker://{registry.host}/app@{index}"
    done = assay_here("verify", name, "--bundle", "app.bundle", *WHO, *ROOT, *AT, cwd=home)
    assert "bundle-foreign" not in done.stdout
    assert done.returncode == 0, done.stdout


def test_a_layout_without_signatures_and_no_socket_at_all(home: Path, instance: Instance) -> None:
    layout = Layout()
    main = layout.image([{"a": b"b"}])
    name = layout.write(home / "layout", main)
    bundle = bundle_for(instance, main["digest"])
    (home / "signature.json").write_bytes(bundle)
    made(home, name, "--attestation", "signature.json")
    with no_sockets():
        done = assay_here("verify", name, "--bundle", "app.bundle", *WHO, *ROOT, *AT, cwd=home)
    assert done.returncode == 0, done.stdout


# with the content inside


def test_everything_inside_and_no_socket_at_all(home: Path, image: str) -> None:
    made(home, image, "--with-content", *WHO, *ROOT)
    with no_sockets():
        named = assay_here("verify", "--bundle", "app.bundle", *WHO, *ROOT, *AT, cwd=home)
        pinned = assay_here(
            "verify", "--bundle", "app.bundle", "--bundle-digest", digest(home), *AT, cwd=home
        )
    for done in (named, pinned):
        assert done.returncode == 0, done.stdout
        assert "100 %" in done.stdout
        assert IDENTITY in done.stdout


def test_without_the_content_nothing_is_decided_about_it(home: Path, image: str) -> None:
    made(home, image)
    done = assay_here("verify", "--bundle", "app.bundle", *WHO, *ROOT, *AT, cwd=home)
    assert done.returncode == 1
    assert "missing-component" in done.stdout


def test_it_is_an_image_archive_for_other_programs(home: Path, image: str) -> None:
    made(home, image, "--with-content")
    done = assay_here("inspect", "bundle:app.bundle", cwd=home)
    assert done.returncode == 0
    assert "linux/arm64" in done.stdout
    copied = run(
        tool("skopeo"), "copy", "-q", "--all", "oci-archive:app.bundle:1", "dir:copy", cwd=home
    )
    assert not copied
    assert (home / "copy" / "manifest.json").exists()


def test_legacy_tags_are_found_again(home: Path, registry: Registry) -> None:
    image = registry.push_image("app", "1")
    payload = json.dumps(
        {
            "critical": {
                "identity": {"docker-reference": "app"},
                "image": {"docker-manifest-digest": image["digest"]},
                "type": "cosign container image signature",
            },
            "optional": {},
        }
    ).encode()
    key = certificates.key_of("p256")
    (home / "cosign.pub").write_bytes(
        key.public_key().public_bytes(
            certificates.serialization.Encoding.PEM,
            certificates.serialization.PublicFormat.SubjectPublicKeyInfo,
        )
    )
    signature = key.sign(payload, certificates.ec.ECDSA(certificates.hashes.SHA256()))
    layer = registry.push_blob(payload, SIMPLE_SIGNING) | {
        "annotations": {"dev.cosignproject.cosign/signature": b64(signature)}
    }
    registry.push_manifest(
        "app",
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": registry.push_blob(b"{}", "application/vnd.oci.image.config.v1+json"),
            "layers": [layer],
        },
        image["digest"].replace(":", "-") + ".sig",
    )
    made(home, f"docker://{registry.host}/app:1", "--with-content")
    with no_sockets():
        done = assay_here("verify", "--bundle", "app.bundle", "--key", "cosign.pub", *AT, cwd=home)
    assert done.returncode == 0, done.stdout


# plain files


@pytest.fixture
def release(home: Path) -> Path:
    """A file, with checksums that are signed."""
    (home / "disk.img").write_bytes(b"assay" * 1000)
    value = hashlib.sha256(b"assay" * 1000).hexdigest()
    (home / "SHA256SUMS").write_text(f"{value}  disk.img\n")
    minisign = tool("minisign")
    run(minisign, "-G", "-W", "-p", "pub.key", "-s", "sec.key", cwd=home)
    run(minisign, "-S", "-s", "sec.key", "-m", "SHA256SUMS", cwd=home)
    return home


def test_a_file_with_signed_checksums(release: Path) -> None:
    made(release, "disk.img", "--checksums", "SHA256SUMS", "--key", "pub.key")
    (release / "SHA256SUMS").unlink()
    (release / "SHA256SUMS.minisig").unlink()
    with no_sockets():
        done = assay_here(
            "verify", "disk.img", "--bundle", "app.bundle", "--key", "pub.key", *AT, cwd=release
        )
    assert done.returncode == 0, done.stdout


def test_a_signature_beside_the_file_goes_with_it(release: Path) -> None:
    run(tool("minisign"), "-S", "-s", "sec.key", "-m", "disk.img", cwd=release)
    made(release, "disk.img", "--with-content")
    with no_sockets():
        done = assay_here("verify", "--bundle", "app.bundle", "--key", "pub.key", *AT, cwd=release)
    assert done.returncode == 0, done.stdout


def test_pinned_by_the_key_of_whoever_made_it(release: Path) -> None:
    made(release, "disk.img", "--checksums", "SHA256SUMS", "--key", "pub.key")
    arguments = ("verify", "disk.img", "--bundle", "app.bundle", "--bundle-key", "pub.key", *AT)
    unsigned = assay_here(*arguments, cwd=release)
    assert unsigned.returncode == 1
    assert "bundle-not-pinned" in unsigned.stdout
    run(tool("minisign"), "-S", "-s", "sec.key", "-m", "app.bundle", cwd=release)
    assert assay_here(*arguments, cwd=release).returncode == 0
    with (release / "app.bundle").open("r+b") as file:
        file.seek(-600, 2)
        file.write(b"x")
    assert assay_here(*arguments, cwd=release).returncode != 0


# reproducible


def test_the_same_input_and_time_give_the_same_bytes(home: Path, image: str) -> None:
    made(home, image, "--with-content", *WHO, *ROOT)
    first = (home / "app.bundle").read_bytes()
    made(home, image, "--with-content", *WHO, *ROOT, "--force")
    assert (home / "app.bundle").read_bytes() == first
    made(home, image, "--with-content", *WHO, *ROOT, "--force", "--valid-for", "31d")
    assert (home / "app.bundle").read_bytes() != first


def test_the_order_in_which_a_registry_answers_makes_no_difference(
    home: Path, image: str, registry: Registry, instance: Instance
) -> None:
    index = registry.tags["app", "1"][0]
    _, data = registry.manifests["app", index]
    subject = {
        "mediaType": json.loads(data)["mediaType"],
        "digest": index,
        "size": len(data),
    }
    attach(registry, subject, bundle_for(instance, index))
    made(home, image)
    first = (home / "app.bundle").read_bytes()
    registry.manifests = dict(reversed(registry.manifests.items()))
    made(home, image, "--force")
    assert (home / "app.bundle").read_bytes() == first


def test_the_list_says_what_is_in_it_and_until_when(home: Path, image: str) -> None:
    done = made(home, image, *WHO, *ROOT, "--valid-for", "2w")
    found = list_of(home / "app.bundle")
    assert found["created"] == CREATED
    assert found["validUntil"] == "2026-06-16T00:00:00Z"
    assert found["image"]["name"] == image
    assert not found["image"]["complete"]
    roles = [entry["role"] for entry in found["entries"]]
    assert roles.count("image") == 5  # an index, and two images with a configuration each
    assert roles.count("trusted-root") == 1
    assert "attached" in roles
    assert found["trust"]["identities"] == [{"name": IDENTITY, "issuer": ISSUER, "claims": {}}]
    names = [name for name, _ in members_of(home / "app.bundle")[3:]]
    assert names == sorted(
        {f"blobs/{entry['digest'].replace(':', '/')}" for entry in found["entries"]}
    )
    assert digest(home) in done.stdout


# what cannot be had


def test_referrers_that_are_refused_end_it(home: Path, image: str, registry: Registry) -> None:
    registry.faults.referrers_status = 403
    done = assay_here("bundle", image, "-o", "app.bundle", cwd=home)
    assert done.returncode == 3
    assert "bundle-incomplete" in done.stderr
    assert not (home / "app.bundle").exists()
    assert not list(home.glob(".*.part"))


def test_a_layer_with_other_bytes_ends_it(home: Path, registry: Registry) -> None:
    image = registry.push_image("app", "1")
    manifest = json.loads(registry.manifests["app", image["digest"]][1])
    layer = manifest["layers"][0]
    registry.blobs[layer["digest"]] = bytes(layer["size"])
    done = assay_here(
        "bundle", f"docker://{registry.host}/app:1", "-o", "app.bundle", "--with-content", cwd=home
    )
    assert done.returncode == 3
    assert "bundle-incomplete" in done.stderr
    assert not (home / "app.bundle").exists()
    assert not list(home.glob(".*.part"))


def test_something_broken_that_is_attached_is_told_and_left_out(
    home: Path, image: str, registry: Registry
) -> None:
    index = registry.tags["app", "1"][0]
    _, data = registry.manifests["app", index]
    subject = {"mediaType": json.loads(data)["mediaType"], "digest": index, "size": len(data)}
    broken = attach(registry, subject, b"to be replaced")
    layer = json.loads(registry.manifests["app", broken["digest"]][1])["layers"][0]
    del registry.blobs[layer["digest"]]
    done = made(home, image)
    assert "left out" in done.stderr
    verified = assay_here("verify", image, "--bundle", "app.bundle", *WHO, *ROOT, *AT, cwd=home)
    assert verified.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--key", "secret:secret"], "a secret does not go into a bundle"),
        (["--key", "private.pem"], "private"),
        (["--valid-for", "0d"], "is not a time such as"),
        (["--valid-for", "99999d"], "is not a time such as"),
        (["--created", "yesterday"], "not an RFC 3339 time"),
        (["--checksums", "missing"], "No such file"),
        (["-o", "disk.img", "--force"], "that is the image itself"),
        (["--annotation", "a=b"], "give it when you verify"),
        (["--docker-reference", "registry.example/app"], "give it when you verify"),
    ],
)
def test_what_makes_no_sense(home: Path, arguments: list[str], why: str) -> None:
    (home / "disk.img").write_bytes(b"content")
    (home / "secret").write_bytes(b"k" * 32)
    _, private = certificates.root().write(home, "private")
    private.rename(home / "private.pem")
    done = assay_here("bundle", "disk.img", "-o", "app.bundle", *arguments, cwd=home)
    assert done.returncode == 2, done.stdout
    assert why in done.stderr
    assert b"k" * 32 not in done.stderr.encode()


def test_pins_need_a_bundle(home: Path) -> None:
    (home / "disk.img").write_bytes(b"content")
    done = assay_here("verify", "disk.img", "--bundle-digest", f"sha256:{'0' * 64}", cwd=home)
    assert done.returncode == 2


def test_a_statement_is_not_lost(home: Path, image: str) -> None:
    """What signs an image also says what it is about."""
    assert statement("sha256:00")["subject"]
    made(home, image)
    roles = {entry["role"] for entry in list_of(home / "app.bundle")["entries"]}
    assert roles == {"image", "attached"}


def test_times_are_whole_seconds_and_utc(home: Path) -> None:
    (home / "disk.img").write_bytes(b"content")
    assay_here(
        "bundle",
        "disk.img",
        "-o",
        "app.bundle",
        "--created",
        "2026-06-02T02:00:00.5+02:00",
        cwd=home,
    )
    created = datetime.fromisoformat(list_of(home / "app.bundle")["created"])
    assert created == datetime(2026, 6, 2, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["oci-archive", "docker-archive"])
def test_images_in_archives(home: Path, kind: str) -> None:
    """By their manifests where there are some, and else as the file that they are."""
    layout = Layout()
    name = layout.write(home / "layout", layout.image([{"a": b"b"}]))
    archive = "image.tar:app:1" if kind == "docker-archive" else "image.tar"
    run(tool("skopeo"), "--insecure-policy", "copy", "-q", name, f"{kind}:{archive}", cwd=home)
    made(home, "image.tar", "--with-content")
    with no_sockets():
        for image in (["image.tar"], []):
            done = assay_here(
                "verify", *image, "--bundle", "app.bundle", "--bundle-digest", digest(home),
                "--self-consistent", *AT, cwd=home,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout
