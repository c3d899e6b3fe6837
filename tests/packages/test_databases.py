"""Package databases: what is installed, which files it owns, and what cannot be read."""

from __future__ import annotations

import struct

import pytest

from assay import limits
from assay.packages.model import UnreadableError
from assay.packages.rpm_header import package_of
from tests.packages.support import digest, found_in, names, only, owned, programs, root_of
from tests.support import sboms
from tests.support.images import Entry, symlink, whiteout

FILES = {"usr/bin/tool": b"tool", "usr/share/doc/tool": b"doc"}


# dpkg


def test_packages_of_dpkg() -> None:
    layer = sboms.dpkg({("tool", "1:2-3"): FILES, ("other", "4"): {}})
    database = only(layer)
    assert (database.kind, database.path) == ("deb", b"var/lib/dpkg/status")
    assert names(database) == [("tool", "1:2-3"), ("other", "4")]
    tool = database.packages[0]
    assert (tool.source, tool.source_version, tool.architecture) == ("tool-src", "1.0", "amd64")
    files = owned(database)
    assert files["usr/bin/tool"] == digest(b"tool", "md5")
    assert files["var/lib/dpkg/info/tool.list"] == {}


def test_packages_that_dpkg_only_remembers_are_not_installed() -> None:
    layer = sboms.dpkg({("tool", "1"): FILES})
    status = layer["var/lib/dpkg/status"].replace(b"ok installed", b"ok config-files")
    assert names(only({**layer, "var/lib/dpkg/status": status})) == []


def test_configuration_and_diversions_of_dpkg() -> None:
    layer = sboms.dpkg({("tool", "1"): {"usr/bin/sh": b"sh"}})
    conffiles = (
        b"Conffiles:\n /etc/my file " + digest(b"1", "md5")["md5"].encode() + b" obsolete\n"
        b" /etc/new newconffile\n"
    )
    layer["var/lib/dpkg/status"] += conffiles
    layer["var/lib/dpkg/diversions"] = b"/usr/bin/sh\n/usr/bin/sh.real\ndash\n"
    database = only(layer)
    configuration = {file.path for file in database.packages[0].files if file.config}
    assert configuration == {b"etc/my file", b"etc/new"}
    assert owned(database)["etc/my file"] == digest(b"1", "md5")
    assert "usr/bin/sh" not in owned(database)
    assert owned(database)["usr/bin/sh.real"] == digest(b"sh", "md5")


def test_packages_without_dpkg_itself() -> None:
    """What distroless images have: one file for each package."""
    stanza = b"Package: base\nVersion: 1\nArchitecture: all\n"
    sums = f"{digest(b'1', 'md5')['md5']}  ./etc/a\n".encode()
    database = only(
        {"var/lib/dpkg/status.d/base": stanza, "var/lib/dpkg/status.d/base.md5sums": sums}
    )
    assert names(database) == [("base", "1")]
    assert owned(database)["etc/a"] == digest(b"1", "md5")


@pytest.mark.parametrize(
    "status",
    [
        b"Package: a\nPackage: b\nStatus: install ok installed\nVersion: 1\n",
        b"Package: a\nStatus: install ok installed\n",
        b"Package: a\nVersion: 1\n",
        b"Package: \x1b[31m\nStatus: install ok installed\nVersion: 1\n",
        b" continues nothing\n",
        b"no field\n",
    ],
)
def test_a_status_file_that_is_out_of_order_is_a_problem(status: bytes) -> None:
    database = only({"var/lib/dpkg/status": status})
    assert database.problem
    assert not database.packages


def test_two_checksums_of_one_file_are_a_problem() -> None:
    layer = sboms.dpkg({("tool", "1"): FILES})
    layer["var/lib/dpkg/info/tool.md5sums"] += b"0" * 32 + b"  usr/bin/tool\n"
    database = only(layer)
    assert "two checksums" in database.problem
    assert owned(database)["usr/bin/tool"] == {}


# apk


@pytest.mark.parametrize("place", ["lib/apk/db/installed", "usr/lib/apk/db/installed"])
def test_packages_of_apk(place: str) -> None:
    database = only({place: sboms.apk({("tool", "1-r0"): FILES, ("none", "2-r1"): {}})})
    assert names(database) == [("tool", "1-r0"), ("none", "2-r1")]
    assert owned(database)["usr/bin/tool"] == digest(b"tool", "sha1")


