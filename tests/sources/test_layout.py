"""Image directories: OCI layouts and those of skopeo, honest and hostile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.appraisal.case import BuiltInRule
from assay.model.finding import AssayError, UsageError
from assay.model.reading import Catalogue
from assay.model.selection import Selection, same_name
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.sources.image_index import choose, read_image_index
from assay.sources.model import OpenOptions
from assay.sources.open import open_images
from assay.sources.selecting import split_selection
from assay.trust.anchors import Trust
from tests.support.checking import check, codes_of
from tests.support.images import Descriptor, Layout, digest_of, encode

REF = "org.opencontainers.image.ref.name"
FULL = "io.containerd.image.name"


def tagged(entry: Descriptor, name: str, key: str = REF) -> Descriptor:
    return {**entry, "annotations": {**entry.get("annotations", {}), key: name}}


class _Nothing:
    """A store that holds nothing."""

    def blob(self, name: str, **_: object) -> None:
        return None


def digest_name(entry: Descriptor) -> str:
    return str(entry["digest"])


def consistent(name: str, platform: str = "") -> list[Verdict]:
    """The verdicts on all images of a name, with nothing to trust."""
    rule = BuiltInRule(self_consistent=True)
    return verify(name, VerifyOptions(Trust(), rule, open=OpenOptions(platform=platform)))


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, list[Descriptor]]:
    """A layout with the images ``one`` and ``two``."""
    layout = Layout()
    images = [tagged(layout.image([{"f": name.encode()}]), name) for name in ("one", "two")]
    layout.write(tmp_path / "layout", *images, tag="")
    return tmp_path / "layout", images


def edit(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    document = json.loads(path.read_bytes())
    change(document)
    path.write_bytes(encode(document))


# which image


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("form", [":{name}", "@{digest}", ":@{number}"])
def test_one_image_of_several_is_named(
    two: tuple[Path, list[Descriptor]], number: int, form: str
) -> None:
    path, images = two
    digest = digest_name(images[number])
    chosen = form.format(name=("one", "two")[number], digest=digest, number=number)
    verdict = check(f"oci:{path}{chosen}", digest)
    assert verdict.exit_status == 0
    assert verdict.resolved == f"oci:{path}@{digest}"
    assert verdict.coverage.fraction == 1


def test_without_a_name_every_image_is_judged(two: tuple[Path, list[Descriptor]]) -> None:
    path, images = two
    trust = Trust()
    trust.add_digest(digest_name(images[0]))
    verdicts = verify(f"oci:{path}", VerifyOptions(trust))
    assert [(verdict.image, verdict.exit_status) for verdict in verdicts] == [
        (f"oci:{path}:one", 0),
        (f"oci:{path}:two", 1),
    ]


def test_a_directory_is_recognised(two: tuple[Path, list[Descriptor]]) -> None:
    path, _ = two
    assert [v.image for v in consistent(str(path))] == [f"oci:{path}:one", f"oci:{path}:two"]


def test_an_image_with_two_names_is_judged_once(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    name = layout.write(tmp_path, tagged(image, "1.4"), tagged(image, "latest"), tag="")
    assert check(name, digest_name(image)).exit_status == 0


def test_entries_of_one_name_for_different_platforms_are_all_judged(tmp_path: Path) -> None:
    layout = Layout()
    images = [
        tagged(layout.image([{"f": platform.encode()}], platform), "latest")
        for platform in ("linux/amd64", "linux/arm64")
    ]
    layout.write(tmp_path, *images, tag="")
    edit(tmp_path / "index.json", lambda index: index.update(manifests=images))
    assert len(consistent(f"oci:{tmp_path}:latest")) == 2
    [verdict] = consistent(f"oci:{tmp_path}:latest", "linux/arm64")
    assert verdict.resolved.endswith(digest_name(images[1]))


def test_a_digest_may_be_that_of_an_image_within_an_index(tmp_path: Path) -> None:
    layout = Layout()
    inner = layout.image()
    name = layout.write(tmp_path, layout.index([layout.index([inner])]))
    assert check(f"{name}@{inner['digest']}").exit_status == 0
    assert check(name, digest_name(inner)).exit_status == 1


def test_a_reference_that_does_not_exist_is_not_checked(
    two: tuple[Path, list[Descriptor]],
) -> None:
    path, _ = two
    for wrong in (":three", ":@2", f"@{digest_of(b'nothing')}"):
        verdict = check(f"oci:{path}{wrong}")
        assert verdict.exit_status == 3
        assert codes_of(verdict) == {"not-found"}
        assert verdict.findings[0].actual == "one, two"


@pytest.mark.parametrize("wrong", ["@sha256:00", "@md5:" + "0" * 32, ":", ":@sha256"])
def test_a_reference_that_makes_no_sense_is_wrong_usage(
    two: tuple[Path, list[Descriptor]], wrong: str
) -> None:
    with pytest.raises(UsageError):
        check(f"oci:{two[0]}{wrong}")


def test_a_layout_without_images_is_not_checked(tmp_path: Path) -> None:
    name = Layout().write(tmp_path)
    assert codes_of(check(name)) == {"not-an-image"}


def test_paths_may_have_colons(tmp_path: Path) -> None:
    (tmp_path / "a:b").mkdir()
    shown = f"oci:{tmp_path}/a:b"
    assert split_selection(f"{tmp_path}/a:b:c:d", shown) == (f"{tmp_path}/a:b", Selection("c:d"))
    assert split_selection(f"{tmp_path}/a:b", shown) == (f"{tmp_path}/a:b", Selection())
    assert split_selection("no:thing:here", shown) == ("no", Selection("thing:here"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("app", "app:latest", True),
        ("app:1", "registry.example/app:1", True),
        ("app:1", "registry.example/library/app:1", True),
        ("team/app:1", "registry.example:5000/team/app:1", True),
        ("app:1", "registry.example/team/app:1", False),
        ("app:1", "team/app:1", False),
        ("app:1", "app:2", False),
        ("app:1", "registry.example/myapp:1", False),
        ("app", "app:1", False),
    ],
)
def test_names_are_the_same_with_and_without_registry(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same_name(other, one) is same


# signatures beside images


def _with_signature(tmp_path: Path, tag: str = "", **annotations: str) -> tuple[str, Descriptor]:
    layout = Layout()
    image = layout.image()
    entry: Descriptor = layout.artifact({"text/plain": b"signature"}, subject=image)
    if annotations:
        entry["annotations"] = annotations
    return layout.write(tmp_path, image, tagged(entry, tag) if tag else entry), image


@pytest.mark.parametrize("tag", ["", "sha256-" + "0" * 64, "sha256-" + "0" * 64 + ".sig"])
def test_what_refers_to_an_image_is_not_judged_as_one(tmp_path: Path, tag: str) -> None:
    name, image = _with_signature(tmp_path, tag)
    verdict = check(name, digest_name(image))
    assert verdict.exit_status == 0
    assert "companion-entries" in {finding.code for finding in verdict.findings}
    [opened] = open_images(name, OpenOptions())
    assert isinstance(opened.store, Catalogue)
    assert len(opened.store.entries()) == 2


def test_an_image_that_claims_to_be_a_signature_of_another_is_judged_when_it_has_a_name(
    tmp_path: Path,
) -> None:
    layout = Layout()
    good = layout.image()
    evil = layout.image([{"f": b"evil"}], manifest=lambda m: m.update(subject=good))
    name = layout.write(tmp_path, good, tagged(evil, "newest"))
    trust = Trust()
    trust.add_digest(digest_name(good))
    assert [v.exit_status for v in verify(name, VerifyOptions(trust))] == [0, 1]


# attacks


def test_one_name_for_two_images_is_refused(two: tuple[Path, list[Descriptor]]) -> None:
    path, images = two
    edit(
        path / "index.json",
        lambda index: index.update(manifests=[tagged(image, "one") for image in images]),
    )
    verdict = check(f"oci:{path}:one", digest_name(images[0]))
    assert verdict.exit_status == 1
    assert codes_of(verdict) == {"duplicate-reference"}
    assert all("duplicate-reference" in codes_of(v) for v in consistent(f"oci:{path}"))


def test_tags_of_differently_named_images_are_no_duplicates(tmp_path: Path) -> None:
    layout = Layout()
    images = [
        tagged(tagged(layout.image([{"f": name.encode()}]), "latest"), name, FULL)
        for name in ("registry.example/one:latest", "registry.example/two:latest")
    ]
    layout.write(tmp_path, *images, tag="")
    assert all(codes_of(verdict) == set() for verdict in consistent(f"oci:{tmp_path}"))
    assert check(f"oci:{tmp_path}:one", digest_name(images[0])).exit_status == 0
    assert codes_of(check(f"oci:{tmp_path}:latest")) == {"duplicate-reference"}


def test_an_index_that_claims_another_size_or_digest_of_an_image(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    name = layout.write(tmp_path, {**image, "size": image["size"] + 1})
    assert codes_of(check(name, digest_name(image))) == {"size-mismatch"}


def test_a_bit_flipped_in_the_manifest_shows_without_any_anchor(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    name = layout.write(tmp_path, image)
    path = tmp_path / "blobs" / image["digest"].replace(":", "/")
    path.write_bytes(path.read_bytes().replace(b"layer.v1.tar+gzip", b"layer.v1.taR+gzip"))
    [verdict] = consistent(name)
    assert verdict.exit_status == 1
    assert "digest-mismatch" in codes_of(verdict)


@pytest.mark.parametrize("place", ["blob", "folder", "index", "version"])
def test_a_link_out_of_the_layout_is_refused(tmp_path: Path, place: str) -> None:
    layout = Layout()
    image = layout.image()
    root = tmp_path / "layout"
    name = layout.write(root, image)
    moved = {
        "blob": root / "blobs" / layout.read(image)["config"]["digest"].replace(":", "/"),
        "folder": root / "blobs",
        "index": root / "index.json",
        "version": root / "oci-layout",
    }[place]
    moved.rename(tmp_path / "elsewhere")
    moved.symlink_to(tmp_path / "elsewhere")
    verdict = check(name, digest_name(image))
    assert verdict.exit_status == 1
    assert "link-leads-outside" in codes_of(verdict)


def test_links_within_the_layout_are_followed(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    name = layout.write(tmp_path, image)
    blobs = tmp_path / "blobs" / "sha256"
    for path in list(blobs.iterdir()):
        path.rename(tmp_path / path.name)
        path.symlink_to(Path("../..") / path.name)
    assert check(name, digest_name(image)).exit_status == 0


def test_the_layout_itself_may_be_reached_through_a_link(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    layout.write(tmp_path / "real", image)
    (tmp_path / "link").symlink_to("real")
    assert check(f"oci:{tmp_path}/link", digest_name(image)).exit_status == 0


def test_a_blob_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    name = layout.write(tmp_path, image)
    path = tmp_path / "blobs" / layout.read(image)["config"]["digest"].replace(":", "/")
    path.unlink()
    os.mkfifo(path)
    verdict = check(name, digest_name(image))
    assert verdict.exit_status != 0
    assert "unreadable" in codes_of(verdict)


@pytest.mark.parametrize(
    "version", ['{"imageLayoutVersion": "2.0.0"}', "{}", "", '{"imageLayoutVersion": 1}', None]
)
def test_an_unknown_version_of_the_layout_is_refused(tmp_path: Path, version: str | None) -> None:
    layout = Layout()
    image = layout.image()
    name = layout.write(tmp_path, image)
    if version is None:
        (tmp_path / "oci-layout").unlink()
    else:
        (tmp_path / "oci-layout").write_text(version)
    verdict = check(name, digest_name(image))
    assert verdict.exit_status == 1
    assert codes_of(verdict) == {"layout-version"}


@pytest.mark.parametrize(
    "index",
    [
        b"",
        b"[]",
        b'{"schemaVersion": 2}',
        b'{"schemaVersion": 1, "manifests": []}',
        b'{"schemaVersion": 2, "manifests": {}}',
        b'{"schemaVersion": 2, "manifests": [], "manifests": []}',
        b"[" * 100_000,
        b'{"schemaVersion": 2, "manifests": [' + b"1," * 5000 + b"1]}",
    ],
    ids=["empty", "list", "nothing", "version", "object", "duplicate_key", "deep", "many"],
)
def test_a_malformed_index_is_refused(tmp_path: Path, index: bytes) -> None:
    name = Layout().write(tmp_path)
    (tmp_path / "index.json").write_bytes(index)
    assert check(name).exit_status == 1


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "sha256:../../../etc/passwd"},
        {"digest": 5},
        {"digest": "md5:" + "0" * 32},
        {"size": -1},
        {"size": True},
    ],
)
def test_a_malformed_entry_is_refused_even_beside_a_good_one(
    tmp_path: Path, change: dict[str, object]
) -> None:
    layout = Layout()
    image = layout.image()
    name = layout.write(tmp_path, image, {**image, **change})
    verdict = check(name, digest_name(image))
    assert verdict.exit_status == 1
    assert codes_of(verdict) == {"malformed"}


@pytest.mark.parametrize("key", ["Manifests", "manifest\u017f"])
def test_a_second_list_of_images_in_another_spelling_is_refused(tmp_path: Path, key: str) -> None:
    """Go's decoder takes the last of them."""
    layout = Layout()
    image, evil = layout.image(), layout.image([{"evil": b"evil"}])
    name = layout.write(tmp_path, image)
    edit(tmp_path / "index.json", lambda index: index.update({key: [evil]}))
    verdict = check(name, digest_name(image))
    assert verdict.exit_status == 1
    assert codes_of(verdict) == {"ambiguous-key"}


