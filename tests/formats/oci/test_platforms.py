"""Platforms: promised by the index, stated by the configuration, asked for by the user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.formats.oci.platforms import Platform
from assay.model.finding import Severity
from tests.formats.oci.support import finding, good, odd, verdict_on
from tests.support.images import Descriptor, Document, Layout, platform_of

ERROR = Severity.ERROR


def one(layout: Layout, promised: Document | None, stated: Document) -> Descriptor:
    """An index of one image with a platform in the index, and one in the configuration."""

    def change(document: Document) -> None:
        for key in ("os", "architecture", "variant"):
            document.pop(key, None)
        document.update(stated)

    image = layout.image(config=change)
    image.pop("platform")
    return layout.index([image | ({"platform": promised} if promised is not None else {})])


ARM64: Document = {"os": "linux", "architecture": "arm64"}
WINDOWS: Document = {"os": "windows", "architecture": "amd64"}


@pytest.mark.parametrize(
    ("promised", "stated"),
    [
        (ARM64, ARM64),
        (ARM64 | {"variant": "v8"}, ARM64),
        (ARM64, ARM64 | {"variant": "v8"}),
        (platform_of("linux/arm/v7"), platform_of("linux/arm")),
        (platform_of("linux/arm/v6"), platform_of("linux/arm/v6")),
        (None, ARM64),
        (ARM64, {}),
        (WINDOWS | {"os.version": "10.0.1"}, WINDOWS | {"os.version": "10.0.1"}),
        (WINDOWS | {"os.features": ["b", "a"]}, WINDOWS | {"os.features": ["a", "b"]}),
        (WINDOWS | {"os.version": "10.0.1"}, WINDOWS),
    ],
)
def test_platforms_that_agree(tmp_path: Path, promised: Any, stated: Any) -> None:
    layout = Layout()
    good(verdict_on(layout, one(layout, promised, stated), tmp_path))


@pytest.mark.parametrize(
    ("promised", "stated", "what"),
    [
        (ARM64, platform_of("linux/amd64"), "architecture"),
        (ARM64, platform_of("freebsd/arm64"), "os"),
        (platform_of("linux/arm/v7"), platform_of("linux/arm/v6"), "variant"),
        (platform_of("linux/arm64/v8"), platform_of("linux/arm64/v9"), "variant"),
        (WINDOWS | {"os.version": "10.0.1"}, WINDOWS | {"os.version": "10.0.2"}, "os.version"),
        (WINDOWS | {"os.features": ["a"]}, WINDOWS | {"os.features": ["a", "b"]}, "os.features"),
    ],
)
def test_one_platform_offered_under_anothers_name(
    tmp_path: Path, promised: Any, stated: Any, what: str
) -> None:
    layout = Layout()
    verdict = verdict_on(layout, one(layout, promised, stated), tmp_path)
    assert odd(verdict) == {"platform-mismatch": ERROR}
    assert finding(verdict, "platform-mismatch").detail.startswith(f"{what} is")
    assert verdict.exit_status == 1


def test_two_images_for_one_platform_are_a_remark(tmp_path: Path) -> None:
    layout = Layout()
    images = [layout.image([{"a": b"1"}]), layout.image([{"a": b"1"}], compression="zstd")]
    verdict = verdict_on(layout, layout.index(images), tmp_path)
    good(verdict)
    assert finding(verdict, "ambiguous-platform").severity is Severity.INFO


# --platform


def several(layout: Layout) -> Descriptor:
    names = ("linux/amd64", "linux/arm64/v8", "linux/arm/v7", "linux/arm/v6")
    return layout.index([layout.image([{"a": name.encode()}], name) for name in names])


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("linux/amd64", ["linux/amd64"]),
        ("linux/arm64", ["linux/arm64/v8"]),
        ("linux/arm64/v8", ["linux/arm64/v8"]),
        ("linux/arm", ["linux/arm/v7", "linux/arm/v6"]),
        ("linux/arm/v6", ["linux/arm/v6"]),
    ],
)
def test_a_platform_narrows_what_is_checked_and_the_rest_is_listed(
    tmp_path: Path, asked: str, read: list[str]
) -> None:
    layout = Layout()
    verdict = verdict_on(layout, several(layout), tmp_path, platform=asked)
    assert odd(verdict) == {}
    assert verdict.exit_status == 0
    manifests = [c.id for c in verdict.components if c.kind == "oci-manifest"]
    assert manifests == [f"{name}/manifest" for name in read]
    assert len(verdict.not_checked) == 4 - len(read)
    skipped = verdict.not_checked[0]
    assert skipped.reason == f"outside --platform {asked}"


def test_what_is_left_out_is_counted_with_its_layers(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([{"a": b"x" * 5000}], "linux/arm64", compression="")
    index = layout.index([layout.image(), image])
    verdict = verdict_on(layout, index, tmp_path, platform="linux/amd64")
    manifest = layout.read(image)
    total = image["size"] + manifest["config"]["size"] + manifest["layers"][0]["size"]
    [skipped] = verdict.not_checked
    assert (skipped.component, skipped.size) == ("linux/arm64", total)


def test_sizes_of_what_is_left_out_are_only_ever_counts(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image(
        platform="linux/arm64",
        manifest=lambda document: document["layers"][0].update(size=[2**70]),
    )
    broken = layout.put(b"{", image["mediaType"], platform=platform_of("linux/s390x"))
    large = layout.image(
        platform="linux/arm",
        manifest=lambda document: document["layers"][0].update(size=10**30),
    )
    index = layout.index([layout.image(), image, broken, large])
    verdict = verdict_on(layout, index, tmp_path, platform="linux/amd64")
    assert len(verdict.not_checked) == 3
    assert all(isinstance(skipped.size, int) for skipped in verdict.not_checked)


def test_an_entry_that_states_no_platform_is_opened_to_see(tmp_path: Path) -> None:
    layout = Layout()
    images = [layout.image([{"a": name.encode()}], name) for name in ("linux/amd64", "linux/arm64")]
    for image in images:
        image.pop("platform")
    verdict = verdict_on(layout, layout.index(images), tmp_path, platform="linux/arm64")
    assert odd(verdict) == {}
    assert [skipped.component for skipped in verdict.not_checked] == ["manifests[0]/layer[0]"]
    read = [component.id for component in verdict.components if component.kind == "oci-layer"]
    assert read == ["manifests[1]/layer[0]"]


def test_a_single_image_of_another_platform(tmp_path: Path) -> None:
    layout = Layout()
    verdict = verdict_on(layout, layout.image(), tmp_path, platform="linux/arm64")
    assert odd(verdict)["no-such-platform"] is ERROR
    assert finding(verdict, "no-such-platform").actual == "linux/amd64"
    assert verdict.exit_status == 3


def test_a_platform_that_an_index_does_not_have(tmp_path: Path) -> None:
    layout = Layout()
    verdict = verdict_on(layout, several(layout), tmp_path, platform="plan9/mips")
    missing = finding(verdict, "no-such-platform")
    assert missing.expected == "plan9/mips"
    assert missing.actual == "linux/amd64, linux/arm64/v8, linux/arm/v7, linux/arm/v6"
    assert verdict.exit_status == 3


def test_a_platform_within_nested_indexes(tmp_path: Path) -> None:
    layout = Layout()
    index = layout.index([several(layout)])
    verdict = verdict_on(layout, index, tmp_path, platform="linux/amd64")
    assert odd(verdict) == {}
    assert verdict.exit_status == 0


def test_the_parts_of_a_platform() -> None:
    assert Platform.asked("linux/arm/v7") == Platform("linux", "arm", "v7")
    assert Platform.asked("linux") == Platform("linux")
    assert Platform.read({"os": 1, "architecture": None, "os.features": "x"}) == Platform()
    assert Platform("linux", "arm", "v7").name == "linux/arm/v7"
