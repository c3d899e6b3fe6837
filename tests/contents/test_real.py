"""Real package databases, and SBOMs by real tools: dpkg, rpm, syft, cyclonedx-py, go, cosign."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.appraisal.case import BuiltInRule
from assay.contents.options import ContentOptions
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.cli.support import assay
from tests.contents.test_compare import account_of, worst
from tests.packages.support import found_in, names, only, owned
from tests.support import debian, sboms
from tests.support.images import Entry, Layout, folder
from tests.support.peers import docker_registry, run

SYFT_FORMATS = ("spdx-json", "spdx-tag-value", "cyclonedx-json", "cyclonedx-xml")


def needs(*tools: str) -> pytest.MarkDecorator:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed")


on_debian = pytest.mark.skipif(not debian.available(), reason="no Debian with its basic packages")


def judged(name: str, *paths: Path, **asked: object) -> Verdict:
    contents = ContentOptions(tuple(map(str, paths)), **asked)  # type: ignore[arg-type]
    options = VerifyOptions(Trust(), rule=BuiltInRule(self_consistent=True), contents=contents)
    [verdict] = verify(name, options)
    return verdict


# dpkg


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layout with an image of some Debian packages."""
    path = tmp_path_factory.mktemp("debian")
    layout = Layout()
    layout.write(path / "image", layout.image([debian.entries()]))
    return path


@on_debian
@needs("dpkg-query")
def test_what_dpkg_says_is_installed() -> None:
    database = only(debian.entries())
    assert not database.problem
    shown = run(
        "dpkg-query", "-W", "-f", "${Package} ${Version} ${source:Package} ${source:Version}\n",
        *debian.PACKAGES, folder=Path("/"),
    )  # fmt: skip
    found = [
        f"{one.name} {one.version} {one.source} {one.source_version}" for one in database.packages
    ]
    assert sorted(found) == sorted(shown.splitlines())


@on_debian
@needs("dpkg-query")
def test_which_files_dpkg_says_belong_to_a_package() -> None:
    files = owned(only(debian.entries(("coreutils",))))
    shown = run("dpkg-query", "-L", "coreutils", folder=Path("/")).splitlines()
    listed = {line.strip("/.") for line in shown} - {""}
    assert listed == {path for path in files if not path.startswith("var/lib/dpkg")}


@on_debian
def test_a_small_debian_is_accounted_for_by_its_packages(system: Path) -> None:
    packages = [(name, version, "") for name, version in names(only(debian.entries()))]
    path = Path(sboms.write(system, sboms.cyclonedx(packages)))
    verdict = judged(f"oci:{system}/image", path, coverage=0.99)
    assert verdict.exit_status == 0, verdict.findings
    assert worst(verdict) == {}
    account = account_of(verdict)
    assert account.packages_listed == account.packages_installed == len(debian.PACKAGES)
    # all but the database and what this test adds
    assert account.files.total - account.files.accounted <= 2


@on_debian
@needs("syft")
@pytest.mark.parametrize("form", SYFT_FORMATS)
def test_what_syft_finds_in_an_image_is_in_it(system: Path, form: str) -> None:
    path = system / f"syft.{form}"
    path.write_text(_syft(f"oci-dir:{system}/image", form))
    verdict = judged(f"oci:{system}/image", path, coverage=0.99)
    assert verdict.exit_status == 0, verdict.findings
    assert worst(verdict) == {}
    report = account_of(verdict).sboms[0]
    assert report.packages.matched == len(debian.PACKAGES)
    assert report.files.altered == report.files.missing == 0
    if form.startswith("spdx"):
        assert account_of(verdict).files.by_digest > 300


@on_debian
@needs("syft")
@pytest.mark.parametrize("form", SYFT_FORMATS)
def test_what_changed_after_syft_looked_is_told(system: Path, tmp_path: Path, form: str) -> None:
    path = tmp_path / form
    path.write_text(_syft(f"oci-dir:{system}/image", form))
    layout = Layout()
    layers = [debian.entries(), [Entry("usr/bin/sed", b"evil", mode=0o755)]]
    verdict = judged(layout.write(tmp_path / "image", layout.image(layers)), path)
    assert "package-file-altered" in worst(verdict)
    if form.startswith("spdx"):
        assert verdict.exit_status == 1
        assert "sbom-entry-altered" in worst(verdict)


def _syft(source: str, form: str) -> str:
    environment = {"SYFT_CHECK_FOR_APP_UPDATE": "false"}
    return run("syft", "-q", "scan", source, "-o", form, folder=Path("/"), environment=environment)