def test_a_digest_in_another_spelling_is_refused(tmp_path: Path) -> None:
    layout = Layout()
    image, evil = layout.image(), layout.image([{"evil": b"evil"}])
    name = layout.write(tmp_path, {**image, "Digest": evil["digest"]})
    assert codes_of(check(name, digest_name(image))) == {"ambiguous-key"}


def test_a_missing_image_does_not_keep_the_others_from_being_judged(
    two: tuple[Path, list[Descriptor]],
) -> None:
    path, images = two
    (path / "blobs" / digest_name(images[0]).replace(":", "/")).unlink()
    first, second = consistent(f"oci:{path}")
    assert codes_of(first) == {"missing-component"}
    assert second.exit_status == 0


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(
                    st.sampled_from(
                        ["schemaVersion", "manifests", "digest", "size", "annotations", REF]
                    ),
                    inner,
                ),
            ),
            max_leaves=12,
        ).map(
            lambda value: json.dumps({"schemaVersion": 2, "manifests": value}).encode(
                "utf-8", "surrogatepass"
            )
        ),
    )
)
def test_any_index_is_read_or_refused(data: bytes) -> None:
    try:
        index = read_image_index(data)
        choose(index, Selection(), "", "oci:x", _Nothing())
    except AssayError:
        return


# directories of skopeo


