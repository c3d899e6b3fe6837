"""SBOMs in every format, and package databases as their tools write them, built in memory."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sqlite3
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Packages = Sequence[tuple[str, str, str]]
"""Name, version, package URL (or nothing)."""
Files = Mapping[str, bytes]
"""Path and content."""


def _hex(data: bytes, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, data).hexdigest()


def spdx(packages: Packages = (), files: Files | None = None, **more: Any) -> dict[str, Any]:
    """SPDX 2.3 as JSON."""
    return {
        "spdxVersion": "SPDX-2.3",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "app",
        "packages": [
            {
                "SPDXID": f"SPDXRef-{number}",
                "name": name,
                "versionInfo": version,
                "externalRefs": [
                    {
                        "referenceCategory": "PACKAGE-MANAGER",
                        "referenceType": "purl",
                        "referenceLocator": purl,
                    }
                ]
                if purl
                else [],
            }
            for number, (name, version, purl) in enumerate(packages)
        ],
        "files": [
            {
                "fileName": path,
                "checksums": [
                    {"algorithm": "SHA1", "checksumValue": _hex(data, "sha1")},
                    {"algorithm": "SHA256", "checksumValue": _hex(data)},
                ],
            }
            for path, data in (files or {}).items()
        ],
        **more,
    }


def spdx3(packages: Packages = (), files: Files | None = None) -> dict[str, Any]:
    """SPDX 3.0 as JSON-LD."""
    graph: list[dict[str, Any]] = [
        {"type": "SpdxDocument", "spdxId": "urn:d", "name": "app", "rootElement": ["urn:root"]},
        {"type": "software_Package", "spdxId": "urn:root", "name": "app"},
    ]
    graph += [
        {
            "type": "software_Package",
            "spdxId": f"urn:p{number}",
            "name": name,
            "software_packageVersion": version,
            **({"software_packageUrl": purl} if purl else {}),
        }
        for number, (name, version, purl) in enumerate(packages)
    ]
    graph += [
        {
            "type": "software_File",
            "spdxId": f"urn:f{number}",
            "name": path,
            "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": _hex(data)}],
        }
        for number, (path, data) in enumerate((files or {}).items())
    ]
    return {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph}


def cyclonedx(packages: Packages = (), files: Files | None = None, **more: Any) -> dict[str, Any]:
    """CycloneDX as JSON."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"component": {"type": "container", "name": "app", "version": "1"}},
        "components": [
            {
                "type": "library",
                "name": name,
                "version": version,
                **({"purl": purl} if purl else {}),
            }
            for name, version, purl in packages
        ]
        + [
            {
                "type": "file",
                "name": path,
                "hashes": [{"alg": "SHA-256", "content": _hex(data)}],
            }
            for path, data in (files or {}).items()
        ],
        **more,
    }


def cyclonedx_xml(packages: Packages = (), files: Files | None = None) -> bytes:
    """CycloneDX as XML."""
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<bom xmlns="http://cyclonedx.org/schema/bom/1.5" version="1"><metadata><tools>',
        '<components><component type="application"><name>tool</name></component></components>',
        '</tools><component type="container"><name>app</name></component></metadata><components>',
    ]
    for name, version, purl in packages:
        url = f"<purl>{purl}</purl>" if purl else ""
        parts.append(
            f'<component type="library"><name>{name}</name><version>{version}</version>{url}'
            "<pedigree><ancestors><component type='library'><name>old</name></component>"
            "</ancestors></pedigree></component>"
        )
    for path, data in (files or {}).items():
        parts.append(
            f'<component type="file"><name>{path}</name><hashes>'
            f'<hash alg="SHA-256">{_hex(data)}</hash></hashes></component>'
        )
    return "".join([*parts, "</components></bom>"]).encode()


def tag_value(packages: Packages = (), files: Files | None = None) -> bytes:
    """SPDX 2.3 as tag-value."""
    lines = ["# made for a test", "SPDXVersion: SPDX-2.3", "DocumentName: app"]
    lines += ["DocumentComment: <text>several", "PackageName: not one", "</text>"]
    for path, data in (files or {}).items():
        lines += ["", f"FileName: {path}", f"FileChecksum: SHA256: {_hex(data)}"]
    for number, (name, version, purl) in enumerate(packages):
        lines += ["", f"PackageName: {name}", f"SPDXID: SPDXRef-{number}"]
        lines += [f"PackageVersion: {version}"]
        if purl:
            lines += [f"ExternalRef: PACKAGE-MANAGER purl {purl}"]
    return "\n".join(lines).encode()


def every_format(packages: Packages = (), files: Files | None = None) -> dict[str, bytes]:
    """The same in every format, by file name."""
    return {
        "spdx.json": json.dumps(spdx(packages, files)).encode(),
        "spdx3.json": json.dumps(spdx3(packages, files)).encode(),
        "cyclonedx.json": json.dumps(cyclonedx(packages, files)).encode(),
        "cyclonedx.xml": cyclonedx_xml(packages, files),
        "spdx.txt": tag_value(packages, files),
    }


# package databases