@needs("syft")
def test_syft_finds_the_same_packages_of_every_kind(tmp_path: Path) -> None:
    """Two programs that look at the same databases, written by tests."""
    layer = [folder("etc"), Entry("etc/os-release", b"ID=alpine\nVERSION_ID=3.20\n")]
    files = {
        "lib/apk/db/installed": sboms.apk({("tool", "1.2-r0"): {"usr/bin/tool": b"tool"}}),
        "usr/bin/tool": b"tool",
        "app/node_modules/left/package.json": b'{"name": "left", "version": "1.0.0"}',
        "app/lib/thing-1.0.jar": sboms.jar("org.a", "thing", "1.0"),
        "usr/lib/ruby/gems/specifications/rake-13.0.6.gemspec": (
            b"# -*- encoding: utf-8 -*-\n# stub: rake 13.0.6 ruby lib\nGem::Specification.new do"
            b' |s|\n  s.name = "rake".freeze\n  s.version = "13.0.6"\nend\n'
        ),
        **sboms.dist_info("Some_Tool", "1.5", {"tool.py": b"x"}, "usr/lib/python3/site-packages"),
    }
    layer += [Entry(name, data) for name, data in files.items()]
    layout = Layout()
    name = layout.write(tmp_path / "image", layout.image([layer]))
    path = tmp_path / "syft.json"
    path.write_text(_syft(f"oci-dir:{tmp_path}/image", "cyclonedx-json"))
    verdict = judged(name, path)
    account = account_of(verdict)
    assert worst(verdict) == {}, verdict.findings
    assert account.packages_installed == account.packages_listed == 5


# rpm