def _skopeo(*arguments: str) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is not installed")
    subprocess.run(
        ["skopeo", "--insecure-policy", *arguments], check=True, capture_output=True, timeout=60
    )


@pytest.mark.parametrize("plain", [False, True])
def test_a_directory_of_skopeo(tmp_path: Path, plain: bool) -> None:
    layout = Layout()
    image = layout.image([{"one": b"1"}, {"two": b"2"}])
    _skopeo("copy", layout.write(tmp_path / "layout", image) + ":latest", f"dir:{tmp_path}/dir")
    name = f"{tmp_path}/dir" if plain else f"dir:{tmp_path}/dir"
    verdict = check(name, digest_name(image))
    assert verdict.findings == ()
    assert verdict.coverage.fraction == 1
    assert check(f"dir:{tmp_path}/dir@{image['digest']}").exit_status == 0


def test_a_directory_of_skopeo_with_all_platforms(tmp_path: Path) -> None:
    layout = Layout()
    index = layout.index(
        [layout.image([{"f": p.encode()}], p) for p in ("linux/amd64", "linux/arm64")]
    )
    name = layout.write(tmp_path / "layout", index) + ":latest"
    _skopeo("copy", "--all", name, f"dir:{tmp_path}/dir")
    verdict = check(f"dir:{tmp_path}/dir", digest_name(index))
    assert verdict.findings == ()
    assert len([c for c in verdict.components if c.kind == "oci-manifest"]) == 2


