"""What Assay attaches, in a real registry and in layouts, as cosign, oras and crane find it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.attach import Attachment, Layer, Subject, attach, subject_of
from assay.model.finding import AssayError
from assay.pipeline import VerifyOptions, verify
from assay.sources.model import OpenOptions
from assay.sources.open import open_images
from assay.trust.anchors import Trust
from tests.attach.support import BUNDLE, ENVELOPE, bundle, legacy
from tests.evidence.test_attached_real import NEW, OLD
from tests.support.peers import docker_registry, make_layout, push, run

for tool in ("docker-registry", "skopeo", "umoci", "cosign", "oras", "crane"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed", allow_module_level=True)


def _run(*command: object, folder: Path) -> str:
    return run(*command, folder=folder, environment={"COSIGN_PASSWORD": "", "HOME": str(folder)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key pairs and a layout with one image."""
    folder = tmp_path_factory.mktemp("peers")
    for name in ("ours", "theirs"):
        _run("cosign", "generate-key-pair", "--output-key-prefix", name, folder=folder)
    root = '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
    (folder / "root.json").write_text(root)
    config = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
    (folder / "config.json").write_text(
        json.dumps({"mediaType": config, "rekorTlogConfig": {}, "tsaConfig": {}})
    )
    make_layout(folder)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with docker_registry(folder / "registry") as (found, _):
        yield found


def image_at(name: str) -> Subject:
    [image] = open_images(name, OpenOptions())
    return subject_of(image)


def signed_by_cosign(
    folder: Path, address: str, name: str, *way: str, key: str = "ours", verb: str = "sign"
) -> Attachment:
    """What cosign attaches to the image, in a repository of its own."""
    image = push(folder, address, name)
    more = []
    if verb == "attest":
        (folder / "predicate.json").write_text('{"checked": true}')
        more = ["--type", "custom", "--predicate", "predicate.json"]
    _run(
        "cosign", verb, "--key", f"{key}.key", "--trusted-root", "root.json",
        "--allow-http-registry", "-y", *more, *way, image, folder=folder,
    )  # fmt: skip
    tag = image.partition("@")[2].replace(":", "-")
    if way == NEW:
        index = json.loads(_run("crane", "manifest", f"{address}/{name}:{tag}", folder=folder))
        reference = f"{address}/{name}@{index['manifests'][0]['digest']}"
    else:
        reference = f"{address}/{name}:{tag}.{'att' if verb == 'attest' else 'sig'}"
    manifest = json.loads(_run("crane", "manifest", reference, folder=folder))
    layers = tuple(
        Layer(
            each["mediaType"],
            _run("crane", "blob", f"{address}/{name}@{each['digest']}", folder=folder).encode(),
            each.get("annotations", {}),
        )
        for each in manifest["layers"]
    )
    kind = manifest.get("artifactType") or layers[0].media_type
    return Attachment(kind, layers, annotations=manifest.get("annotations") or {})


def cosign_verifies(
    folder: Path, image: str, *more: str, key: str = "ours", repository: str = ""
) -> bool:
    verb = "verify-attestation" if "--type" in more else "verify"
    done = subprocess.run(
        [
            "cosign", verb, "--key", f"{key}.pub", "--allow-http-registry", "--trusted-root",
            "root.json", "--insecure-ignore-tlog", *more, image,
        ],
        cwd=folder, capture_output=True, text=True, timeout=60,
        env=os.environ | ({"COSIGN_REPOSITORY": repository} if repository else {}),
    )  # fmt: skip
    return done.returncode == 0


def test_a_bundle_that_cosign_finds(folder: Path, address: str) -> None:
    made = signed_by_cosign(folder, address, "bundle-from", *NEW)
    image = push(folder, address, "bundle-to")
    assert not cosign_verifies(folder, image)
    attach(f"docker://{image}", image_at(f"docker://{image}"), made)
    assert cosign_verifies(folder, image)
    assert not cosign_verifies(folder, image, key="theirs")
    found = json.loads(
        _run("oras", "discover", "--plain-http", "--format", "json", image, folder=folder)
    )
    [referrer] = found["referrers"]
    assert referrer["artifactType"] == made.artifact_type
    assert referrer["annotations"] == dict(made.annotations)


