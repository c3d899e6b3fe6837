"""Two container images: by component, by value, by file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay import limits
from assay.model.reading import Options
from assay.sources.model import OpenOptions
from tests.compare.support import compared, differences, only, write_baseline
from tests.signatures.support import run, tool
from tests.support.images import Entry, Layout, folder, symlink, whiteout
from tests.support.registry import Registry, running

BASE = {"etc/hostname": b"assay", "bin/sh": os.urandom(100_000)}
APP = {"app/main": os.urandom(5000)}


def written(path: Path, *layers: Any, **fields: Any) -> str:
    """A layout with one image."""
    layout = Layout()
    return layout.write(path, layout.image(layers or (BASE, APP), **fields))


def test_a_copy_is_the_same(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a"), written(tmp_path / "b")
    found = compared(a, b)
    assert (found.outcome.value, found.exit_status) == ("same", 0)
    assert found.same_components == 4
    assert found.files == ()  # all layers are the same, and none was opened
    assert found.a.digest == found.b.digest


def test_other_compression_is_told_from_other_content(tmp_path: Path) -> None:
    a = written(tmp_path / "a", compression="gzip")
    for compression in ("zstd", ""):
        b = written(tmp_path / f"b{compression}", compression=compression)
        found = compared(a, b)
        assert found.exit_status == 1
        how = differences(found)
        assert how["layer[0]", "layer[0]"] == how["layer[1]", "layer[1]"] == "compression"
        assert how["manifest", "manifest"] == "values"
        assert ("config", "config") not in how
        assert "gzip in a" in found.components[-1].detail
        [files] = found.files
        assert (files.changed, files.added, files.removed) == (0, 0, 0)


def test_the_same_layers_in_another_order(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a", BASE, APP), written(tmp_path / "b", APP, BASE)
    how = differences(compared(a, b))
    assert "order" in how.values()
    assert "content" not in how.values()


def test_a_layer_that_came_in_between_shifts_no_other(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a", BASE, APP), written(tmp_path / "b", BASE, {"x": b"x"}, APP)
    found = compared(a, b)
    how = differences(found)
    assert how["", "layer[1]"] == "only-in-b"
    assert all("layer" not in pair[0] for pair in how)
    [files] = found.files
    assert [change.path for change in files.changes] == ["x"]
    back = differences(compared(b, a))
    assert back["layer[1]", ""] == "only-in-a"


def test_values_that_changed_are_named(tmp_path: Path) -> None:
    def environment(*words: str) -> Callable[[Any], object]:
        return lambda config: config["config"].update(Env=list(words), User="root")

    a = written(tmp_path / "a", config=environment("A=1", "B=2"))
    b = written(tmp_path / "b", config=environment("A=1", "X=9", "B=2"))
    found = compared(a, b)
    by_name = {item.b: item for item in found.components}
    assert set(by_name) == {"config", "manifest"}
    [change] = by_name["config"].values
    assert (change.path, change.a, change.b) == ("config.Env[1]", None, '"X=9"')
    assert by_name["manifest"].values == ()
    assert by_name["manifest"].detail == "only what it says of other components"


def test_annotations_are_named(tmp_path: Path) -> None:
    a = written(tmp_path / "a")
    b = written(
        tmp_path / "b", manifest=lambda it: it.update(annotations={"org.example.note": "x"})
    )
    difference = only(compared(a, b))
    [change] = difference.values
    assert (change.path, change.b) == ("annotations", '{"org.example.note": "x"}')
    c = written(
        tmp_path / "c", manifest=lambda it: it.update(annotations={"org.example.note": "y"})
    )
    [change] = only(compared(b, c)).values
    assert (change.path, change.a, change.b) == ('annotations["org.example.note"]', '"x"', '"y"')


def test_the_same_values_written_in_another_way(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([BASE])
    a = layout.write(tmp_path / "a", image)
    spaced = layout.put(layout.blobs[image["digest"]] + b"\n", image["mediaType"])
    difference = only(compared(a, layout.write(tmp_path / "b", spaced)))
    assert difference.detail == "the same values, written in another way"


def test_true_is_not_one(tmp_path: Path) -> None:
    a, b = (
        written(tmp_path / name, config=lambda it, value=value: it["config"].update(Tty=value))
        for name, value in (("a", True), ("b", 1))
    )
    values = [item.values for item in compared(a, b).components if item.b == "config"]
    assert [(change.path, change.a, change.b) for change in values[0]] == [
        ("config.Tty", "true", "1")
    ]


# files


def test_files_are_compared_as_a_runtime_would_see_them(tmp_path: Path) -> None:
    a = written(
        tmp_path / "a",
        [Entry("keep", b"1"), Entry("edit", b"old"), Entry("gone", b"x"), Entry("su", mode=0o4755)],
        [symlink("link", "keep"), Entry("own", user=1), Entry("turns", b"into a folder")],
    )
    b = written(
        tmp_path / "b",
        [Entry("keep", b"1"), Entry("edit", b"old"), Entry("gone", b"x"), Entry("su", mode=0o755)],
        [symlink("link", "edit"), Entry("own", user=2), folder("turns")],
        [Entry("edit", b"new"), whiteout("gone"), Entry("added", b"+")],
    )
    [files] = compared(a, b).files
    assert {change.path: change.changed for change in files.changes} == {
        "added": (),
        "edit": ("content",),
        "gone": (),
        "link": ("link",),
        "own": ("owner",),
        "su": ("mode",),
        "turns": ("kind",),
    }
    assert (files.same, files.added, files.removed, files.changed) == (1, 1, 1, 5)
    assert files.complete
    [files] = compared(a, b, limit=2).files
    assert len(files.changes) == 2
    assert (files.same, files.added, files.removed, files.changed) == (1, 1, 1, 5)


def test_the_same_files_in_other_layers_are_the_same_files(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a", BASE, APP), written(tmp_path / "b", {**BASE, **APP})
    found = compared(a, b)
    assert found.exit_status == 1
    [files] = found.files
    assert (files.added, files.removed, files.changed) == (0, 0, 0)


# damage


def test_a_damaged_copy_shows_where(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a"), written(tmp_path / "b")
    [layer] = [
        path for path in (tmp_path / "b/blobs/sha256").iterdir() if path.stat().st_size > 50_000
    ]
    data = bytearray(layer.read_bytes())
    data[40_000] ^= 1
    layer.write_bytes(data)
    found = compared(a, b)
    assert found.exit_status == 1
    difference = only(found)
    assert (difference.a, difference.b) == ("layer[0]", "layer[0]")
    assert difference.bytes is not None
    assert difference.bytes.ranges == ((40_000, 40_001),)
    assert "digest-mismatch" in {finding.code for finding in found.b.findings}
    assert found.a.findings == ()


def test_a_missing_blob_is_only_in_the_other(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a"), written(tmp_path / "b")
    largest = max((tmp_path / "b/blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    largest.unlink()
    found = compared(a, b)
    assert found.exit_status == 1
    assert differences(found)["layer[0]", ""] == "only-in-a"
    assert [skipped.component for skipped in found.not_compared] == ["layer[0]"]


def test_foreign_layers_on_both_sides_are_not_taken_for_the_same(tmp_path: Path) -> None:
    def without(path: Path) -> str:
        layout = Layout()
        image = layout.image([layout.layer(BASE, media_type=_FOREIGN), APP])
        del layout.blobs[layout.read(image)["layers"][0]["digest"]]
        return layout.write(path, image)

    found = compared(without(tmp_path / "a"), without(tmp_path / "b"))
    assert (found.outcome.value, found.exit_status) == ("unknown", 3)
    assert found.components == ()


_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"


# several platforms


def multi(path: Path, **arm: bytes) -> str:
    layout = Layout()
    index = layout.index(
        [layout.image([BASE]), layout.image([BASE, {"arm": b"1", **arm}], "linux/arm64")]
    )
    return layout.write(path, index)


def test_the_platform_that_differs_is_named(tmp_path: Path) -> None:
    a, b = multi(tmp_path / "a"), multi(tmp_path / "b", more=b"x")
    found = compared(a, b)
    assert {pair[1] for pair in differences(found)} == {
        "index",
        "linux/arm64/manifest",
        "linux/arm64/config",
        "linux/arm64/layer[1]/content",
    }
    only_amd = {
        "formats": Options(platform="linux/amd64"),
        "open": OpenOptions(platform="linux/amd64"),
    }
    found = compared(a, b, **only_amd)
    assert {pair[1] for pair in differences(found)} == {"index"}


def test_an_image_is_found_in_an_index(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([BASE, APP])
    alone = layout.write(tmp_path / "alone", image)
    index = layout.write(tmp_path / "index", layout.index([image]))
    for pair in ((alone, index), (index, alone)):
        found = compared(*pair)
        assert found.exit_status == 1
        assert set(differences(found).values()) <= {"only-in-a", "only-in-b"}
        assert found.same_components == 4


# transports and baselines


def push(server: Registry, layout: Layout, image: dict[str, Any], tag: str) -> str:
    manifest = layout.read(image)
    for descriptor in [manifest["config"], *manifest["layers"]]:
        server.blobs[descriptor["digest"]] = layout.blobs[descriptor["digest"]]
    server.push_manifest("app", layout.blobs[image["digest"]], tag)
    return f"docker://{server.host}/app:{tag}"


def test_bytes_that_two_images_of_a_repository_share_are_fetched_once(tmp_path: Path) -> None:
    layout = Layout()
    first, second = layout.image([BASE, APP]), layout.image([BASE, {"app/main": b"2"}])
    with running() as server:
        names = push(server, layout, first, "1"), push(server, layout, second, "2")
        found = compared(*names)
        assert found.exit_status == 1
        shared = layout.read(first)["layers"][0]["digest"]
        asked = [
            request.headers.get("Range")
            for request in server.requests
            if request.method == "GET" and request.path.endswith(shared)
        ]
        # both are looked into, and what follows is read for one of them
        assert asked.count(f"bytes={limits.REMOTE_HEAD}-") == 1
        assert None not in asked
        [files] = found.files
        assert {change.path: change.changed for change in files.changes} == {
            "app/main": ("content",)
        }
        local = layout.write(tmp_path / "local", first)
        assert compared(local, names[0]).exit_status == 0
        assert compared(names[1], local).exit_status == 1


def test_a_copy_by_another_tool_is_the_same(tmp_path: Path) -> None:
    a = written(tmp_path / "a")
    run(tool("skopeo"), "copy", "-q", f"{a}:latest", f"dir:{tmp_path / 'copy'}")
    assert compared(a, f"dir:{tmp_path / 'copy'}").exit_status == 0


def test_a_docker_archive_holds_the_same_content(tmp_path: Path) -> None:
    a = written(tmp_path / "a")
    archive = f"docker-archive:{tmp_path / 'image.tar'}"
    run(tool("skopeo"), "copy", "-q", f"{a}:latest", f"{archive}:app:latest")
    found = compared(a, archive)
    how = differences(found)
    assert how["layer[0]", "layer[0]"] == how["layer[1]", "layer[1]"] == "compression"
    [files] = found.files
    assert (files.added, files.removed, files.changed) == (0, 0, 0)


def test_a_layer_that_is_cut_off_by_the_registry_is_not_taken_for_the_same(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([BASE, APP])
    local = layout.write(tmp_path / "local", image)
    with running() as server:
        name = push(server, layout, image, "1")
        server.faults.truncated_blobs = 70_000
        found = compared(local, name)
        assert found.exit_status in (1, 3)
        assert found.same_components < 4


def test_a_baseline_of_an_image_stands_for_it(tmp_path: Path) -> None:
    a = written(tmp_path / "a")
    baseline = write_baseline(a, tmp_path / "a.json")
    assert compared(a, baseline).exit_status == 0
    b = written(tmp_path / "b", BASE, {"app/main": b"other"})
    for pair in ((baseline, b), (b, baseline)):
        found = compared(*pair)
        assert found.exit_status == 1
        assert found.files == ()
        assert "layer[1]" in {item.a.partition("/")[0] for item in found.components}
        assert found.same_components == 1


@pytest.mark.parametrize("first", [True, False])
def test_a_file_against_an_image(tmp_path: Path, first: bool) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(b"x")
    names = [str(path), written(tmp_path / "a")]
    found = compared(*(names if first else reversed(names)))
    assert found.exit_status == 1
    assert set(differences(found).values()) == {"only-in-a", "only-in-b"}