@pytest.fixture(scope="module")
def rpms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root file system in which rpm installed a package that rpmbuild made."""
    path = tmp_path_factory.mktemp("rpm")
    spec = path / "tool.spec"
    spec.write_text(
        "Name: tool\nEpoch: 2\nVersion: 1.5\nRelease: 3\nSummary: a tool\nLicense: MIT\n"
        "BuildArch: noarch\n%description\nA tool.\n%install\nmkdir -p %{buildroot}/usr/bin"
        " %{buildroot}/etc\nprintf tool > %{buildroot}/usr/bin/tool\nprintf conf >"
        " %{buildroot}/etc/tool.conf\n%files\n/usr/bin/tool\n%config /etc/tool.conf\n"
    )
    settings = ("--define", f"_topdir {path}/build", "--define", "_db_backend sqlite")
    run("rpmbuild", "-bb", "--quiet", *settings, spec, folder=path)
    [built] = path.glob("build/RPMS/noarch/*.rpm")
    home = path / "root/var/lib/rpm"
    home.mkdir(parents=True)
    where = ("--root", path / "root", "--dbpath", "/var/lib/rpm")
    run("rpm", *settings, *where, "--initdb", folder=path)
    run("rpm", *settings, *where, "-i", "--nodeps", "--noscripts", built, folder=path)
    return path / "root"


def _layer(root: Path) -> list[Entry]:
    return [
        Entry(str(path.relative_to(root)), path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file()
    ]


@needs("rpm", "rpmbuild")
@pytest.mark.skipif(os.geteuid() != 0, reason="rpm installs into a root only for root")
def test_what_rpm_installed(rpms: Path, tmp_path: Path) -> None:
    found = found_in(_layer(rpms))
    database = next(one for one in found if one.path == b"var/lib/rpm/rpmdb.sqlite")
    assert names(database) == [("tool", "2:1.5-3")]
    assert not database.problem, database.problem
    files = {file.path: file for file in database.packages[0].files}
    assert set(files) == {b"usr/bin/tool", b"etc/tool.conf"}
    assert files[b"etc/tool.conf"].config
    layout = Layout()
    name = layout.write(tmp_path / "image", layout.image([_layer(rpms)]))
    listed = [("tool", "1.5-3", "pkg:rpm/fedora/tool@1.5-3?arch=noarch&epoch=2")]
    verdict = judged(name, Path(sboms.write(tmp_path, sboms.spdx(listed))))
    assert worst(verdict) == {}, verdict.findings
    assert account_of(verdict).files.by_checksum == 2


# Python


@needs("cyclonedx-py")
def test_a_python_environment_that_cyclonedx_lists(tmp_path: Path) -> None:
    """The packages that tests run with, as they were installed."""
    import click
    import msgspec

    places = {Path(module.__file__ or "").parents[1] for module in (click, msgspec)}
    [home] = places
    entries: list[Entry] = []
    for name in ("click", "msgspec"):
        for path in sorted([*home.glob(f"{name}/**/*"), *home.glob(f"{name}-*.dist-info/**/*")]):
            if path.is_file() and path.suffix != ".pyc":
                where = f"app/lib/python3/site-packages/{path.relative_to(home)}"
                entries.append(Entry(where, path.read_bytes()))
    document = json.loads(run("cyclonedx-py", "environment", _python(), folder=tmp_path))
    document["components"] = [
        one for one in document["components"] if one["name"] in ("click", "msgspec")
    ]
    layout = Layout()
    name = layout.write(tmp_path / "image", layout.image([entries]))
    verdict = judged(name, Path(sboms.write(tmp_path, document)))
    assert worst(verdict) == {}, verdict.findings
    account = account_of(verdict)
    assert account.packages_listed == account.packages_installed == 2
    assert account.files.by_checksum + account.files.by_ownership == account.files.total


def _python() -> str:
    import sys

    return sys.executable


# Go


@needs("go", "crane")
def test_the_modules_of_a_real_program() -> None:
    """What ``go version -m`` reads from the same file."""
    program = Path(shutil.which("crane") or "").resolve()
    [database] = found_in([Entry("crane", program.read_bytes(), mode=0o755)])
    assert not database.problem
    lines = run("go", "version", "-m", program, folder=Path("/")).splitlines()
    modules = [line.split("\t")[1:] for line in lines[1:]]
    expected = [(one[1], one[2]) for one in modules if one[0] in ("mod", "dep")]
    assert ("stdlib", lines[0].split()[1].removeprefix("go")) == names(database)[0]
    assert expected == [
        (f"{one.namespace}/{one.name}" if one.namespace else one.name, one.version)
        for one in database.packages[1:]
    ]


# cosign


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as (found, _):
        yield found


@needs("docker-registry", "cosign", "skopeo")
@pytest.mark.parametrize(
    ("form", "legacy"),
    # what it makes of SPDX as tag-value, cosign cannot put into a bundle itself
    [("spdxjson", False), ("cyclonedx", False), ("spdxjson", True), ("spdx", True)],
)
def test_an_sbom_that_cosign_attached(
    address: str, tmp_path: Path, form: str, legacy: bool
) -> None:
    files = {"usr/bin/tool": b"tool"}
    layer = {**files, **sboms.dpkg({("tool", "1"): files})}
    layout = Layout()
    layout.write(tmp_path / "image", layout.image([layer]))
    image = f"{address}/{form}{int(legacy)}:1"
    run(
        "skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{tmp_path}/image:latest",
        f"docker://{image}", folder=tmp_path,
    )  # fmt: skip
    listed = [("tool", "1", "pkg:deb/debian/tool@1"), ("gone", "1", "pkg:deb/debian/gone@1")]
    making = {"spdxjson": sboms.spdx, "spdx": sboms.tag_value, "cyclonedx": sboms.cyclonedx}
    sboms.write(tmp_path, making[form](listed))  # type: ignore[operator]
    _attest(tmp_path, image, form, legacy=legacy)
    trust = Trust()
    trust.add_key(str(tmp_path / "cosign.pub"))
    [verdict] = verify(f"docker://{image}", VerifyOptions(trust))
    assert verdict.exit_status == 0, verdict.findings
    assert account_of(verdict).sboms[0].packages.matched == 1
    done = assay("verify", f"docker://{image}", "--key", tmp_path / "cosign.pub", "--require-sbom")
    assert done.returncode == 1
    assert "sbom-entry-missing" in done.stdout


def _attest(folder: Path, image: str, form: str, *, legacy: bool) -> None:
    environment = {"COSIGN_PASSWORD": ""}
    run("cosign", "generate-key-pair", folder=folder, environment=environment)
    (folder / "root.json").write_text(
        '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
    )
    config = {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "rekorTlogConfig": {},
        "tsaConfig": {},
    }
    (folder / "config.json").write_text(json.dumps(config))
    way = ["--signing-config", "config.json"]
    if legacy:
        way = ["--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false"]
    run(
        "cosign", "attest", "--key", "cosign.key", "--trusted-root", "root.json", "--type", form,
        "--predicate", "sbom.json", "--allow-http-registry", "-y", *way, image,
        folder=folder, environment=environment,
    )  # fmt: skip