@pytest.mark.parametrize("verb", ["sign", "attest"])
def test_a_tag_that_cosign_finds_and_adds_to(folder: Path, address: str, verb: str) -> None:
    made = [
        signed_by_cosign(folder, address, f"{verb}-tag-{key}", *OLD, key=key, verb=verb)
        for key in ("ours", "theirs")
    ]
    image = push(folder, address, f"{verb}-tag-to")
    more = ("--new-bundle-format=false", *(("--type", "custom") if verb == "attest" else ()))
    for key, each in zip(("ours", "theirs"), made, strict=True):
        assert not cosign_verifies(folder, image, *more, key=key)
        attach(f"docker://{image}", image_at(f"docker://{image}"), each, place="tag")
        assert cosign_verifies(folder, image, *more, key=key)
    assert cosign_verifies(folder, image, *more)
    tag = image.replace("@sha256:", ":sha256-") + (".att" if verb == "attest" else ".sig")
    command = ["--type", "custom", "--predicate", "predicate.json"] if verb == "attest" else []
    _run(
        "cosign", verb, "--key", "ours.key", "--trusted-root", "root.json",
        "--allow-http-registry", "-y", *command, *OLD, image, folder=folder,
    )  # fmt: skip
    manifest = json.loads(_run("crane", "manifest", tag, folder=folder))
    assert len(manifest["layers"]) == 3
    assert cosign_verifies(folder, image, *more, key="theirs")


def test_oras_and_assay_add_to_one_list(folder: Path, address: str) -> None:
    image = push(folder, address, "shared")
    subject = image_at(f"docker://{image}")
    (folder / "note").write_text("note")
    for number in range(2):
        _run(
            "oras", "attach", "--plain-http", "--artifact-type", f"test/{number}", image,
            "note:text/plain", folder=folder,
        )  # fmt: skip
        attach(f"docker://{image}", subject, bundle(b"%d" % number))
    found = json.loads(
        _run("oras", "discover", "--plain-http", "--format", "json", image, folder=folder)
    )
    kinds = [each["artifactType"] for each in found["referrers"]]
    assert kinds == ["test/0", BUNDLE, "test/1", BUNDLE]


def test_processes_that_attach_at_the_same_moment(folder: Path, address: str) -> None:
    image = push(folder, address, "crowded")
    subject = image_at(f"docker://{image}")
    program = (
        "import sys; from assay.attach import *; from assay.model.digest import Digest\n"
        f"attach('docker://{image}', Subject({subject.media_type!r},"
        f" Digest.parse({str(subject.digest)!r}), {subject.size}),"
        " Attachment('a/b', (Layer('a/b', sys.argv[1].encode()),)))"
    )
    started = [subprocess.Popen([sys.executable, "-c", program, str(n)]) for n in range(4)]
    assert [each.wait(60) for each in started] == [0] * 4
    found = json.loads(
        _run("oras", "discover", "--plain-http", "--format", "json", image, folder=folder)
    )
    assert len(found["referrers"]) == 4


def test_a_layout_that_oras_copies_into_a_registry(folder: Path, address: str) -> None:
    made = signed_by_cosign(folder, address, "layout-from", *NEW)
    shutil.copytree(folder / "image", folder / "copy")
    digest = attach("oci:" + str(folder / "copy:a"), image_at(f"oci:{folder / 'copy'}:a"), made)
    found = json.loads(
        _run("oras", "discover", "--oci-layout", "--format", "json", "copy:a", folder=folder)
    )
    assert [each["digest"] for each in found["referrers"]] == [str(digest)]
    _run(
        "oras", "cp", "-r", "--from-oci-layout", "--to-plain-http", "copy:a",
        f"{address}/layout-to:1", folder=folder,
    )  # fmt: skip
    assert cosign_verifies(folder, f"{address}/layout-to:1")