def dpkg(packages: Mapping[tuple[str, str], Files], *, sums: bool = True) -> dict[str, bytes]:
    """dpkg's database of packages (name, version) with their files."""
    found: dict[str, bytes] = {}
    stanzas = []
    for (name, version), files in packages.items():
        stanzas.append(
            f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n"
            f"Source: {name}-src (1.0)\nVersion: {version}\nDescription: a thing\n and more\n"
        )
        lines = ["/.", *(f"/{path}" for path in files)]
        found[f"var/lib/dpkg/info/{name}.list"] = "\n".join(lines).encode() + b"\n"
        if sums:
            found[f"var/lib/dpkg/info/{name}.md5sums"] = "".join(
                f"{_hex(data, 'md5')}  {path}\n" for path, data in files.items()
            ).encode()
    found["var/lib/dpkg/status"] = "\n".join(stanzas).encode()
    return found


def apk(packages: Mapping[tuple[str, str], Files]) -> bytes:
    """What apk keeps in ``installed``."""
    records = []
    for (name, version), files in packages.items():
        lines = [f"C:Q1{'A' * 27}=", f"P:{name}", f"V:{version}", "A:x86_64", f"o:{name}"]
        for path, data in files.items():
            folder, _, base = path.rpartition("/")
            checksum = base64.b64encode(hashlib.sha1(data).digest()).decode()
            lines += [f"F:{folder}", "M:0:0:755", f"R:{base}", "a:0:0:755", f"Z:Q1{checksum}"]
        records.append("\n".join(lines) + "\n")
    return "\n".join(records).encode() + b"\n"


def rpm_header(name: str, version: str, files: Files, *, epoch: int = 0) -> bytes:
    """One package as an rpm database holds it. The version is VERSION-RELEASE."""
    folders = list(dict.fromkeys("/" + path.rpartition("/")[0] + "/" for path in files))
    indexes = [folders.index("/" + path.rpartition("/")[0] + "/") for path in files]
    number = len(files)
    lead, _, release = version.partition("-")

    def strings(values: Iterable[str]) -> bytes:
        return b"".join(value.encode() + b"\0" for value in values)

    tags: list[tuple[int, int, int, bytes]] = [
        (1000, 6, 1, strings([name])),
        (1001, 6, 1, strings([lead])),
        (1002, 6, 1, strings([release])),
        (1003, 4, 1, struct.pack(">I", epoch)),
        (1022, 6, 1, strings(["x86_64"])),
        (1044, 6, 1, strings([f"{name}-{version}.src.rpm"])),
        (1030, 3, number, struct.pack(f">{number}H", *[0o100644] * number)),
        (1035, 8, number, strings(_hex(data) for data in files.values())),
        (1037, 4, number, struct.pack(f">{number}I", *[0] * number)),
        (1116, 4, number, struct.pack(f">{number}I", *indexes)),
        (1117, 8, number, strings(path.rpartition("/")[2] for path in files)),
        (1118, 8, len(folders), strings(folders)),
        (5011, 4, 1, struct.pack(">I", 8)),
    ]
    index, store = b"", b""
    for tag, kind, count, value in tags:
        if not count:
            continue
        store += bytes(-len(store) % 4)
        index += struct.pack(">IIII", tag, kind, len(store), count)
        store += value
    return struct.pack(">II", len(index) // 16, len(store)) + index + store


def rpm(headers: Iterable[bytes], *, script: str = "") -> bytes:
    """An rpm database in SQLite."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB)")
    connection.executemany("INSERT INTO Packages(blob) VALUES (?)", [(one,) for one in headers])
    connection.executescript(script)
    connection.commit()
    content = connection.serialize()
    connection.close()
    # rpm has its database in this mode
    return content[:18] + b"\x02\x02" + content[20:]


def dist_info(name: str, version: str, files: Files, home: str = "usr/lib/python3") -> Files:
    """A Python package as an installer leaves it."""
    folder = f"{home}/{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: other\n".encode()
    found = {f"{home}/{path}": data for path, data in files.items()}
    found[f"{folder}/METADATA"] = metadata
    rows = []
    for path, data in {**found}.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{path.removeprefix(home + '/')},sha256={digest},{len(data)}\n")
    rows.append(f"{folder.removeprefix(home + '/')}/RECORD,,\n")
    found[f"{folder}/RECORD"] = "".join(rows).encode()
    return found


def jar(group: str, name: str, version: str, *, compressed: bool = True) -> bytes:
    """A Java archive that Maven made."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        properties = f"# made\ngroupId={group}\nartifactId={name}\nversion={version}\n"
        path = f"META-INF/maven/{group}/{name}/pom.properties"
        archive.writestr(path, properties, method)
    return buffer.getvalue()


def go_program(modules: Sequence[tuple[str, str]], *, before: bytes = bytes(4096)) -> bytes:
    """A file with the build information of a Go program; the first module is the main one."""

    def piece(data: bytes) -> bytes:
        length, size = b"", len(data)
        while size >= 0x80:
            length += bytes([size & 0x7F | 0x80])
            size >>= 7
        return length + bytes([size]) + data

    lines = ["path\tcommand-line-arguments"]
    for number, (name, version) in enumerate(modules):
        lines.append(f"{'dep' if number else 'mod'}\t{name}\t{version}\th1:x=")
    listing = b"\x30" * 16 + ("\n".join(lines) + "\n").encode() + b"\x31" * 16
    header = (b"\xff Go buildinf:" + b"\x08\x02").ljust(32, b"\0")
    return before + header + piece(b"go1.22.5") + piece(listing) + bytes(100)


def write(folder: Path, document: bytes | dict[str, Any], name: str = "sbom.json") -> str:
    """Write an SBOM; its path."""
    path = folder / name
    path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    return str(path)