@pytest.mark.parametrize(
    "data",
    [
        b"V:1\n",
        b"P:a\nP:b\nV:1\n",
        b"P:a\nV:1\nR:file\n",
        b"P:a\nV:1\nF:../..\n",
        b"P:a\nV:1\nF:etc\nR:../b\n",
        b"P:a\nV:1\nF:etc\nR:b\nZ:Q1AAAA\n",
        b"P:a\nV:1\nF:etc\nR:b\nZ:Q9AAAA\n",
        b"P:a\nV:1\nF:etc\nR:b\nZ:Q1%%%%\n",
        b"rubbish",
    ],
)
def test_a_list_of_apk_that_is_out_of_order_is_a_problem(data: bytes) -> None:
    assert only({"lib/apk/db/installed": data}).problem


# rpm


@pytest.mark.parametrize("home", ["var/lib/rpm", "usr/lib/sysimage/rpm"])
def test_packages_of_rpm(home: str) -> None:
    content = sboms.rpm(
        [sboms.rpm_header("tool", "1-2.fc40", FILES, epoch=3), sboms.rpm_header("b", "2-1", {})]
    )
    database = only({f"{home}/rpmdb.sqlite": content})
    assert not database.problem
    assert names(database) == [("tool", "3:1-2.fc40"), ("b", "2-1")]
    assert str(database.packages[0].purl) == "pkg:rpm/tool@1-2.fc40?arch=x86_64&epoch=3"
    assert owned(database)["usr/bin/tool"] == digest(b"tool", "sha256")


def test_older_rpm_databases_are_not_passed_over_in_silence() -> None:
    for name, what in (("Packages", "Berkeley DB"), ("Packages.db", "ndb")):
        database = only({f"var/lib/rpm/{name}": b"x"})
        assert what in database.problem


def test_a_write_ahead_log_beside_an_rpm_database_is_a_problem() -> None:
    """It may hold newer records than the database."""
    content = sboms.rpm([sboms.rpm_header("tool", "1-2", FILES)])
    layer = {"var/lib/rpm/rpmdb.sqlite": content, "var/lib/rpm/rpmdb.sqlite-wal": b"newer"}
    database = only(layer)
    assert "write-ahead log" in database.problem
    assert names(database) == [("tool", "1-2")]


ENDLESS = (
    "DROP TABLE Packages; CREATE VIEW Packages AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL"
    " SELECT n + 1 FROM r) SELECT n AS hnum, zeroblob(1000) AS blob FROM r"
)