def _directory(path: Path) -> Descriptor:
    layout = Layout()
    image = layout.image()
    path.mkdir()
    for digest, data in layout.blobs.items():
        (path / digest.partition(":")[2]).write_bytes(data)
    (path / digest_name(image).partition(":")[2]).rename(path / "manifest.json")
    (path / "version").write_text("Directory Transport Version: 1.1\n")
    return image


@pytest.mark.parametrize(
    ("version", "exit_status"),
    [(None, 0), ("Directory Transport Version: 9.9\n", 1), ("", 1), ("1.1", 1)],
)
def test_the_version_of_a_directory(tmp_path: Path, version: str | None, exit_status: int) -> None:
    image = _directory(tmp_path / "dir")
    (tmp_path / "dir" / "version").unlink()
    if version is not None:
        (tmp_path / "dir" / "version").write_text(version)
    verdict = check(f"dir:{tmp_path}/dir", digest_name(image))
    assert verdict.exit_status == exit_status
    assert codes_of(verdict) == {"layout-version"}


def test_a_blob_of_a_directory_that_is_a_link_out_of_it(tmp_path: Path) -> None:
    image = _directory(tmp_path / "dir")
    [blob] = [p for p in (tmp_path / "dir").iterdir() if p.read_bytes().startswith(b"\x1f\x8b")]
    blob.rename(tmp_path / "elsewhere")
    blob.symlink_to("../elsewhere")
    assert "link-leads-outside" in codes_of(check(f"dir:{tmp_path}/dir", digest_name(image)))