def test_a_layout_that_cosign_saved(folder: Path, address: str) -> None:
    image = push(folder, address, "saved")
    _run(
        "cosign", "sign", "--key", "ours.key", "--trusted-root", "root.json",
        "--allow-http-registry", "-y", *OLD, image, folder=folder,
    )  # fmt: skip
    made = signed_by_cosign(folder, address, "saved-from", *OLD, key="theirs")
    (folder / "saved").mkdir()
    _run("cosign", "save", "--allow-http-registry", "--dir", "saved", image, folder=folder)
    digest = image.partition("@")[2]
    subject = image_at(f"oci:{folder / 'saved'}@{digest}")
    attach(f"oci:{folder / 'saved'}", subject, made, place="tag")
    for key in ("ours", "theirs"):
        done = subprocess.run(
            [
                "cosign", "verify", "--key", f"{key}.pub", "--local-image", "saved",
                "--trusted-root", "root.json", "--insecure-ignore-tlog",
                "--new-bundle-format=false",
            ],
            cwd=folder, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_a_registry_under_maintenance(folder: Path) -> None:
    with docker_registry(folder / "other") as (address, _):
        image = push(folder, address, "app")
        subject = image_at(f"docker://{image}")
    maintenance = {"maintenance": {"readonly": {"enabled": True}}}
    with docker_registry(folder / "other", storage=maintenance) as (address, _):
        for place, what in (("referrers", bundle()), ("tag", legacy())):
            with pytest.raises(AssayError) as caught:
                attach(f"docker://{address}/app", subject, what, place=place)
            assert caught.value.finding.code == "registry-read-only"


def test_an_envelope_goes_under_the_tag_of_attestations(folder: Path, address: str) -> None:
    image = push(folder, address, "envelope")
    what = Attachment("", (Layer(ENVELOPE, b"{}", {"predicateType": "a"}),))
    attach(f"docker://{image}", image_at(f"docker://{image}"), what, place="tag")
    assert f"sha256-{image.rpartition(':')[2]}.att" in _run(
        "crane", "ls", f"{address}/envelope", folder=folder
    )


# a repository that holds signatures of others


@pytest.mark.parametrize("way", [NEW, OLD], ids=["bundle", "legacy"])
def test_what_cosign_keeps_in_another_repository(
    folder: Path, address: str, way: tuple[str, ...]
) -> None:
    image = push(folder, address, f"elsewhere{len(way)}")
    other = f"{address}/signatures{len(way)}"
    run(
        "cosign", "sign", "--key", "ours.key", "--trusted-root", "root.json",
        "--allow-http-registry", "-y", *way, image,
        folder=folder, environment={"COSIGN_PASSWORD": "", "COSIGN_REPOSITORY": other},
    )  # fmt: skip
    trust = Trust().add_key(str(folder / "ours.pub"))
    [verdict] = verify(f"docker://{image}", VerifyOptions(trust))
    assert verdict.exit_status == 1
    options = OpenOptions(signature_repositories=(other,))
    [verdict] = verify(f"docker://{image}", VerifyOptions(trust, open=options))
    assert verdict.exit_status == 0, verdict.findings


@pytest.mark.parametrize("way", [NEW, OLD], ids=["bundle", "legacy"])
def test_what_cosign_finds_in_another_repository(
    folder: Path, address: str, way: tuple[str, ...]
) -> None:
    made = signed_by_cosign(folder, address, f"kept-from{len(way)}", *way)
    image = push(folder, address, f"kept{len(way)}")
    other = f"{address}/keeps{len(way)}"
    place = "referrers" if way == NEW else "tag"
    attach(f"docker://{other}", image_at(f"docker://{image}"), made, place=place)
    more = () if way == NEW else ("--new-bundle-format=false",)
    assert not cosign_verifies(folder, image, *more)
    assert cosign_verifies(folder, image, *more, repository=other)
