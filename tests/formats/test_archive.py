"""Image archives: recognised by content, read in place, covered by whatever vouches for them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay import limits
from assay.appraisal.case import BuiltInRule
from assay.formats.archive.docker import parse_manifest
from assay.formats.archive.recognise import kind_of
from assay.model.finding import AssayError
from assay.model.reading import Catalogue, Options
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, examine, verify
from assay.sources.blobs import MemoryBlob
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust
from tests.sources.tars import END, header, octal, pad
from tests.support.archives import (
    FULL,
    Archive,
    Members,
    image_config,
    layout_members,
    new_docker_archive,
    oci_archive,
    old_docker_archive,
    sha256,
)
from tests.support.checking import check, codes_of
from tests.support.images import Entry, Layout, compressed, encode, symlink, tar_of
from tests.support.registry import running

VERIFY = (sys.executable, "-m", "assay", "verify")

LAYERS = [tar_of({"etc/hostname": b"assay"}), tar_of({"etc/motd": b"hello" * 500})]
NAME = "registry.example/team/app:1.4"

Maker = Callable[[dict[str, list[bytes]]], Archive]

MAKERS: dict[str, Maker] = {
    "old_docker": old_docker_archive,
    "new_docker": new_docker_archive,
    "new_docker_compressed_layers": lambda images: new_docker_archive(images, "gzip"),
    "oci": oci_archive,
    "oci_plain_layers": lambda images: oci_archive(images, ""),
}

made_by_each = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def write(path: Path, archive: Archive, compression: str = "") -> Path:
    path.write_bytes(compressed(archive.tar, compression))
    return path


def trusting(*digests: str, checksums: Path | None = None) -> Trust:
    trust = Trust()
    for digest in digests:
        trust.add_digest(digest)
    if checksums is not None:
        trust.add_checksums(str(checksums))
    return trust


def judged(name: str | Path, trust: Trust | None = None, **options: object) -> Verdict:
    """The one verdict on an archive."""
    rule = BuiltInRule(self_consistent=trust is None, **options)  # type: ignore[arg-type]
    [verdict] = verify(str(name), VerifyOptions(trust or Trust(), rule))
    return verdict


def digest_of_file(path: Path) -> str:
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


# what a user expects of a file that holds an image


@made_by_each
@pytest.mark.parametrize("compression", ["", "gzip", "zstd"])
def test_a_checksum_of_the_file_reaches_every_byte_of_the_image(
    tmp_path: Path, make: Maker, compression: str
) -> None:
    path = write(tmp_path / "image.tar", make({NAME: LAYERS}), compression)
    sums = tmp_path / "SHA256SUMS"
    sums.write_text(f"{digest_of_file(path)[7:]}  image.tar\n")
    verdict = judged(path, trusting(checksums=sums))
    assert verdict.findings == ()
    assert (verdict.exit_status, verdict.coverage.fraction) == (0, 1)
    assert verdict.components[0].id == "file"
    assert {
        component.state.value for component in verdict.components if not component.external
    } == {"bound"}
    assert verdict.format == ("oci-archive" if make in _OCI else "docker-archive")


_OCI = (MAKERS["oci"], MAKERS["oci_plain_layers"])


@made_by_each
@pytest.mark.parametrize("compression", ["", "gzip"])
def test_a_digest_of_the_image_covers_what_the_image_takes_up(
    tmp_path: Path, make: Maker, compression: str
) -> None:
    archive = make({NAME: LAYERS})
    path = write(tmp_path / "image.tar", archive, compression)
    for digest in archive.manifests or archive.ids:
        verdict = judged(path, trusting(digest))
        assert verdict.exit_status == 0
        assert codes_of(verdict) <= {"unclaimed-bytes", "consistent-only"}
        coverage = verdict.coverage
        assert coverage.total == len(archive.tar)
        assert coverage.unclaimed > 0
        assert coverage.bound >= sum(
            len(data) for data in archive.members.values() if data in LAYERS
        )  # type: ignore[arg-type]
        states = {c.id: c.state.value for c in verdict.components}
        assert states["config"] == states["layer[0]"] == states["layer[1]"] == "bound"
        assert states["file"] == "unclaimed"


@pytest.mark.parametrize("name", ["old_docker", "new_docker"])
def test_the_image_id_of_docker_vouches_for_a_docker_archive(tmp_path: Path, name: str) -> None:
    archive = MAKERS[name]({NAME: LAYERS})
    path = write(tmp_path / "image.tar", archive)
    assert judged(path, trusting(archive.ids[0])).exit_status == 0
    assert judged(f"docker-archive:{path}@{archive.ids[0]}", Trust()).exit_status == 0


def test_in_an_oci_archive_the_manifest_has_to_be_vouched_for(tmp_path: Path) -> None:
    archive = oci_archive({NAME: LAYERS})
    path = write(tmp_path / "image.tar", archive)
    assert judged(path, trusting(archive.ids[0])).exit_status == 1
    assert judged(f"oci-archive:{path}@{archive.manifests[0]}", Trust()).exit_status == 0


@made_by_each
def test_another_digest_is_refused(tmp_path: Path, make: Maker) -> None:
    path = write(tmp_path / "image.tar", make({NAME: LAYERS}))
    verdict = judged(path, trusting("sha256:" + "0" * 64))
    assert verdict.exit_status == 1
    assert {"digest-mismatch", "rewritten-consistently", "not-vouched"} <= codes_of(verdict)


def test_every_digest_has_to_be_right_where_all_are_asked_for(tmp_path: Path) -> None:
    archive = old_docker_archive({NAME: LAYERS})
    path = write(tmp_path / "image.tar", archive)
    right = (archive.ids[0], digest_of_file(path))
    assert judged(path, trusting(*right), every=True).exit_status == 0
    assert judged(path, trusting(*right, "sha256:" + "0" * 64), every=True).exit_status == 1
    assert judged(path, trusting(*right, "sha256:" + "0" * 64)).exit_status == 0


def test_a_signature_beside_an_archive_vouches_for_the_image(tmp_path: Path) -> None:
    if shutil.which("minisign") is None:
        pytest.skip("minisign is not installed")
    path = write(tmp_path / "image.tar", old_docker_archive({NAME: LAYERS}))
    for command in (
        ["minisign", "-G", "-W", "-p", "key.pub", "-s", "key"],
        ["minisign", "-S", "-s", "key", "-m", "image.tar"],
    ):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    trust = Trust()
    trust.add_key(str(tmp_path / "key.pub"))
    verdict = judged(path, trust)
    assert (verdict.exit_status, verdict.coverage.fraction) == (0, 1)


@made_by_each
def test_type_raw_makes_it_a_plain_file(tmp_path: Path, make: Maker) -> None:
    path = write(tmp_path / "image.tar", make({NAME: LAYERS}))
    request = VerifyOptions(trusting(digest_of_file(path)), formats=Options(forced_type="raw"))
    [verdict] = verify(str(path), request)
    assert (verdict.format, verdict.exit_status, len(verdict.components)) == ("raw", 0, 1)


@made_by_each
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_flipped_bit_that_the_image_covers_is_refused(
    tmp_path: Path, make: Maker, data: st.DataObject
) -> None:
    archive = make({NAME: LAYERS})
    content = bytearray(archive.tar)
    path = tmp_path / "image.tar"
    path.write_bytes(content)
    digest = (archive.manifests or archive.ids)[0]
    bound = judged(path, trusting(digest)).components[0].spans["bound"]
    start, end = data.draw(st.sampled_from(bound))
    content[data.draw(st.integers(start, end - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    assert judged(path, trusting(digest)).exit_status != 0


# several images


@made_by_each
def test_an_archive_of_several_images_is_one_file_with_one_verdict(
    tmp_path: Path, make: Maker
) -> None:
    archive = make({"registry.example/one:1": LAYERS, "registry.example/two:1": LAYERS[:1]})
    path = write(tmp_path / "image.tar", archive)
    digests = archive.manifests or archive.ids
    verdict = judged(path)
    assert (verdict.exit_status, codes_of(verdict)) == (0, set())
    names = [c.labels["name"] for c in verdict.components if "name" in c.labels]
    assert [name.rpartition("/")[2] for name in names] == ["one:1", "two:1"]
    assert judged(path, trusting(digest_of_file(path))).exit_status == 0
    assert judged(path, trusting(*digests)).exit_status == 0
    verdict = judged(path, trusting(digests[0]))
    assert verdict.exit_status == 1
    assert "partly-vouched" in codes_of(verdict)


@made_by_each
@pytest.mark.parametrize("form", [":{name}", "@{digest}", ":@{number}"])
@pytest.mark.parametrize("number", [0, 1])
def test_one_image_of_several_is_named(tmp_path: Path, make: Maker, form: str, number: int) -> None:
    names = ["registry.example/one:1", "registry.example/two:1"]
    archive = make(dict(zip(names, ([*LAYERS], LAYERS[:1]), strict=True)))
    path = write(tmp_path / "image.tar", archive)
    transport = "oci-archive" if make in _OCI else "docker-archive"
    digests = archive.manifests or archive.ids
    chosen = form.format(name=names[number], digest=digests[number], number=number)
    verdict = judged(f"{transport}:{path}{chosen}", trusting(digests[number]))
    assert verdict.exit_status == 0
    assert verdict.format == transport
    assert judged(f"{transport}:{path}{chosen}", trusting(digests[1 - number])).exit_status == (
        0 if form.startswith("@") else 1
    )


def test_a_name_without_registry_and_tag_is_understood(tmp_path: Path) -> None:
    archive = old_docker_archive({"app:latest": LAYERS, "other:latest": LAYERS[:1]})
    path = write(tmp_path / "image.tar", archive)
    verdict = judged(f"docker-archive:{path}:app", trusting(archive.ids[0]))
    assert verdict.exit_status == 0
    assert [skipped.reason for skipped in verdict.not_checked] == ["not asked for: other:latest"]


@pytest.mark.parametrize("chosen", [":absent", ":@7"])
def test_an_image_that_is_not_there_is_not_checked(tmp_path: Path, chosen: str) -> None:
    for transport, make in (("docker-archive", old_docker_archive), ("oci-archive", oci_archive)):
        path = write(tmp_path / "image.tar", make({NAME: LAYERS}))
        verdict = judged(f"{transport}:{path}{chosen}")
        assert (verdict.exit_status, codes_of(verdict)) == (3, {"not-found"})


def test_a_digest_that_no_image_of_an_archive_has(tmp_path: Path) -> None:
    digest = "sha256:" + "0" * 64
    path = write(tmp_path / "image.tar", oci_archive({NAME: LAYERS}))
    verdict = judged(f"oci-archive:{path}@{digest}", Trust())
    assert (verdict.exit_status, "not-found" in codes_of(verdict)) == (1, True)
    # nothing in a docker archive has to say what its configuration's digest is
    path = write(tmp_path / "image.tar", old_docker_archive({NAME: LAYERS}))
    verdict = judged(f"docker-archive:{path}@{digest}", Trust())
    assert (verdict.exit_status, "digest-mismatch" in codes_of(verdict)) == (1, True)


def test_a_platform_of_several_in_a_docker_archive(tmp_path: Path) -> None:
    archive = old_docker_archive(
        {"a": LAYERS, "b": LAYERS[:1]}, platforms=["linux/amd64", "linux/arm64"]
    )
    path = write(tmp_path / "image.tar", archive)
    assert check(str(path), archive.ids[1], platform="linux/arm64").exit_status == 1
    for platform, status in (("linux/arm64", 0), ("linux/riscv64", 1)):
        request = VerifyOptions(
            trusting(archive.ids[1]),
            formats=Options(platform=platform),
            open=OpenOptions(platform=platform),
        )
        [verdict] = verify(str(path), request)
        assert verdict.exit_status == status


# standard input and compression


@made_by_each
@pytest.mark.parametrize("compression", ["", "gzip"])
def test_an_archive_on_a_pipe_is_copied_and_says_so(make: Maker, compression: str) -> None:
    archive = make({NAME: [*LAYERS, tar_of({"big": os.urandom(200_000)})]})
    for name in ("-", "docker-archive:-"):
        if name != "-" and make in _OCI:
            name = "oci-archive:-"
        done = subprocess.run(
            [*VERIFY, name, "--format", "json", "--digest", (archive.manifests or archive.ids)[0]],
            input=compressed(archive.tar, compression),
            capture_output=True,
            timeout=60,
        )
        [verdict] = json.loads(done.stdout)["verdicts"]
        assert done.returncode == 0
        assert "input-spooled" in {finding["code"] for finding in verdict["findings"]}


def test_other_archives_on_a_pipe_are_not_copied(tmp_path: Path) -> None:
    data = tar_of({"project/manifest.json": b"{}", "project/data": os.urandom(200_000)})
    done = subprocess.run(
        [*VERIFY, "-", "--digest", "sha256:" + sha256(data)],
        input=data,
        capture_output=True,
        timeout=60,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0
    assert b"spooled" not in done.stdout


@pytest.mark.parametrize("ranges", [True, False])
def test_an_archive_on_a_server_is_read_in_place_or_copied(ranges: bool) -> None:
    archive = new_docker_archive({NAME: [*LAYERS, tar_of({"big": os.urandom(300_000)})]})
    with running() as server:
        server.blobs["image.tar"] = archive.tar
        server.faults.ignore_ranges = not ranges
        verdict = judged(f"{server.url}/files/image.tar", trusting(archive.manifests[0]))
        assert verdict.exit_status == 0
        assert verdict.format == "docker-archive"
        found = {finding.code for finding in verdict.findings}
        assert ("input-spooled" in found) == (not ranges)


def test_standard_input_cannot_be_two_images() -> None:
    for names in (["-", "-"], ["/dev/stdin", "docker-archive:-:app"], ["oci-archive:-", "-"]):
        done = subprocess.run([*VERIFY, *names], input=b"", capture_output=True, timeout=60)
        assert done.returncode == 2
        assert b"once" in done.stderr


def test_documents_of_a_compressed_archive_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "image.tar", old_docker_archive({NAME: LAYERS}), "gzip")
    monkeypatch.setattr(limits, "ARCHIVE_DOCUMENTS", 1000)
    verdict = judged(path)
    assert verdict.exit_status == 1
    assert "limit-exceeded" in codes_of(verdict)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_compressed_archive_that_is_cut_short(tmp_path: Path, compression: str) -> None:
    archive = new_docker_archive({NAME: [tar_of({"big": os.urandom(300_000)})]})
    path = write(tmp_path / "image.tar", archive, compression)
    digest = digest_of_file(path)
    path.write_bytes(path.read_bytes()[:-100])
    verdict = judged(path, trusting(digest))
    assert verdict.exit_status == 1
    assert {"compressed-stream-truncated", "digest-mismatch"} <= codes_of(verdict)


# what is no image archive


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"README": b"x"},
        {"manifest.json": b'{"manifest_version": 3}', "background.js": b""},
        {"manifest.json": b"null"},
        {"manifest.json": b'[{"src": "a"}]'},
        {"index.json": b"{}"},
        {"oci-layout": b"{}"},
        {"a" * 64 + ".json": b"{}"},
        {"sub/manifest.json": b'[{"Config": "x", "Layers": []}]'},
    ],
)
@pytest.mark.parametrize("compression", ["", "gzip"])
def test_other_archives_are_plain_files(
    tmp_path: Path, members: dict[str, bytes], compression: str
) -> None:
    path = write(tmp_path / "file.tar", Archive(dict(members)), compression)
    verdict = judged(path, trusting(digest_of_file(path)))
    assert (verdict.format, verdict.exit_status) == ("raw", 0)


@pytest.mark.parametrize("transport", ["oci-archive", "docker-archive"])
@pytest.mark.parametrize("data", [b"", b"plain text", b"\x1f\x8bnot gzip", tar_of({"a": b"b"})])
def test_a_file_that_is_no_archive_is_not_checked_as_one(
    tmp_path: Path, transport: str, data: bytes
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    verdict = judged(f"{transport}:{path}", trusting(digest_of_file(path)))
    assert verdict.exit_status in (1, 3)
    assert codes_of(verdict) & {"not-an-image", "compressed-stream-damaged"}


def test_the_other_kind_of_archive_is_not_checked(tmp_path: Path) -> None:
    old = write(tmp_path / "old.tar", old_docker_archive({NAME: LAYERS}))
    oci = write(tmp_path / "oci.tar", oci_archive({NAME: LAYERS}))
    assert codes_of(judged(f"oci-archive:{old}")) == {"not-an-image"}
    assert codes_of(judged(f"docker-archive:{oci}")) == {"not-an-image"}
    both = write(tmp_path / "both.tar", new_docker_archive({NAME: LAYERS}))
    assert judged(f"oci-archive:{both}").exit_status == 0
    assert judged(f"docker-archive:{both}").exit_status == 0


def test_a_directory_is_no_archive(tmp_path: Path) -> None:
    assert codes_of(judged(f"oci-archive:{tmp_path}")) == {"not-an-image"}


# attacks: two views of one archive


def _other_config(archive: Archive) -> None:
    config = image_config([tar_of({"evil": b"evil"})])
    archive.members["evil.json"] = config
    archive.members["evil.tar"] = tar_of({"evil": b"evil"})
    archive.edit("manifest.json", lambda m: m[0].update(Config="evil.json", Layers=["evil.tar"]))


def _other_layer(archive: Archive) -> None:
    archive.members["evil.tar"] = tar_of({"evil": b"evil"})
    archive.edit("manifest.json", lambda m: m[0].update(Layers=["evil.tar", m[0]["Layers"][1]]))


def _other_order(archive: Archive) -> None:
    archive.edit("manifest.json", lambda m: m[0]["Layers"].reverse())


def _fewer_layers(archive: Archive) -> None:
    archive.edit("manifest.json", lambda m: m[0]["Layers"].pop())


def _hidden_image(archive: Archive) -> None:
    """An image that only programs see which read manifest.json."""
    archive.members["evil.json"] = image_config([])
    archive.edit(
        "manifest.json", lambda m: m.append({"Config": "evil.json", "RepoTags": [], "Layers": []})
    )


def _hidden_in_the_index(archive: Archive) -> None:
    """An image that only programs see which read index.json."""
    layout = Layout()
    image = layout.image([{"evil": b"evil"}])
    for digest, data in layout.blobs.items():
        archive.members[f"blobs/{digest.replace(':', '/')}"] = data
    archive.edit("index.json", lambda index: index["manifests"].append(image))


@pytest.mark.parametrize(
    "attack",
    [
        _other_config,
        _other_layer,
        _other_order,
        _fewer_layers,
        _hidden_image,
        _hidden_in_the_index,
    ],
)
@pytest.mark.parametrize("prefix", ["", "docker-archive:", "oci-archive:"])
def test_manifest_json_and_index_json_that_describe_different_images(
    tmp_path: Path, attack: Callable[[Archive], None], prefix: str
) -> None:
    archive = new_docker_archive({NAME: LAYERS})
    attack(archive)
    path = write(tmp_path / "image.tar", archive)
    for trust in (None, trusting(archive.manifests[0]), trusting(digest_of_file(path))):
        verdict = judged(f"{prefix}{path}", trust)
        assert verdict.exit_status == 1
        assert "archive-views-disagree" in codes_of(verdict)


@pytest.mark.parametrize(
    "manifest",
    [
        b'[{"\\u0043onfig": "evil.json", "Layers": []}]',
        b'[{"config": "evil.json", "layers": []}]',
        b' \n[{"CONFIG": "evil.json"}]',
        b'[{"Config": "evil.json", "Layers": []}] trailing',
        b'[{"Config": "evil.json", "Layers": [], "x": "\xff"}]',
        b" " * 5000 + b'[{"Config": "evil.json", "Layers": []}]',
    ],
    ids=["escaped_key", "lower_case", "upper_case", "trailing_data", "not_utf_8", "much_space"],
)
@pytest.mark.parametrize("compression", ["", "gzip"])
def test_a_manifest_json_that_only_a_lenient_reader_takes_is_not_overlooked(
    tmp_path: Path, manifest: bytes, compression: str
) -> None:
    archive = oci_archive({NAME: LAYERS})
    archive.members["evil.json"] = image_config([])
    archive.members["manifest.json"] = manifest
    path = write(tmp_path / "image.tar", archive, compression)
    for prefix in ("", "oci-archive:"):
        verdict = judged(f"{prefix}{path}", trusting(archive.manifests[0]))
        assert verdict.exit_status == 1


def test_the_third_description_that_old_programs_read_is_refused(tmp_path: Path) -> None:
    archive = oci_archive({NAME: LAYERS})
    archive.members["repositories"] = encode({"app": {"latest": "0" * 64}})
    verdict = judged(write(tmp_path / "image.tar", archive), trusting(archive.manifests[0]))
    assert verdict.exit_status == 1
    assert "archive-views-disagree" in codes_of(verdict)


def test_what_an_archive_holds_beside_the_image_can_be_listed(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    signature = layout.artifact({"text/plain": b"signature"}, subject=image)
    members = layout_members(layout, [image, signature])
    path = write(tmp_path / "image.tar", Archive(members))
    [examined] = examine(str(path), VerifyOptions(trusting(image["digest"])))
    assert examined.verdict.exit_status == 0
    assert examined.gathered is not None
    store = examined.gathered.image.store
    assert isinstance(store, Catalogue)
    assert [entry["digest"] for entry in store.entries()] == [image["digest"], signature["digest"]]


def test_names_that_differ_between_the_views_are_reported(tmp_path: Path) -> None:
    archive = new_docker_archive({NAME: LAYERS})
    archive.edit("manifest.json", lambda m: m[0].update(RepoTags=["other:1"]))
    verdict = judged(write(tmp_path / "image.tar", archive))
    assert codes_of(verdict) == {"archive-names-disagree"}


@pytest.mark.parametrize("manifests", [None, []])
def test_an_index_without_images_leaves_the_word_to_manifest_json(
    tmp_path: Path, manifests: object
) -> None:
    """As some versions of the engine write it."""
    archive = new_docker_archive({NAME: LAYERS})
    archive.edit("index.json", lambda index: index.update(manifests=manifests))
    path = write(tmp_path / "image.tar", archive)
    assert judged(path, trusting(archive.ids[0])).exit_status == 0


def test_one_image_under_two_names_in_both_views(tmp_path: Path) -> None:
    archive = new_docker_archive({NAME: LAYERS})
    archive.edit("manifest.json", lambda m: m[0]["RepoTags"].append("app:latest"))
    archive.edit(
        "index.json",
        lambda index: index["manifests"].append(
            {**index["manifests"][0], "annotations": {FULL: "registry.example/team/app:latest"}}
        ),
    )
    archive.edit("manifest.json", lambda m: m[0].update(RepoTags=["team/app:1.4", "team/app"]))
    verdict = judged(write(tmp_path / "image.tar", archive))
    assert (verdict.exit_status, codes_of(verdict)) == (0, set())


# attacks: a hostile docker archive


def _set(**fields: object) -> Callable[[Archive], None]:
    return lambda archive: archive.edit("manifest.json", lambda m: m[0].update(fields))


def _replace(name: str, data: bytes | Entry) -> Callable[[Archive], None]:
    return lambda archive: archive.members.update({name: data})


def _without_layer(archive: Archive) -> None:
    del archive.members[next(name for name in archive.members if name.endswith("layer.tar"))]


def _same_name_twice(archive: Archive) -> None:
    archive.members["other.json"] = image_config([])
    archive.edit(
        "manifest.json",
        lambda m: m.append({"Config": "other.json", "RepoTags": [NAME], "Layers": []}),
    )


def _config_changed(archive: Archive) -> None:
    name = archive.ids[0][7:] + ".json"
    archive.members[name] = archive.data(name).replace(b"amd64", b"arm64")


def _layer_linked_outside(archive: Archive) -> None:
    name = next(name for name in archive.members if name.endswith("layer.tar"))
    archive.members[name] = symlink(name, "../../etc/passwd")


def _layer_replaced(archive: Archive) -> None:
    name = next(name for name in archive.members if name.endswith("layer.tar"))
    archive.members[name] = tar_of({"evil": b"evil"})


ATTACKS: dict[str, tuple[Callable[[Archive], None], str]] = {
    "config_outside": (_set(Config="../../etc/passwd"), "archive-unsafe-name"),
    "config_absolute": (_set(Config="/etc/passwd"), "archive-unsafe-name"),
    "config_missing": (_set(Config="nowhere.json"), "missing-component"),
    "config_is_no_name": (_set(Config=None), "malformed"),
    "config_is_a_list": (_set(Config=["a"]), "malformed"),
    "layers_outside": (_set(Layers=["../x", "/y"]), "archive-unsafe-name"),
    "layers_are_no_list": (_set(Layers="layer.tar"), "malformed"),
    "layers_are_numbers": (_set(Layers=[1]), "malformed"),
    "fewer_layers": (_set(Layers=[]), "layer-count-mismatch"),
    "a_million_layers": (_set(Layers=["x"] * 5000), "limit-exceeded"),
    "config_in_another_case": (_set(config="other.json"), "ambiguous-key"),
    "tags_are_no_list": (_set(RepoTags=5), "malformed"),
    "layer_missing": (_without_layer, "missing-component"),
    "layer_linked_outside": (_layer_linked_outside, "archive-unsafe-name"),
    "layer_replaced": (_layer_replaced, "digest-mismatch"),
    "config_replaced": (_config_changed, "digest-mismatch"),
    "same_name_twice": (_same_name_twice, "duplicate-reference"),
    "deep_manifest": (
        _replace("manifest.json", b'["Config"' + b",[" * 100_000),
        "limit-exceeded",
    ),
    "duplicate_key": (
        _replace("manifest.json", b'[{"Config": "a", "Config": "b", "Layers": []}]'),
        "malformed",
    ),
    "manifest_cut_short": (_replace("manifest.json", b'[{"Config": "a"'), "malformed"),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("compression", ["", "gzip"])
def test_attack_is_refused(tmp_path: Path, attack: str, compression: str) -> None:
    change, expected = ATTACKS[attack]
    archive = old_docker_archive({NAME: LAYERS})
    change(archive)
    path = write(tmp_path / "image.tar", archive, compression)
    verdict = judged(f"docker-archive:{path}", trusting(archive.ids[0]))
    assert verdict.exit_status == 1
    assert expected in codes_of(verdict)
    assert judged(f"docker-archive:{path}").exit_status == 1


@pytest.mark.parametrize("name", ["manifest.json", "index.json", "blobs/sha256/{}"])
def test_a_member_that_occurs_twice_is_refused(tmp_path: Path, name: str) -> None:
    archive = new_docker_archive({NAME: LAYERS})
    name = name.format(archive.ids[0][7:])
    data = archive.data(name)
    entries = [
        Entry(member, content)
        for member, content in archive.members.items()  # type: ignore[arg-type]
    ]
    path = tmp_path / "image.tar"
    path.write_bytes(tar_of([*entries, Entry(f"./{name}", data)]))
    verdict = judged(path)
    assert verdict.exit_status == 1
    assert "archive-ambiguous" in codes_of(verdict)


def test_an_archive_behind_the_archive_is_refused(tmp_path: Path) -> None:
    archive = old_docker_archive({NAME: LAYERS})
    path = tmp_path / "image.tar"
    path.write_bytes(archive.tar + archive.tar)
    verdict = judged(path, trusting(archive.ids[0]))
    assert verdict.exit_status == 1
    assert "archive-trailing-data" in codes_of(verdict)


def test_an_archive_cut_short_is_refused_and_told_from_another_one(tmp_path: Path) -> None:
    archive = new_docker_archive({NAME: LAYERS})
    path = tmp_path / "image.tar"
    path.write_bytes(archive.tar[:3000])
    verdict = judged(path, trusting(archive.manifests[0]))
    assert verdict.exit_status == 1
    assert verdict.format == "oci-archive"
    assert "archive-truncated" in codes_of(verdict)


def test_a_layer_of_impossible_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    manifest = encode([{"Config": "c.json", "Layers": ["l"]}])  # type: ignore[arg-type]
    path.write_bytes(
        header(b"manifest.json", octal(len(manifest)))
        + pad(manifest)
        + header(b"l", b"\x80" + b"\x7f" * 11)
        + END
    )
    verdict = judged(path)
    assert verdict.exit_status == 1
    assert "archive-malformed" in codes_of(verdict)


def test_a_name_that_would_draw_on_the_terminal_is_escaped(tmp_path: Path) -> None:
    evil = "\x1b[2Jallowed"
    archive = old_docker_archive({evil: LAYERS, "good:1": LAYERS[:1]})
    path = write(tmp_path / "image.tar", archive)
    done = subprocess.run(
        [sys.executable, "-m", "assay", "inspect", str(path)], capture_output=True, timeout=60
    )
    more = subprocess.run(
        [*VERIFY, "-v", f"docker-archive:{path}:good:1"],
        capture_output=True,
        timeout=60,
    )
    assert b"\x1b[2J" not in done.stdout + more.stdout + done.stderr + more.stderr


def test_a_document_that_is_exchanged_after_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file keeps its size and times; the parsed document and the measured one differ."""
    from assay import pipeline

    archive = old_docker_archive({NAME: LAYERS})
    path = write(tmp_path / "image.tar", archive)
    measure = pipeline.measure

    def exchange_first(*arguments: object, **options: object) -> object:
        before = path.stat()
        data = path.read_bytes().replace(b'"RepoTags"', b'"rEPOtAGS"')
        with path.open("r+b") as file:
            file.write(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        return measure(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "measure", exchange_first)
    verdict = judged(path, trusting(archive.ids[0]))
    assert verdict.exit_status == 3
    assert "changed-while-read" in codes_of(verdict)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=100),
        st.recursive(
            st.one_of(st.none(), st.integers(), st.text(max_size=5)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(st.sampled_from(["Config", "Layers", "RepoTags", "x"]), inner),
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    )
)
def test_any_manifest_json_is_read_or_refused(data: bytes) -> None:
    try:
        parse_manifest(data)
    except AssayError:
        return


