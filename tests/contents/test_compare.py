"""What SBOMs list against what layers hold: missing, altered and extra entries, and the share of
files accounted for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay import limits
from assay.appraisal.case import BuiltInRule
from assay.contents.options import ContentOptions
from assay.model.contents import ContentAccount
from assay.model.finding import Finding, Severity, UsageError
from assay.model.reading import Options
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.support import sboms
from tests.support.images import Content, Entry, Layout, hard_link, symlink, whiteout

TOOL = {"usr/bin/tool": b"tool", "usr/lib/tool.so": b"library"}
DEBIAN = {**TOOL, **sboms.dpkg({("tool", "1:2-3"): TOOL})}
PURL = "pkg:deb/debian/tool@1%3A2-3?arch=amd64"
LISTED = [("tool", "1:2-3", PURL)]


def image_of(folder: Path, *layers: Content) -> str:
    layout = Layout()
    return layout.write(folder / "image", layout.image(list(layers)))


def judged(
    folder: Path,
    layers: list[Content],
    *documents: bytes | dict[str, Any],
    name: str = "",
    platform: str = "",
    **asked: Any,
) -> Verdict:
    """The verdict on an image, compared with SBOMs that are given."""
    paths = [
        sboms.write(folder, document, f"sbom{number}") for number, document in enumerate(documents)
    ]
    options = VerifyOptions(
        Trust(),
        rule=BuiltInRule(self_consistent=True),
        contents=ContentOptions(tuple(paths), **asked),
        formats=Options(platform=platform),
    )
    [verdict] = verify(name or image_of(folder, *layers), options)
    return verdict


def account_of(verdict: Verdict) -> ContentAccount:
    [account] = verdict.contents
    return account


def told(verdict: Verdict, code: str) -> list[Finding]:
    return [finding for finding in verdict.findings if finding.code == code]


def worst(verdict: Verdict) -> dict[str, Severity]:
    """The codes of findings about contents, with their severities."""
    return {
        finding.code: finding.severity
        for finding in reversed(verdict.findings)
        if finding.code.startswith(("sbom", "package")) and finding.severity is not Severity.INFO
    }


# files


@pytest.mark.parametrize("name", list(sboms.every_format()))
def test_an_image_that_is_as_its_sbom_says(tmp_path: Path, name: str) -> None:
    document = sboms.every_format(LISTED, {f"/{path}": data for path, data in TOOL.items()})[name]
    verdict = judged(tmp_path, [DEBIAN], document)
    assert verdict.exit_status == 0
    assert worst(verdict) == {}
    account = account_of(verdict)
    assert (account.files.by_digest, account.files.by_ownership) == (2, 2)
    assert account.packages_installed == account.packages_listed == 1
    [report] = account.sboms
    assert (report.source, report.files.matched, report.packages.matched) == ("given", 2, 1)


@pytest.mark.parametrize("name", list(sboms.every_format()))
def test_a_file_with_another_content_is_an_error(tmp_path: Path, name: str) -> None:
    document = sboms.every_format((), {"/usr/bin/tool": b"other"})[name]
    verdict = judged(tmp_path, [DEBIAN], document)
    assert verdict.exit_status == 1
    [finding] = told(verdict, "sbom-entry-altered")
    assert finding.component == "layer[0]/content"
    assert "usr/bin/tool" in finding.detail
    assert finding.expected != finding.actual


@pytest.mark.parametrize("name", list(sboms.every_format()))
def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, name: str) -> None:
    document = sboms.every_format((), {"/usr/bin/gone": b"other"})[name]
    verdict = judged(tmp_path, [DEBIAN, [whiteout("usr/bin/gone")]], document)
    assert worst(verdict)["sbom-entry-missing"] is Severity.ERROR
    assert verdict.exit_status == 1


def test_a_file_that_a_later_layer_removed_is_missing(tmp_path: Path) -> None:
    layers: list[Content] = [DEBIAN, [whiteout("usr/bin/tool")]]
    verdict = judged(tmp_path, layers, sboms.spdx((), {"usr/bin/tool": b"tool"}))
    assert worst(verdict) == {"sbom-entry-missing": Severity.ERROR}


def test_all_digests_of_an_entry_have_to_be_right(tmp_path: Path) -> None:
    document = sboms.spdx((), {"usr/bin/tool": b"tool"})
    document["files"][0]["checksums"][1]["checksumValue"] = "12" * 32
    verdict = judged(tmp_path, [DEBIAN], document)
    [finding] = told(verdict, "sbom-entry-altered")
    assert finding.expected == "sha256:" + "12" * 32


def test_two_entries_of_one_file_that_contradict_each_other(tmp_path: Path) -> None:
    document = sboms.spdx((), {"usr/bin/tool": b"tool", "./usr/bin/tool": b"evil"})
    verdict = judged(tmp_path, [DEBIAN], document)
    assert account_of(verdict).sboms[0].files.matched == 1
    assert worst(verdict) == {"sbom-entry-altered": Severity.ERROR}


@pytest.mark.parametrize("path", ["../usr/bin/tool", "usr/../../usr/bin/tool", "..", "/", "usr"])
def test_paths_that_climb_out_or_name_no_file(tmp_path: Path, path: str) -> None:
    verdict = judged(tmp_path, [DEBIAN], sboms.spdx((), {path: b"tool"}))
    assert worst(verdict) == {"sbom-entry-missing": Severity.ERROR}


def test_paths_are_followed_through_links(tmp_path: Path) -> None:
    layer = [symlink("bin", "usr/bin"), Entry("usr/bin/tool", b"tool"), hard_link("t", "bin/tool")]
    layer[2] = hard_link("t", "usr/bin/tool")
    verdict = judged(tmp_path, [layer], sboms.spdx((), {"/bin/tool": b"tool", "t": b"tool"}))
    assert verdict.exit_status == 0
    assert account_of(verdict).files.fraction == 1


def test_a_hard_link_that_is_not_found_is_a_file_that_nothing_accounts_for(tmp_path: Path) -> None:
    """Some runtimes follow symbolic links on the way to what it names."""
    layer = [symlink("bin", "usr/bin"), Entry("usr/bin/tool", b"tool"), hard_link("t", "bin/tool")]
    files = account_of(judged(tmp_path, [layer], sboms.spdx((), {"usr/bin/tool": b"tool"}))).files
    assert (files.total, files.accounted) == (2, 1)


def test_weak_digests_are_counted_apart(tmp_path: Path) -> None:
    document = sboms.spdx((), TOOL)
    for file in document["files"]:
        del file["checksums"][1]
    files = account_of(judged(tmp_path, [TOOL], document)).files
    assert (files.by_digest, files.weak) == (2, 2)


def test_an_entry_without_a_digest_accounts_for_nothing(tmp_path: Path) -> None:
    document = sboms.spdx((), TOOL)
    for file in document["files"]:
        file["checksums"] = []
    account = account_of(judged(tmp_path, [TOOL], document))
    assert account.sboms[0].files.not_compared == 2
    assert account.files.accounted == 0


# packages


@pytest.mark.parametrize(
    ("name", "version", "purl"),
    [
        ("tool", "1:2-3", PURL),
        ("tool", "2-3", "pkg:deb/debian/tool@2-3?epoch=1"),
        ("tool", "1:2-3", "pkg:deb/ubuntu/tool"),
        ("TOOL", "1:2-3", ""),
        ("tool-src", "1.0", "pkg:deb/debian/tool-src@1.0?arch=source"),
    ],
)
def test_names_under_which_a_package_is_found(
    tmp_path: Path, name: str, version: str, purl: str
) -> None:
    verdict = judged(tmp_path, [DEBIAN], sboms.spdx([(name, version, purl)]))
    assert account_of(verdict).sboms[0].packages.matched == 1
    assert verdict.exit_status == 0


def test_a_package_of_another_version_is_altered(tmp_path: Path) -> None:
    purl = "pkg:deb/debian/tool@1%3A2-2"
    verdict = judged(tmp_path, [DEBIAN], sboms.spdx([("tool", "1:2-2", purl)]))
    [finding] = told(verdict, "sbom-entry-altered")
    assert (finding.expected, finding.actual) == ("1:2-2", "1:2-3")
    assert verdict.exit_status == 1
    assert account_of(verdict).files.accounted == 0


def test_a_package_that_is_not_installed_is_missing(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [DEBIAN], sboms.spdx([("ghost", "1", "pkg:deb/debian/ghost@1")]))
    assert worst(verdict)["sbom-entry-missing"] is Severity.ERROR


def test_a_language_package_without_a_manifest_is_a_warning(tmp_path: Path) -> None:
    """It may be part of a program."""
    verdict = judged(tmp_path, [DEBIAN], sboms.spdx([*LISTED, ("x", "1", "pkg:npm/x@1")]))
    assert worst(verdict) == {"sbom-entry-missing": Severity.WARNING}


def test_what_no_reader_knows_is_not_compared(tmp_path: Path) -> None:
    listed = [*LISTED, ("x", "1", "pkg:cargo/x@1"), ("y", "2", "")]
    verdict = judged(tmp_path, [DEBIAN], sboms.spdx(listed))
    assert worst(verdict) == {}
    assert account_of(verdict).sboms[0].packages.not_compared == 2


def test_an_installed_package_that_nobody_lists_is_extra(tmp_path: Path) -> None:
    layer = sboms.dpkg({("tool", "1:2-3"): {}, ("miner", "6-6"): {}})
    verdict = judged(tmp_path, [layer], sboms.spdx(LISTED))
    [finding] = told(verdict, "sbom-entry-extra")
    assert "miner" in finding.detail
    assert verdict.exit_status == 0
    assert account_of(verdict).packages_listed == 1


def test_two_sboms_together_list_all(tmp_path: Path) -> None:
    layer = sboms.dpkg({("tool", "1:2-3"): {}, ("b", "1"): {}})
    other = sboms.cyclonedx([("b", "1", "pkg:deb/debian/b@1")])
    verdict = judged(tmp_path, [layer], sboms.spdx(LISTED), other)
    assert worst(verdict) == {}
    assert account_of(verdict).packages_listed == 2


PYTHON = sboms.dist_info("Some.Tool", "1.0", {"tool.py": b"x"})
ELSEWHERE: list[tuple[str, Content, tuple[str, str, str]]] = [
    (
        "apk",
        {**TOOL, "lib/apk/db/installed": sboms.apk({("tool", "1-r0"): TOOL})},
        ("tool", "1-r0", "pkg:apk/alpine/tool@1-r0"),
    ),
    (
        "rpm",
        {
            **TOOL,
            "var/lib/rpm/rpmdb.sqlite": sboms.rpm(
                [
                    sboms.rpm_header("tool", "1-2", TOOL, epoch=2),
                    sboms.rpm_header("gpg-pubkey", "aa-bb", {}),
                ]
            ),
        },
        ("tool", "2:1-2", "pkg:rpm/fedora/tool@1-2?epoch=2"),
    ),
    ("pypi", {**PYTHON}, ("some-tool", "1.0", "pkg:pypi/some-tool@1.0")),
    (
        "npm",
        {"node_modules/@a/b/package.json": b'{"name": "@a/b", "version": "1"}'},
        ("b", "1", "pkg:npm/%40a/b@1"),
    ),
    (
        "maven",
        {"app.jar": sboms.jar("org.a", "b", "1")},
        ("b", "1", "pkg:maven/org.a/b@1"),
    ),
    ("gem", {"g/specifications/rake-13.0.gemspec": b""}, ("rake", "13.0", "pkg:gem/rake@13.0")),
    (
        "golang",
        [Entry("bin/app", sboms.go_program([("example.org/App", "(devel)")]), mode=0o755)],
        ("app", "v1.2", "pkg:golang/example.org/app@v1.2"),
    ),
]


@pytest.mark.parametrize(
    ("layer", "listed"),
    [(layer, listed) for _, layer, listed in ELSEWHERE],
    ids=[kind for kind, _, _ in ELSEWHERE],
)
def test_packages_of_every_kind_are_found(
    tmp_path: Path, layer: Content, listed: tuple[str, str, str]
) -> None:
    verdict = judged(tmp_path, [layer], sboms.cyclonedx([listed]))
    account = account_of(verdict)
    assert worst(verdict) == {}
    assert account.sboms[0].packages.matched == 1
    assert account.packages_installed == account.packages_listed == 1
    assert account.files.accounted > 0


# files of packages


def test_files_are_accounted_for_by_their_packages(tmp_path: Path) -> None:
    files = account_of(judged(tmp_path, [DEBIAN], sboms.spdx(LISTED))).files
    assert (files.total, files.by_checksum, files.by_ownership, files.weak) == (5, 2, 2, 2)
    assert files.fraction == 4 / 5


def test_a_package_that_no_sbom_lists_accounts_for_nothing(tmp_path: Path) -> None:
    files = account_of(judged(tmp_path, [DEBIAN], sboms.spdx())).files
    assert files.accounted == 0


def test_a_file_replaced_in_a_later_layer_is_told(tmp_path: Path) -> None:
    """What a derived image does to what a trusted base image brought."""
    verdict = judged(tmp_path, [DEBIAN, {"usr/bin/tool": b"evil"}], sboms.spdx(LISTED))
    [finding] = told(verdict, "package-file-altered")
    assert finding.component == "layer[1]/content"
    assert "the database is in layer[0]/content" in finding.detail
    assert account_of(verdict).files.by_checksum == 1


def test_changed_configuration_is_no_alteration(tmp_path: Path) -> None:
    layer = {**DEBIAN, "etc/tool.conf": b"changed"}
    layer["var/lib/dpkg/status"] += b"Conffiles:\n /etc/tool.conf " + b"0" * 32 + b"\n"
    verdict = judged(tmp_path, [layer], sboms.spdx(LISTED))
    assert worst(verdict) == {}
    assert account_of(verdict).files.accounted == 4


def test_a_database_that_claims_everything_only_owns_it(tmp_path: Path) -> None:
    """Its list names a file that is not in its checksums: that shows in the figures."""
    layer = {**DEBIAN, "opt/miner": b"evil"}
    layer["var/lib/dpkg/info/tool.list"] += b"/opt/miner\n"
    files = account_of(judged(tmp_path, [layer], sboms.spdx(LISTED))).files
    assert (files.by_checksum, files.by_ownership) == (2, 3)


def test_one_right_checksum_of_two_packages_is_enough(tmp_path: Path) -> None:
    layer = {
        **TOOL,
        **sboms.dpkg({("tool", "1:2-3"): {"usr/bin/tool": b"older"}, ("newer", "1"): TOOL}),
    }
    verdict = judged(tmp_path, [layer], sboms.spdx([*LISTED, ("newer", "1", "")]))
    assert not told(verdict, "package-file-altered")


# what is asked


def test_a_share_that_is_reached(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [TOOL], sboms.spdx((), TOOL), coverage=1.0)
    assert verdict.exit_status == 0


def test_a_share_that_is_not_reached(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [{**TOOL, "opt/x": b"x"}], sboms.spdx((), TOOL), coverage=0.7)
    assert verdict.exit_status == 1
    [finding] = told(verdict, "sbom-coverage-low")
    assert "opt/x" in finding.detail
    assert finding.actual == "66.67 %"


def test_a_share_of_nothing_at_all(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [TOOL], coverage=0.1)
    assert worst(verdict) == {"sbom-coverage-low": Severity.ERROR}


def test_an_sbom_that_is_given_is_not_signed(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [DEBIAN], sboms.spdx(LISTED), required=True)
    assert worst(verdict) == {"sbom-required": Severity.ERROR}


def test_an_sbom_says_nothing_about_who_made_the_image(tmp_path: Path) -> None:
    path = sboms.write(tmp_path, sboms.spdx(LISTED))
    options = VerifyOptions(Trust(), contents=ContentOptions((path,)))
    [verdict] = verify(image_of(tmp_path, DEBIAN), options)
    assert verdict.exit_status == 3
    assert verdict.authentic.value == "unknown"


# what cannot be compared


def test_an_sbom_that_cannot_be_read_leaves_the_image_unchecked(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [DEBIAN], b'{"bomFormat": "CycloneDX"}')
    assert worst(verdict) == {"sbom-malformed": Severity.ERROR}
    assert verdict.exit_status == 3


def test_a_file_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    options = VerifyOptions(Trust(), contents=ContentOptions((str(tmp_path / "none"),)))
    with pytest.raises(UsageError, match="--sbom"):
        verify(image_of(tmp_path, TOOL), options)


def test_an_image_of_several_platforms_needs_a_choice(tmp_path: Path) -> None:
    layout = Layout()
    entries = [layout.image([TOOL], platform) for platform in ("linux/amd64", "linux/arm64")]
    name = layout.write(tmp_path / "image", layout.index(entries))
    document = sboms.spdx((), TOOL)
    verdict = judged(tmp_path, [], document, name=name)
    assert worst(verdict) == {"sbom-not-compared": Severity.ERROR}
    assert verdict.exit_status == 3
    verdict = judged(tmp_path, [], document, name=name, platform="linux/arm64")
    assert verdict.exit_status == 0
    assert account_of(verdict).files.fraction == 1


def test_a_file_is_no_container_image(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(b"disk")
    verdict = judged(tmp_path, [], sboms.spdx(), name=str(tmp_path / "disk.img"))
    assert worst(verdict) == {"sbom-not-compared": Severity.ERROR}


def test_a_layer_that_cannot_be_read_leaves_the_image_unchecked(tmp_path: Path) -> None:
    layout = Layout()
    good, cut = layout.layer(TOOL, ""), layout.layer({"a": bytes(9000)}, "gzip")
    described = layout.image([good, cut])
    layout.blobs[cut.descriptor["digest"]] = layout.blobs[cut.descriptor["digest"]][:40]
    name = layout.write(tmp_path / "image", described)
    verdict = judged(tmp_path, [], sboms.spdx((), {"a": b"x"}), name=name)
    found = worst(verdict)
    assert found == {"sbom-not-compared": Severity.ERROR}
    assert account_of(verdict).complete is False


def test_a_database_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    listed = [("tool", "1-2", "pkg:rpm/opensuse/tool@1-2")]
    verdict = judged(tmp_path, [{"var/lib/rpm/Packages.db": b"x"}], sboms.spdx(listed))
    assert worst(verdict) == {"packages-unreadable": Severity.ERROR}
    assert verdict.exit_status == 3
    assert account_of(verdict).sboms[0].packages.not_compared == 1


def test_many_differences_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SBOM_FINDINGS", 3)
    document = sboms.spdx((), {f"gone{number}": b"" for number in range(10)})
    found = told(judged(tmp_path, [TOOL], document), "sbom-entry-missing")
    assert len(found) == 4
    assert "and 7 more" in found[-1].detail


def test_names_in_an_sbom_cannot_move_the_cursor(tmp_path: Path) -> None:
    from assay.report import json as as_json
    from assay.report.text import render

    listed = [("\x1b[31mx", "1", "pkg:deb/debian/%1B%5B31mx@1")]
    verdict = judged(tmp_path, [DEBIAN], sboms.spdx(listed, {"\x1b[2Jpath": b""}))
    assert "\x1b" not in render(verdict, color=False, verbose=2)
    assert "\x1b" not in as_json.render([verdict])
    document = json.loads(as_json.render([verdict]))
    assert document["verdicts"][0]["contents"][0]["files"]["fraction"] == 0


def test_many_manifests_that_cannot_be_read_are_one_finding(tmp_path: Path) -> None:
    layer = {f"node_modules/p{number}/package.json": b"{" for number in range(30)}
    layer["node_modules/good/package.json"] = b'{"name": "good", "version": "1"}'
    listed = [("good", "1", "pkg:npm/good@1"), ("ghost", "1", "pkg:npm/ghost@1")]
    verdict = judged(tmp_path, [layer], sboms.spdx(listed))
    [finding] = told(verdict, "packages-unreadable")
    assert "30 of 31" in finding.detail
    assert finding.severity is Severity.WARNING
    [database] = account_of(verdict).databases
    assert database.packages == 1
    # one of those may be what is missing
    assert account_of(verdict).sboms[0].packages.not_compared == 1


def test_weak_digests_are_only_taken_where_nothing_else_speaks(tmp_path: Path) -> None:
    """Each kind of digest takes its time."""
    other = [("tool", "1", "pkg:rpm/fedora/tool@1-1")]
    verdict = judged(tmp_path, [DEBIAN, {"usr/bin/tool": b"evil"}], sboms.cyclonedx(other))
    assert not told(verdict, "package-file-altered")
    both = sboms.spdx((), TOOL)
    assert account_of(judged(tmp_path, [TOOL], both)).files.weak == 0
