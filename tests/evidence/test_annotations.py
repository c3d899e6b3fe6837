"""What signers annotated, asked for with ``--annotation``: by cosign and notation themselves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assay.cli.main import cli
from tests.support.peers import docker_registry, make_layout, push, run

for tool in ("docker-registry", "skopeo", "umoci"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed", allow_module_level=True)

needs_cosign = pytest.mark.skipif(shutil.which("cosign") is None, reason="no cosign")
needs_notation = pytest.mark.skipif(shutil.which("notation") is None, reason="no notation")

NEW = ("--signing-config", "config.json")
OLD = ("--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false")
WAYS = pytest.mark.parametrize("way", [NEW, OLD], ids=["bundle", "legacy"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("annotations")
    (folder / "root.json").write_text(
        '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
    )
    (folder / "config.json").write_text(
        '{"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",'
        ' "rekorTlogConfig": {}, "tsaConfig": {}}'
    )
    make_layout(folder)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with docker_registry(folder / "registry") as (found, _):
        yield found


@pytest.fixture(scope="module")
def key(folder: Path) -> str:
    run(
        "cosign", "generate-key-pair", "--output-key-prefix", "ours",
        folder=folder, environment={"COSIGN_PASSWORD": ""},
    )  # fmt: skip
    return str(folder / "ours.pub")


def _sign(folder: Path, image: str, *more: str) -> None:
    run(
        "cosign", "sign", "--key", "ours.key", "--trusted-root", "root.json",
        "--allow-http-registry", "-y", *more, image,
        folder=folder, environment={"COSIGN_PASSWORD": ""},
    )  # fmt: skip


def _assay(*words: str) -> Result:
    return CliRunner().invoke(cli, [*words])


@needs_cosign
@WAYS
def test_annotations_of_cosign(folder: Path, address: str, key: str, way: tuple[str, ...]) -> None:
    name = f"annotated{len(way)}"
    _sign(folder, push(folder, address, name), *way, "-a", "stage=production", "-a", "build=14")
    asked = ("verify", f"docker://{address}/{name}:1", "--key", key)
    assert _assay(*asked).exit_code == 0
    assert _assay(*asked, "--annotation", "stage=production").exit_code == 0
    done = _assay(*asked, "--annotation", "stage=production", "--annotation", "build=14")
    assert done.exit_code == 0, done.output
    assert "stage=production" in done.output
    assert "build=14" in done.output
    for wrong in ("stage=test", "stage=prod", "stage=production2", "Stage=production", "other=1"):
        done = _assay(*asked, "--annotation", "build=14", "--annotation", wrong)
        assert done.exit_code == 1, (wrong, done.output)
        assert "annotation-missing" in done.output


@needs_cosign
@WAYS
def test_cosign_agrees(folder: Path, address: str, key: str, way: tuple[str, ...]) -> None:
    name = f"agreed{len(way)}"
    image = push(folder, address, name)
    _sign(folder, image, *way, "-a", "stage=production")
    for value, right in (("production", True), ("test", False)):
        command = ["cosign", "verify", "--key", "ours.pub", "--trusted-root", "root.json",
                   "--insecure-ignore-tlog", "--allow-http-registry",
                   "-a", f"stage={value}", image]  # fmt: skip
        if way is OLD:
            command.insert(2, "--new-bundle-format=false")
        try:
            run(*command, folder=folder, environment={"COSIGN_PASSWORD": ""})
        except AssertionError:
            accepted = False
        else:
            accepted = True
        done = _assay(
            "verify", f"docker://{address}/{name}:1", "--key", key,
            "--annotation", f"stage={value}",
        )  # fmt: skip
        assert (done.exit_code == 0) is accepted is right, done.output


@needs_cosign
def test_one_signature_has_to_have_them_all(folder: Path, address: str, key: str) -> None:
    """Two signatures, each with one of two annotations, are none with both."""
    image = push(folder, address, "halves")
    _sign(folder, image, *OLD, "-a", "stage=production")
    _sign(folder, image, *OLD, "-a", "scan=clean")
    asked = ("verify", f"docker://{address}/halves:1", "--key", key)
    assert _assay(*asked, "--annotation", "stage=production").exit_code == 0
    assert _assay(*asked, "--annotation", "scan=clean").exit_code == 0
    both = ("--annotation", "stage=production", "--annotation", "scan=clean")
    assert _assay(*asked, *both).exit_code == 1


@needs_cosign
@WAYS
def test_inspect_tells_them_and_says_that_nobody_checked_them(
    folder: Path, address: str, key: str, way: tuple[str, ...]
) -> None:
    name = f"shown{len(way)}"
    _sign(folder, push(folder, address, name), *way, "-a", "stage=production")
    image = f"docker://{address}/{name}:1"
    done = _assay("inspect", image)
    assert "stage=production" in done.output
    assert "not verified" in done.output
    if way is OLD:
        assert f"for {address}/{name}" in done.output
        (verdict,) = json.loads(_assay("verify", image, "--key", key, "--format", "json").output)[
            "verdicts"
        ]
        (voucher,) = verdict["vouchers"]
        assert voucher["notes"] == {
            "signed for": f"{address}/{name}",
            "annotated": "stage=production",
        }


@needs_notation
def test_user_metadata_of_notation(folder: Path, address: str) -> None:
    own = {"XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    run("notation", "cert", "generate-test", "mine", folder=folder, environment=own)
    image = push(folder, address, "metadata")
    run(
        "notation", "sign", "--insecure-registry", "--key", "mine",
        "--user-metadata", "stage=production", image, folder=folder, environment=own,
    )  # fmt: skip
    authority = folder / "notation" / "localkeys" / "mine.crt"
    asked = ("verify", f"docker://{address}/metadata:1", "--ca", str(authority))
    done = _assay(*asked, "--annotation", "stage=production")
    assert done.exit_code == 0, done.output
    assert "annotated: stage=production" in done.output
    assert _assay(*asked, "--annotation", "stage=test").exit_code == 1


def test_a_signature_without_room_for_annotations_does_not_count(tmp_path: Path) -> None:
    image, key = tmp_path / "disk.img", tmp_path / "publisher.key"
    image.write_bytes(b"disk")
    assert _assay("key", "generate", "--no-passphrase", str(key)).exit_code == 0
    assert _assay("sign", str(image), "--key", str(key)).exit_code == 0
    asked = ("verify", str(image), "--key", str(key.with_suffix(".pub")))
    assert _assay(*asked).exit_code == 0
    done = _assay(*asked, "--annotation", "stage=production")
    assert done.exit_code == 1, done.output
    assert "annotation-missing" in done.output


@pytest.mark.parametrize(
    "words",
    [
        ("--annotation", "stage=production"),
        ("--digest", "sha256:" + "0" * 64, "--annotation", "stage=production"),
        ("--key", "KEY", "--annotation", "stage"),
        ("--key", "KEY", "--annotation", "=production"),
        ("--key", "KEY", "--annotation", "a=1", "--annotation", "a=2"),
    ],
    ids=["nobody", "only-a-digest", "no-value", "no-name", "two-values"],
)
def test_what_makes_no_sense(tmp_path: Path, words: tuple[str, ...]) -> None:
    """An annotation that nobody could have made would be passed over in silence."""
    image = tmp_path / "disk.img"
    image.write_bytes(b"disk")
    given = tmp_path / "publisher.key"
    assert _assay("key", "generate", "--no-passphrase", str(given)).exit_code == 0
    public = given.with_suffix(".pub")
    made = [str(public) if word == "KEY" else word for word in words]
    assert _assay("verify", str(image), *made).exit_code == 2