_MEMBERS: st.SearchStrategy[Members] = st.dictionaries(
    st.sampled_from(
        ["manifest.json", "index.json", "oci-layout", "c.json", "blobs/sha256/" + "a" * 64]
    ),
    st.one_of(
        st.binary(max_size=50),
        st.sampled_from(
            [
                b'[{"Config": "c.json", "Layers": ["c.json"]}]',
                b'{"schemaVersion": 2, "manifests": [{"digest": "sha256:'
                + b"a" * 64
                + b'", "size": 1}]}',
                b'{"imageLayoutVersion": "1.0.0"}',
                b'{"rootfs": {"diff_ids": ["sha256:' + b"b" * 64 + b'"]}}',
                b'{"schemaVersion": 2, "config": {}, "layers": []}',
            ]
        ),
    ),
)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(members=_MEMBERS, cut=st.integers(0, 4000), compression=st.sampled_from(["", "gzip"]))
def test_any_archive_ends_in_a_verdict(
    tmp_path: Path, members: Members, cut: int, compression: str
) -> None:
    data = compressed(Archive(members).tar, compression)
    path = tmp_path / "image.tar"
    path.write_bytes(data[: max(1, len(data) - cut)])
    for prefix in ("", "oci-archive:", "docker-archive:"):
        assert "internal-error" not in codes_of(judged(f"{prefix}{path}"))


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x1f\x8b" * 500])
def test_recognising_raises_nothing(data: bytes) -> None:
    assert kind_of(MemoryBlob(data)) == ""