@pytest.mark.parametrize(
    "script",
    [
        ENDLESS,
        "DROP TABLE Packages; CREATE VIEW Packages AS SELECT 1, readfile('/etc/passwd') AS blob",
        "DROP TABLE Packages; CREATE VIEW Packages AS SELECT 1, load_extension('x') AS blob",
        "DROP TABLE Packages; CREATE VIEW Packages AS SELECT 1, zeroblob(1000000000) AS blob",
        "DROP TABLE Packages",
        "INSERT INTO Packages(blob) VALUES ('text')",
        "INSERT INTO Packages(blob) VALUES (x'00')",
        "INSERT INTO Packages(blob) VALUES (x'ffffffffffffffff')",
    ],
    ids=[
        "a view that never ends",
        "a view that reads files",
        "a view that loads code",
        "a record of a gigabyte",
        "no table",
        "text for a record",
        "a record cut off",
        "a header that lies about its size",
    ],
)
def test_hostile_rpm_databases(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SQLITE_STEPS", 50)
    database = only({"var/lib/rpm/rpmdb.sqlite": sboms.rpm([], script=script)})
    assert database.problem
    assert not database.packages


def test_a_damaged_rpm_database_is_a_problem() -> None:
    content = sboms.rpm([sboms.rpm_header(f"p{n}", "1-1", FILES) for n in range(200)])
    for data in (content[:5000], b"SQLite format 3\0", b"rubbish", content[:100] + bytes(50_000)):
        assert only({"var/lib/rpm/rpmdb.sqlite": data}).problem


def test_an_rpm_header_reads_nothing_beyond_its_end() -> None:
    header = sboms.rpm_header("tool", "1-2", FILES)
    for length in range(len(header)):
        with pytest.raises(UnreadableError):
            package_of(header[:length])


# languages


def test_packages_of_python() -> None:
    layer = sboms.dist_info("Some_Tool", "1.5", {"tool/__init__.py": b"x"})
    database = only(layer)
    assert names(database) == [("Some_Tool", "1.5")]
    assert owned(database)["usr/lib/python3/tool/__init__.py"] == digest(b"x", "sha256")
    assert names(only({"lib/a.egg-info/PKG-INFO": b"Name: a\nVersion: 2\n"})) == [("a", "2")]


@pytest.mark.parametrize("line", [b"../../../../../etc/passwd,,", b"a,sha256=%%,1", b'"a'])
def test_a_record_of_python_that_is_out_of_order_is_a_problem(line: bytes) -> None:
    layer = dict(sboms.dist_info("a", "1", {}))
    layer["usr/lib/python3/a-1.dist-info/RECORD"] += line + b"\n"
    assert "RECORD" in only(layer).problem


def test_packages_of_npm() -> None:
    manifest = b'{"name": "@a/b", "version": "1.2.3"}'
    layer = {
        "app/node_modules/@a/b/package.json": manifest,
        "app/node_modules/@a/b/test/package.json": b"{}",
        "app/package.json": b"{}",
    }
    package = only(layer).packages[0]
    assert (package.namespace, package.name, package.version) == ("@a", "b", "1.2.3")
    assert str(package.purl) == "pkg:npm/%40a/b@1.2.3"
    assert only({"node_modules/a/package.json": b'{"name": "a", "name": "b"}'}).problem


def test_packages_of_ruby() -> None:
    layer = {"usr/lib/ruby/gems/specifications/a-b-1.2.3-x86_64-linux.gemspec": b"ignored"}
    assert names(only(layer)) == [("a-b", "1.2.3")]


@pytest.mark.parametrize("compressed", [True, False])
def test_packages_of_java(compressed: bool) -> None:
    layer = {"app/lib.jar": sboms.jar("org.a", "b", "1", compressed=compressed), "x.jar": b""}
    databases = {database.path: database for database in found_in(layer)}
    package = databases[b"app/lib.jar"].packages[0]
    assert str(package.purl) == "pkg:maven/org.a/b@1"
    assert databases[b"x.jar"].problem


def test_a_java_archive_that_inflates_without_end_is_a_problem() -> None:
    assert only({"a.jar": sboms.jar("g", "n", "1" * 5_000_000)}).problem


@pytest.mark.parametrize("step", [1 << 20, 700, 33, 5])
def test_modules_of_go(step: int) -> None:
    modules = [("example.org/Main", "(devel)"), ("b", "v2.0.0")]
    # the marker may lie across the end of any piece that is read
    for lead in (0, 16, 4096 - 16, 4096):
        program = sboms.go_program(modules, before=bytes(lead))
        [database] = found_in(programs({"bin/app": program}), step=step)
        assert names(database) == [("stdlib", "1.22.5"), ("Main", "(devel)"), ("b", "v2.0.0")]
        assert list(owned(database)) == ["bin/app"]


def test_the_marker_of_go_at_an_odd_place_is_just_text() -> None:
    program = b"\xff Go buildinf: is what programs look for".rjust(77)
    real = sboms.go_program([("a", "v1")], before=program + bytes(-len(program) % 16))
    [database] = found_in(programs({"bin/app": real}))
    assert not database.problem
    assert not found_in({"bin/app": real}), "not executable"


def test_go_programs_that_lie_about_their_modules() -> None:
    honest = sboms.go_program([("a", "v1")], before=b"")
    for data in (honest[:40], honest[:60], honest[:32] + b"\xff" * 400, honest[:15] + bytes(90)):
        [database] = found_in(programs({"bin/app": data}))
        assert database.problem


# where databases are


def test_a_database_in_a_hidden_layer_is_not_read() -> None:
    layer = sboms.dpkg({("tool", "1"): FILES})
    assert not found_in(layer, [whiteout("var/lib/dpkg")])
    assert not found_in(layer, [whiteout("var")])


def test_the_latest_layer_with_a_database_counts() -> None:
    old, new = sboms.apk({("tool", "1-r0"): {}}), sboms.apk({("tool", "2-r0"): {}})
    database = only({"lib/apk/db/installed": old}, {"lib/apk/db/installed": new})
    assert names(database) == [("tool", "2-r0")]
    assert database.layer == "layer[1]"


def test_a_database_behind_a_link_is_read_where_it_is_or_is_a_problem() -> None:
    content = sboms.rpm([sboms.rpm_header("tool", "1-2", FILES)])
    linked = [
        Entry("usr/lib/sysimage/rpm/rpmdb.sqlite", content),
        symlink("var/lib/rpm", "../../usr/lib/sysimage/rpm"),
    ]
    assert names(only(linked)) == [("tool", "1-2")]
    moved = [Entry("data/status", b"x"), symlink("var/lib/dpkg", "/data")]
    assert only(moved).problem == "it is not where this kind of database is kept"


def test_links_that_lead_in_circles_lead_nowhere() -> None:
    circle = [symlink("var/lib/dpkg", "../lib2"), symlink("var/lib2", "lib/dpkg")]
    root = root_of(circle)
    assert root.resolve(b"var/lib/dpkg/status") is None
    assert not found_in(circle)
    far = [symlink(f"l{n}", f"l{n + 1}") for n in range(limits.PATH_LINKS + 2)]
    assert root_of(far).resolve(b"l0/x") is None


def test_paths_are_resolved_as_in_the_image() -> None:
    root = root_of(
        [
            Entry("usr/bin/sh", b"sh"),
            symlink("bin", "usr/bin"),
            symlink("top", "../../.."),
            symlink("usr/bin/bash", "sh"),
        ]
    )
    for path in (b"bin/sh", b"/bin/sh", b"top/bin/sh", b"bin/bash", b"./usr/../bin/bash"):
        assert root.file(path) is not None, path
    assert root.file(b"bin") is None
    assert root.file(b"bin/none") is None


# bounds


def test_a_database_that_is_too_large_is_a_problem() -> None:
    layer = {"var/lib/dpkg/status": bytes(5000)}
    [database] = found_in(layer, allowance=4000)
    assert "together" in database.problem


def test_manifests_that_are_too_large_are_a_problem() -> None:
    layer = {"node_modules/a/package.json": bytes(limits.PACKAGE_MANIFEST_SIZE + 1)}
    assert "bytes" in only(layer).problem


def test_what_java_archives_do_not_need_is_given_back() -> None:
    """Many archives of which little is kept do not take the room of the databases."""
    archive = sboms.jar("a", "b", "1")
    layer = {f"{n}.jar": archive for n in range(50)}
    layer["var/lib/dpkg/status"] = b"Package: a\nStatus: install ok installed\nVersion: 1\n"
    found = found_in(layer, allowance=20_000)
    assert not [database for database in found if database.problem and database.kind != "deb"]
    assert [names(database) for database in found if database.kind == "deb"] == [[("a", "1")]]


# small files that would take all memory or time


def test_one_directory_of_many_files_makes_no_endless_paths(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "PACKAGE_DATABASE_SIZE", 50_000)
    folder, names_ = "/".join(["long"] * 25), [str(number) for number in range(600)]
    apk = f"P:a\nV:1\nF:{folder}\n" + "".join(f"R:{name}\n" for name in names_)
    assert "paths" in only({"lib/apk/db/installed": apk.encode()}).problem
    layer = dict(sboms.dist_info("a", "1", {}, home=folder))
    layer[f"{folder}/a-1.dist-info/RECORD"] += "".join(f"{name},,\n" for name in names_).encode()
    assert "paths" in only(layer).problem
    header = sboms.rpm_header("a", "1-1", {f"{folder}/{name}": b"" for name in names_})
    with pytest.raises(UnreadableError, match="paths"):
        package_of(header)


def test_a_package_of_dpkg_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PACKAGE_DATABASE_SIZE", 50_000)
    layer = sboms.dpkg({("tool", "1"): FILES})
    layer["var/lib/dpkg/info/tool.list"] = b"/\n" * 5_000  # nothing that is owned
    assert not only(layer).problem
    layer["var/lib/dpkg/status"] = (layer["var/lib/dpkg/status"].strip() + b"\n\n") * 10
    assert "lists of files" in only(layer).problem


def test_many_entries_of_a_java_archive_with_one_content() -> None:
    data = sboms.jar("g", "n", "1" * 60_000)
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entries = data[start:end] * 200
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 400, 400, len(entries), start, 0)
    assert "bytes of properties" in only({"a.jar": data[:start] + entries + tail}).problem


def test_what_java_archives_hold_counts_as_it_is_kept() -> None:
    data = sboms.jar("g", "n", "1" * 60_000)
    assert "together" in found_in({"a.jar": data}, allowance=10_000)[0].problem


def test_a_program_full_of_markers_of_go_is_not_searched_to_its_end() -> None:
    markers = b"\xff Go buildinf:\x08\x02".ljust(32, b"\xff") * 100
    [database] = found_in(programs({"bin/app": sboms.go_program([("a", "v1")], before=markers)}))
    assert database.problem
    assert not database.packages
