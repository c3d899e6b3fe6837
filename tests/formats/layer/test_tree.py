"""Layers on one another: whiteouts, replacements, links, and the same answer as umoci's."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.formats.layer.tree import RootTree
from assay.formats.oci.flatten import file_indexes
from assay.model.files import FileEntry, FileIndex, FileKind
from assay.model.reading import Options
from assay.pipeline import VerifyOptions, examine
from assay.trust.anchors import Trust
from tests.formats.layer.support import record
from tests.support.images import Entry, Layout, folder, hard_link, opaque, symlink, whiteout

needs_umoci = pytest.mark.skipif(
    shutil.which("umoci") is None or os.geteuid() != 0, reason="needs umoci, as root"
)


def flatten(*layers: Sequence[Entry]) -> tuple[dict[str, FileEntry], RootTree]:
    tree = RootTree()
    for number, layer in enumerate(layers):
        tree.apply(f"layer[{number}]", record(list(layer)))
    return {entry.path: entry for entry in tree.files()}, tree


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def indexes_of(name: str) -> list[FileIndex]:
    [examined] = examine(name, VerifyOptions(Trust(), formats=Options(files=True)))
    assert examined.gathered is not None
    assert examined.facts is not None
    return file_indexes(examined.gathered.reading, examined.facts)


def test_a_file_is_listed_with_all_that_is_known_of_it() -> None:
    files, tree = flatten([Entry("./bin/su", b"su", mode=0o4755, user=1, group=2)])
    assert files == {
        "bin/su": FileEntry("bin/su", FileKind.FILE, "layer[0]", 0o4755, 1, 2, 2, digest_of(b"su"))
    }
    assert tree.complete
    assert tree.findings() == []


def test_the_last_layer_wins() -> None:
    files, _ = flatten([Entry("a", b"1"), Entry("b", b"1")], [Entry("a", b"2")])
    assert files["a"].digest == digest_of(b"2")
    assert files["a"].layer == "layer[1]"
    assert files["b"].layer == "layer[0]"


def test_the_last_of_two_entries_of_one_layer_wins() -> None:
    files, _ = flatten([Entry("a", b"1"), Entry("a", b"2")])
    assert files["a"].digest == digest_of(b"2")


def test_a_whiteout_removes_a_file_or_a_whole_directory() -> None:
    files, _ = flatten(
        [Entry("a"), folder("d"), Entry("d/b"), Entry("d/e/c"), Entry("d2/x")],
        [whiteout("a"), whiteout("d")],
    )
    assert set(files) == {"d2/x"}


def test_a_whiteout_of_nothing_does_nothing() -> None:
    files, _ = flatten([Entry("a")], [whiteout("b"), whiteout("x/y"), whiteout("a/b")])
    assert set(files) == {"a"}


def test_an_opaque_mark_hides_what_is_below_and_not_what_is_beside_it() -> None:
    lower = [folder("d", 0o700), Entry("d/old"), Entry("d/e/old"), Entry("other")]
    for upper in (
        [opaque("d"), Entry("d/new")],
        [Entry("d/new"), opaque("d")],
        [folder("d", 0o700), Entry("d/new"), opaque("d")],
    ):
        files, _ = flatten(lower, upper)
        assert set(files) == {"d", "d/new", "other"}
        assert files["d"].mode == 0o700


def test_an_opaque_mark_at_the_top() -> None:
    files, _ = flatten([Entry("a"), Entry("d/b")], [Entry(".wh..wh..opq"), Entry("new")])
    assert set(files) == {"new"}


def test_a_whiteout_never_hides_what_its_own_layer_has() -> None:
    files, _ = flatten([Entry("a", b"1")], [Entry("a", b"2"), whiteout("a")])
    assert files["a"].digest == digest_of(b"2")


def test_a_directory_keeps_what_is_in_it_and_anything_else_does_not() -> None:
    lower = [folder("d"), Entry("d/a")]
    assert set(flatten(lower, [folder("d", 0o700)])[0]) == {"d", "d/a"}
    assert set(flatten(lower, [Entry("d")])[0]) == {"d"}
    assert set(flatten(lower, [symlink("d", "e")])[0]) == {"d"}
    assert set(flatten([Entry("d")], [folder("d"), Entry("d/a")])[0]) == {"d", "d/a"}


def test_a_hard_link_is_the_file_that_it_names() -> None:
    files, _ = flatten(
        [Entry("a", b"data", mode=0o755), Entry("z")], [hard_link("b", "a"), hard_link("c", "./b")]
    )
    for name, target in (("b", "a"), ("c", "./b")):
        assert files[name].digest == digest_of(b"data")
        assert files[name].mode == 0o755
        assert files[name].size == 4
        assert files[name].hard_link == target
        assert files[name].kind is FileKind.FILE


def test_a_hard_link_to_nothing_is_said_to_be_one() -> None:
    files, tree = flatten([hard_link("b", "a"), hard_link("c", "../a")])
    assert files["b"].kind is FileKind.OTHER
    assert files["b"].digest == ""
    assert {finding.code for finding in tree.findings()} == {"layer-path-unclean"}


def test_a_path_through_a_link_of_a_lower_layer_is_said_to_be_uncertain() -> None:
    files, tree = flatten([symlink("run", "/var/run")], [Entry("run/pid", b"1")])
    assert set(files) == {"run/pid"}
    assert {finding.code for finding in tree.findings()} == {"layer-entry-through-link"}


def test_links_devices_and_sparse_files() -> None:
    files, _ = flatten(
        [
            symlink("l", "../a"),
            Entry("n", kind=tarfile.CHRTYPE, device=(1, 3)),
            Entry("p", kind=tarfile.FIFOTYPE),
            Entry("s", b"x", records={"GNU.sparse.major": "1"}),
        ]
    )
    assert files["l"].kind is FileKind.SYMBOLIC_LINK
    assert files["l"].link == "../a"
    assert files["n"].device == (1, 3)
    assert files["p"].kind is FileKind.FIFO
    assert files["s"].digest == ""


def test_names_outside_of_the_root_are_not_listed() -> None:
    files, _ = flatten([Entry("../x"), Entry("a")])
    assert set(files) == {"a"}


def test_more_files_than_the_limit_make_the_list_incomplete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "LAYER_FILES", 5)
    layer = record([Entry(str(number)) for number in range(9)])
    assert not layer.complete
    assert len(layer.files) == 5
    tree = RootTree(most=5)
    tree.apply("layer", record([Entry(f"a/b{number}/c") for number in range(5)]))
    assert not tree.complete
    assert "limit-exceeded" in {finding.code for finding in tree.findings()}


def test_each_platform_of_an_index_has_its_files(tmp_path: Path) -> None:
    layout = Layout()
    shared = layout.layer({"etc/os": b"linux"})
    images = [
        layout.image([shared, {"bin/app": platform.encode()}], platform)
        for platform in ("linux/amd64", "linux/arm64")
    ]
    found = indexes_of(layout.write(tmp_path / "image", layout.index(images)))
    assert [index.image for index in found] == ["linux/amd64/manifest", "linux/arm64/manifest"]
    assert [[entry.digest for entry in index.files] for index in found] == [
        [digest_of(b"linux/amd64"), digest_of(b"linux")],
        [digest_of(b"linux/arm64"), digest_of(b"linux")],
    ]
    assert found[1].files[0].layer == "linux/arm64/layer[1]/content"
    assert all(index.complete for index in found)


def test_a_damaged_layer_makes_the_list_incomplete(tmp_path: Path) -> None:
    layout = Layout()
    good, bad = layout.layer({"a": b"1"}), layout.layer({"b": b"2" * 3000})
    image = layout.image([good, bad])
    layout.blobs[bad.descriptor["digest"]] = layout.blobs[bad.descriptor["digest"]][:40]
    [index] = indexes_of(layout.write(tmp_path / "image", image))
    assert not index.complete
    assert [entry.path for entry in index.files] == ["a"]


def test_a_layer_kept_elsewhere_makes_the_list_incomplete(tmp_path: Path) -> None:
    layout = Layout()
    foreign = layout.layer(
        {"b": b"2"}, media_type="application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    )
    image = layout.image([{"a": b"1"}, foreign])
    del layout.blobs[foreign.descriptor["digest"]]
    [index] = indexes_of(layout.write(tmp_path / "image", image))
    assert not index.complete
    assert [entry.path for entry in index.files] == ["a"]


# the same as umoci

_PARTS = st.sampled_from(["a", "b", "c"])
_PATHS = st.lists(_PARTS, min_size=1, max_size=3).map("/".join)


@st.composite
def _layers(draw: st.DrawFn) -> list[list[Entry]]:
    """Layers as a builder would write them: no entry below a link or a file of any layer."""
    layers: list[list[Entry]] = []
    kinds: dict[str, str] = {}
    for number in range(draw(st.integers(1, 4))):
        layer: list[Entry] = []
        hidden = draw(st.lists(_PATHS, max_size=2, unique=True))
        for path in hidden:
            if path in kinds and all(_is_directory(kinds, above) for above in _above(path)):
                layer.append(whiteout(path))
                kinds = {
                    p: k for p, k in kinds.items() if p != path and not p.startswith(path + "/")
                }
        new: set[str] = set()
        for path in draw(st.lists(_PATHS, max_size=5, unique=True)):
            if f".wh.{path}" in {entry.name for entry in layer} or path in new:
                continue
            if any(not _is_directory(kinds, above) for above in _above(path)):
                continue
            for above in _above(path):
                if above not in new:
                    layer.append(folder(above))
                    kinds[above] = "directory"
                    new.add(above)
            kind = draw(st.sampled_from(["file", "directory", "link"]))
            if kind == "directory":
                if kinds.get(path, "directory") != "directory":
                    continue
                layer.append(folder(path, 0o700))
            else:
                kinds = {p: k for p, k in kinds.items() if not p.startswith(path + "/")}
                if any(p.startswith(path + "/") for p in new):
                    continue
                layer.append(
                    Entry(path, f"{number} {path}".encode())
                    if kind == "file"
                    else symlink(path, "/nowhere")
                )
            kinds[path] = kind
            new.add(path)
        layers.append(layer)
    return layers


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]


def _is_directory(kinds: dict[str, str], path: str) -> bool:
    return kinds.get(path, "directory") == "directory"


def _unpacked(name: str, folder_: Path) -> dict[str, tuple[str, str]]:
    """What umoci makes of an image: path to kind and content."""
    shutil.rmtree(folder_, ignore_errors=True)
    image = name.removeprefix("oci:") + ":latest"
    subprocess.run(
        ["umoci", "unpack", "--image", image, str(folder_)], check=True, capture_output=True
    )
    found: dict[str, tuple[str, str]] = {}
    root = folder_ / "rootfs"
    for path in sorted(root.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            value = ("symbolic link", str(path.readlink()))
        elif stat.S_ISDIR(mode):
            value = ("directory", "")
        else:
            value = ("file", digest_of(path.read_bytes()))
        found[str(path.relative_to(root))] = value
    return found


@needs_umoci
@settings(max_examples=25, deadline=None)
@given(layers=_layers())
def test_the_same_files_as_umoci_unpacks(
    layers: list[list[Entry]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("image")
    layout = Layout()
    name = layout.write(path / "layout", layout.image(list(layers)))
    [index] = indexes_of(name)
    ours = {entry.path: (entry.kind.value, entry.link or entry.digest) for entry in index.files}
    assert ours == _unpacked(name, path / "bundle")


@needs_umoci
def test_the_same_files_as_umoci_unpacks_of_a_real_tree(tmp_path: Path) -> None:
    source = Path("/usr/share/perl5")
    if not source.is_dir():
        source = Path(os.__file__).parent / "email"
    image = f"{tmp_path / 'layout'}:latest"
    for command in (
        ["umoci", "init", "--layout", str(tmp_path / "layout")],
        ["umoci", "new", "--image", image],
        ["umoci", "insert", "--image", image, str(source), "/usr/share/data"],
        ["umoci", "insert", "--image", image, str(Path(__file__).parent), "/tests"],
        ["umoci", "insert", "--image", image, "--opaque", str(Path(__file__).parent), "/usr/share"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    name = f"oci:{tmp_path / 'layout'}"
    [index] = indexes_of(name)
    ours = {entry.path: (entry.kind.value, entry.link or entry.digest) for entry in index.files}
    theirs = _unpacked(name, tmp_path / "bundle")
    listed = {path: value for path, value in theirs.items() if path in ours}
    assert ours == listed
    # directories that no layer lists are made by whoever unpacks, and have no entry here
    assert {value for path, value in theirs.items() if path not in ours} <= {("directory", "")}