# what other programs write and read


def _skopeo(*arguments: str) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is not installed")
    subprocess.run(
        ["skopeo", "--insecure-policy", *arguments], check=True, capture_output=True, timeout=60
    )


@pytest.mark.parametrize("transport", ["oci-archive", "docker-archive"])
def test_archives_of_skopeo(tmp_path: Path, transport: str) -> None:
    layout = Layout()
    image = layout.image([{"one": b"1"}, {"two": b"2"}])
    source = layout.write(tmp_path / "layout", image) + ":latest"
    path = tmp_path / "image.tar"
    _skopeo("copy", source, f"{transport}:{path}:registry.example/app:1.4")
    expected = (
        image["digest"] if transport == "oci-archive" else layout.read(image)["config"]["digest"]
    )
    for name in (f"{path}", f"{transport}:{path}", f"{transport}:{path}:registry.example/app:1.4"):
        verdict = judged(name, trusting(expected))
        assert verdict.exit_status == 0
        assert verdict.format == transport
        assert codes_of(verdict) == {"unclaimed-bytes"}
        assert judged(name, trusting(digest_of_file(path))).coverage.fraction == 1


@pytest.mark.parametrize("name", ["old_docker", "new_docker", "oci"])
def test_archives_built_here_are_what_skopeo_reads(tmp_path: Path, name: str) -> None:
    """So that these tests are about the real formats."""
    archive = MAKERS[name]({NAME: LAYERS})
    path = write(tmp_path / "image.tar", archive)
    transport = "oci-archive" if name == "oci" else "docker-archive"
    _skopeo("copy", f"{transport}:{path}", f"dir:{tmp_path}/dir")
    assert judged(f"dir:{tmp_path}/dir").exit_status == 0


def test_archives_of_other_projects() -> None:
    shared = Path("../shared/vectors/oci-layouts")
    if not shared.exists():
        pytest.skip("no shared vectors")
    kinds = {"content": "raw", "null_manifest": "raw"}
    found = sorted(shared.glob("*/testdata/*.tar"))
    assert len(found) > 8
    for path in found:
        verdict = judged(path)
        assert verdict.format == kinds.get(path.stem, "docker-archive"), path
        assert verdict.exit_status == 0, path


def test_tar_formats_of_the_standard_library(tmp_path: Path) -> None:
    archive = new_docker_archive({NAME: LAYERS})
    for tar_format in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as tar:
            for name, data in archive.members.items():
                assert isinstance(data, bytes)
                info = tarfile.TarInfo(f"./{name}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        path = tmp_path / "image.tar"
        path.write_bytes(buffer.getvalue())
        assert judged(path, trusting(archive.manifests[0])).exit_status == 0