def test_a_changed_file_of_a_directory_is_refused(tmp_path: Path) -> None:
    image = _directory(tmp_path / "dir")
    for path in (tmp_path / "dir").iterdir():
        if path.name == "version":
            continue
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert check(f"dir:{tmp_path}/dir", digest_name(image)).exit_status == 1
        path.write_bytes(data)
    assert check(f"dir:{tmp_path}/dir", digest_name(image)).exit_status == 0


def test_a_directory_that_is_two_images_at_once_is_refused(tmp_path: Path) -> None:
    _directory(tmp_path / "dir")
    Layout().write(tmp_path / "dir")
    verdict = check(f"{tmp_path}/dir")
    assert verdict.exit_status == 1
    assert codes_of(verdict) == {"ambiguous-format"}


def test_a_directory_holds_one_image(tmp_path: Path) -> None:
    _directory(tmp_path / "dir")
    with pytest.raises(UsageError):
        check(f"dir:{tmp_path}/dir:latest")


# what other programs write


def test_a_layout_of_umoci(tmp_path: Path) -> None:
    if shutil.which("umoci") is None:
        pytest.skip("umoci is not installed")
    root = tmp_path / "layout"
    for arguments in (
        ["init", "--layout", str(root)],
        ["new", "--image", f"{root}:one"],
        ["tag", "--image", f"{root}:one", "two"],
        ["config", "--image", f"{root}:two", "--author", "somebody"],
    ):
        subprocess.run(["umoci", *arguments], check=True, capture_output=True, timeout=60)
    names = [verdict.image for verdict in consistent(f"oci:{root}")]
    assert names == [f"oci:{root}:one", f"oci:{root}:two"]
    assert consistent(f"oci:{root}:two")[0].exit_status == 0


def test_layouts_of_other_projects() -> None:
    shared = Path("../shared/vectors/oci-layouts/layout/testdata")
    if not shared.exists():
        pytest.skip("no shared vectors")
    [verdict] = consistent(f"oci:{shared}/test_index_one_image")
    assert verdict.exit_status == 0
    # its descriptors and documents disagree on media types, which is what it is for
    assert {code for v in consistent(f"oci:{shared}/test_index") for code in codes_of(v)} == {
        "media-type-mismatch"
    }
    [verdict] = consistent(f"oci:{shared}/test_gc_image_unknown_mediatype")
    assert codes_of(verdict) == {"missing-component"}
