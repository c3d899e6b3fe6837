"""SBOMs: the same inventory whatever the format, and nothing that could mean two things."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assay import limits
from assay.model.finding import AssayError
from assay.model.inventory import Inventory
from assay.model.purl import Purl
from assay.sbom.read import is_predicate, read
from tests.support import sboms

PACKAGES = [
    ("curl", "8.1-2", "pkg:deb/debian/curl@8.1-2?arch=amd64"),
    ("noname", "1", ""),
]
FILES = {"/etc/a": b"1", "usr/bin/b": b"2"}


def code_of(document: bytes | dict[str, Any]) -> str:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(AssayError) as error:
        read(data)
    return error.value.finding.code


def inventory(document: dict[str, Any]) -> Inventory:
    return read(json.dumps(document).encode())


@pytest.mark.parametrize("name", list(sboms.every_format()))
def test_every_format_gives_the_same_inventory(name: str) -> None:
    found = read(sboms.every_format(PACKAGES, FILES)[name])
    assert found.name == "app"
    packages = [one for one in found.packages if not one.root]
    assert [(one.name, one.version) for one in packages] == [("curl", "8.1-2"), ("noname", "1")]
    assert packages[0].purl == Purl("deb", "debian", "curl", "8.1-2", {"arch": "amd64"})
    assert packages[1].purl is None
    assert [file.path for file in found.files] == list(FILES)
    for file in found.files:
        assert "sha256" in {digest.algorithm for digest in file.digests}


def test_formats_are_told_by_what_they_say() -> None:
    titles = [read(data).format for data in sboms.every_format().values()]
    assert titles == [
        "SPDX 2.3 JSON",
        "SPDX 3.0.1 JSON-LD",
        "CycloneDX 1.6 JSON",
        "CycloneDX 1.5 XML",
        "SPDX 2.3 tag-value",
    ]


def test_what_an_sbom_is_about_is_marked() -> None:
    relationships = [
        {
            "spdxElementId": "SPDXRef-DOCUMENT",
            "relationshipType": "DESCRIBES",
            "relatedSpdxElement": "SPDXRef-0",
        }
    ]
    found = inventory(sboms.spdx(PACKAGES, relationships=relationships))
    assert [package.root for package in found.packages] == [True, False]


def test_components_within_components_are_listed() -> None:
    document = sboms.cyclonedx(PACKAGES)
    inner = {"type": "library", "group": "org.a", "name": "deep", "version": "2"}
    document["components"][0]["components"] = [inner]
    found = inventory(document)
    assert [one.name for one in found.packages if not one.root] == ["curl", "org.a/deep", "noname"]
    assert found.packages[2].where == "components[0].components[0]"


def test_a_digest_of_zeros_is_none() -> None:
    """The format asks for a SHA-1, and tools that have none write zeros."""
    document = sboms.spdx((), FILES)
    document["files"][0]["checksums"] = [{"algorithm": "SHA1", "checksumValue": "0" * 40}]
    assert inventory(document).files[0].digests == ()


def test_digests_of_unknown_algorithms_are_left_out() -> None:
    document = sboms.spdx((), FILES)
    document["files"][0]["checksums"] = [{"algorithm": "ADLER32", "checksumValue": "12345678"}]
    assert inventory(document).files[0].digests == ()


@pytest.mark.parametrize(
    "kind",
    [
        "https://spdx.dev/Document",
        "https://spdx.dev/Document/v2.3",
        "https://cyclonedx.org/bom",
        "https://cyclonedx.org/bom/v1.6",
    ],
)
def test_predicate_types_of_sboms(kind: str) -> None:
    assert is_predicate(kind)
    assert not is_predicate("x" + kind)
    assert not is_predicate(kind.replace("ment", "ments").replace("bom", "boms"))


# what is refused


def change(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    at: Any = document
    *lead, last = path.split(".")
    for part in lead:
        at = at[int(part)] if part.isdigit() else at[part]
    at[int(last) if last.isdigit() else last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spdxVersion", "SPDX-9.9"),
        ("spdxVersion", 2),
        ("packages", {}),
        ("packages.0", "curl"),
        ("packages.0.name", ""),
        ("packages.0.name", ["curl"]),
        ("packages.0.versionInfo", 8),
        ("packages.0.externalRefs.0.referenceLocator", "curl 8.1"),
        ("files.0.fileName", None),
        ("files.0.checksums.0.checksumValue", "zz"),
        ("files.0.checksums.0.checksumValue", "00ff"),
        ("files.0.checksums.0.algorithm", None),
        ("bomFormat", "CycloneDX"),
    ],
)
def test_fields_of_spdx_that_are_not_as_they_must_be(path: str, value: Any) -> None:
    assert code_of(change(sboms.spdx(PACKAGES, FILES), path, value)) == "sbom-malformed"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("bomFormat", "SPDX"),
        ("specVersion", "2.0"),
        ("components", "all"),
        ("components.0.type", None),
        ("components.0.name", None),
        ("components.0.purl", "curl"),
        ("components.2.hashes.0.content", "12"),
    ],
)
def test_fields_of_cyclonedx_that_are_not_as_they_must_be(path: str, value: Any) -> None:
    assert code_of(change(sboms.cyclonedx(PACKAGES, FILES), path, value)) == "sbom-malformed"


def test_one_algorithm_with_two_values_is_refused() -> None:
    document = sboms.spdx((), FILES)
    document["files"][0]["checksums"] = [
        {"algorithm": "SHA256", "checksumValue": digit * 64} for digit in "12"
    ]
    assert code_of(document) == "sbom-malformed"


def test_a_key_twice_or_in_another_case_is_refused() -> None:
    assert code_of(b'{"spdxVersion": "SPDX-2.3", "packages": [], "packages": []}') == "malformed"
    assert code_of({**sboms.spdx(), "Packages": []}) == "ambiguous-key"
    assert code_of({**sboms.cyclonedx(), "Components": []}) == "ambiguous-key"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"null", b"PK\3\4", b"a: b", b'{"a": 1}'])
def test_what_is_no_sbom(data: bytes) -> None:
    assert code_of(data) == "sbom-malformed"


BOM = b'<bom xmlns="http://cyclonedx.org/schema/bom/1.5">'


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + BOM + b"&b;</bom>",
        b'<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + BOM + b"&a;</bom>",
        b'<!DOCTYPE b SYSTEM "http://127.0.0.1/a.dtd">' + BOM + b"</bom>",
        b"<!DOCTYPE bom>" + BOM + b"</bom>",
        BOM + b"&undeclared;</bom>",
        BOM,
        BOM + b"</bom><bom/>",
        b"<bom/>",
        b'<bom xmlns="http://cyclonedx.org/schema/bom/9.9"/>',
        b'<html xmlns="http://cyclonedx.org/schema/bom/1.5"/>',
        b'<?xml version="1.0" encoding="rot13"?>' + BOM + b"</bom>",
        # elements within a text, which would take the place of others
        BOM + b'<components><component type="library"><name>a<components/></name><components>'
        b'<component type="library"/></components></component></components></bom>',
        BOM + b'<components><component type="file"><name>a<hashes/></name><hashes>'
        b'<hash alg="MD5"/></hashes></component></components></bom>',
    ],
    ids=[
        "entities that multiply",
        "entity from a file",
        "external subset",
        "document type",
        "undeclared entity",
        "cut off",
        "two documents",
        "no namespace",
        "unknown version",
        "another element",
        "no encoding",
        "components within a name",
        "hashes within a name",
    ],
)
def test_xml_that_is_refused(data: bytes) -> None:
    assert code_of(data) == "sbom-malformed"


def test_xml_nested_without_end_is_refused() -> None:
    assert code_of(BOM + b"<a>" * 100_000) == "limit-exceeded"


def test_components_of_tools_and_pedigrees_are_not_listed() -> None:
    found = read(sboms.cyclonedx_xml(PACKAGES))
    assert {package.name for package in found.packages} == {"app", "curl", "noname"}


def test_xml_elements_of_others_are_passed_over() -> None:
    data = BOM + (
        b'<components><component type="library" xmlns:x="urn:x"><name>a</name>'
        b"<x:name>b</x:name><x:component type='library'><name>c</name></x:component>"
        b"</component></components></bom>"
    )
    [package] = read(data).packages
    assert package.name == "a"


@pytest.mark.parametrize(
    "lines",
    [
        "PackageName: <text>never ended",
        "no tag at all",
        "Relationship: A DESCRIBES",
        "PackageName: a\nPackageVersion: 1\nPackageVersion: 2",
        "FileName: a\nFileChecksum: none",
        "SPDXVersion: SPDX-2.2",
    ],
)
def test_tag_value_that_is_refused(lines: str) -> None:
    assert code_of(b"SPDXVersion: SPDX-2.3\n" + lines.encode()) == "sbom-malformed"


def test_text_of_several_lines_holds_no_tags() -> None:
    """What stands in a comment is no package, whatever it looks like."""
    assert [one.name for one in read(sboms.tag_value(PACKAGES)).packages] == ["curl", "noname"]


def test_too_many_packages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SBOM_PACKAGES", 1)
    for data in sboms.every_format(PACKAGES).values():
        if b"@graph" not in data:
            assert code_of(data) == "limit-exceeded"
