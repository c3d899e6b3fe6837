"""Samples of everything that Assay reads, made here: what fuzzing starts from."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

_BYTES = bytes(range(64))


def _base64(size: int, head: bytes = b"") -> bytes:
    return base64.b64encode((head + _BYTES * 4)[:size])


@cache
def tar() -> bytes:
    """An archive with every kind of member, long names and extended headers."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind, link in (
            ("etc/", tarfile.DIRTYPE, ""),
            ("etc/hostname", tarfile.REGTYPE, ""),
            ("etc/link", tarfile.SYMTYPE, "../usr"),
            ("etc/same", tarfile.LNKTYPE, "etc/hostname"),
            ("dev/null", tarfile.CHRTYPE, ""),
            ("var/.wh.log", tarfile.REGTYPE, ""),
            ("n" * 120 + "/" + "m" * 120, tarfile.REGTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            data = b"assay" if kind == tarfile.REGTYPE else b""
            info.size = len(data)
            info.pax_headers = {"mtime": "1.5", "SCHILY.xattr.user.a": "b"}
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@cache
def gnu_tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo("n" * 200)
        info.size, info.uid = 3, 1 << 40
        archive.addfile(info, io.BytesIO(b"abc"))
    return buffer.getvalue()


def zstd(data: bytes) -> bytes:
    import sys

    if sys.version_info >= (3, 14):
        from compression import zstd as module
    else:
        from backports import zstd as module
    compressed: bytes = module.compress(data)
    return compressed


def _descriptor(of: bytes, media_type: str, **more: object) -> dict[str, object]:
    digest = hashlib.sha256(of).hexdigest()
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(of), **more}


def archive_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def image_archives() -> Iterator[bytes]:
    """What docker save wrote in former times, and an OCI layout in a tar archive."""
    layer = tar()[:4096] + bytes(1024)
    diff_id = "sha256:" + hashlib.sha256(layer).hexdigest()
    config = json.dumps(
        {
            "os": "linux",
            "architecture": "amd64",
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        }
    ).encode()
    name = hashlib.sha256(config).hexdigest()
    listed = [{"Config": f"{name}.json", "RepoTags": ["a:1"], "Layers": ["l/layer.tar"]}]
    yield archive_of(
        {"manifest.json": json.dumps(listed).encode(), f"{name}.json": config, "l/layer.tar": layer}
    )
    kind = "application/vnd.oci.image"
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "config": _descriptor(config, f"{kind}.config.v1+json"),
            "layers": [_descriptor(layer, f"{kind}.layer.v1.tar")],
        }
    ).encode()
    index = {"schemaVersion": 2, "manifests": [_descriptor(manifest, f"{kind}.manifest.v1+json")]}
    blobs = {f"blobs/sha256/{hashlib.sha256(b).hexdigest()}": b for b in (config, manifest, layer)}
    head = {
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": json.dumps(index).encode(),
    }
    yield archive_of(head | blobs)


def documents() -> Iterator[bytes]:
    """JSON documents of images, statements and registries."""
    oci = "application/vnd.oci.image"
    config = json.dumps(
        {
            "os": "linux",
            "architecture": "amd64",
            "config": {"Labels": {"a": "b"}},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]},
            "history": [{"created_by": "x"}, {"empty_layer": True}],
        }
    ).encode()
    layer = gzip.compress(tar(), mtime=0)
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{oci}.manifest.v1+json",
        "config": _descriptor(config, f"{oci}.config.v1+json"),
        "layers": [
            _descriptor(layer, f"{oci}.layer.v1.tar+gzip"),
            _descriptor(b"{}", "application/vnd.in-toto+json", data="e30="),
        ],
        "subject": _descriptor(b"{}", f"{oci}.manifest.v1+json"),
        "annotations": {"org.opencontainers.image.ref.name": "latest"},
    }
    encoded = json.dumps(manifest).encode()
    platform = {"os": "linux", "architecture": "arm", "variant": "v7"}
    annotations = {
        "org.opencontainers.image.ref.name": "1.0",
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": "sha256:" + "0" * 64,
    }
    index = {
        "schemaVersion": 2,
        "mediaType": f"{oci}.index.v1+json",
        "manifests": [
            _descriptor(encoded, f"{oci}.manifest.v1+json", platform=platform),
            _descriptor(encoded, f"{oci}.manifest.v1+json", annotations=annotations),
        ],
    }
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "disk.img", "digest": {"sha256": "0" * 64}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    }
    envelope = {
        "payloadType": "application/vnd.in-toto+json",
        "payload": base64.b64encode(json.dumps(statement).encode()).decode(),
        "signatures": [{"keyid": "a", "sig": _base64(64).decode()}],
    }
    archive = [{"Config": "c.json", "RepoTags": ["a:b"], "Layers": ["l/layer.tar"]}]
    key = {"kty": "OKP", "crv": "Ed25519", "x": _base64(32).rstrip(b"=").decode()}
    yield from (config, encoded)
    for document in (index, statement, envelope, archive, key, {"auths": {"a": {"auth": "YTpi"}}}):
        yield json.dumps(document).encode()
    yield b'{"a": [1, -0.5e10, true, null, "\\u00e9\\n"], "a": {}}'


@cache
def certificate() -> bytes:
    """A self-signed certificate with the usual extensions (DER)."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "assay")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1)
    made = made.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    made = made.not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
    for extension in (
        x509.BasicConstraints(ca=True, path_length=1),
        x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.RFC822Name("a@b.example")]),
        x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CODE_SIGNING]),
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        x509.KeyUsage(True, False, False, False, False, True, True, False, False),
    ):
        made = made.add_extension(extension, critical=False)
    from cryptography.hazmat.primitives.serialization import Encoding

    return made.sign(key, None).public_bytes(Encoding.DER)


def pem(label: str, data: bytes) -> bytes:
    lines = base64.encodebytes(data).decode()
    return f"-----BEGIN {label}-----\n{lines}-----END {label}-----\n".encode()


def signatures() -> Iterator[bytes]:
    """Signatures, keys and checksum files, right in form."""
    comment = b"untrusted comment: signature\n"
    yield comment + _base64(74, b"ED") + b"\ntrusted comment: t\n" + _base64(64) + b"\n"
    yield comment + _base64(74, b"Ed") + b"\n"
    yield b"untrusted comment: public key\n" + _base64(42, b"Ed") + b"\n"
    ssh = b"".join(len(part).to_bytes(4, "big") + part for part in (b"ssh-ed25519", _BYTES[:32]))
    blob = b"SSHSIG\0\0\0\x01" + b"".join(
        len(part).to_bytes(4, "big") + part for part in (ssh, b"file", b"", b"sha512", ssh)
    )
    yield pem("SSH SIGNATURE", blob)
    yield b"ssh-ed25519 " + base64.b64encode(ssh) + b" someone@example\n"
    yield b'a@example namespaces="file",valid-after="20260101" ssh-ed25519 ' + base64.b64encode(ssh)
    yield pem("CERTIFICATE", certificate())
    yield certificate()
    yield pem("PGP SIGNATURE", _BYTES * 2).replace(b"\n", b"\n\n", 1)
    digest = hashlib.sha256(b"").hexdigest().encode()
    yield digest + b"  disk.img\n" + digest + b" *b\n\\" + digest + b"  a\\nb\n"
    yield b"SHA256 (disk.img) = " + digest + b"\n"
    head = b"example.org/log\n2\n" + _base64(32) + b"\n\n"
    yield head + "\N{EM DASH} example.org/log ".encode() + _base64(68) + b"\n"


def texts() -> Iterator[bytes]:
    """Names, references, headers."""
    yield b"registry.example:5000/team/app:1.0@sha256:" + b"0" * 64
    yield b"https://user@registry.example:8443/a/../b?c=d#sha256:" + b"0" * 64
    yield b'Bearer realm="https://auth.example/token",service="a",scope="repository:a:pull"'
    yield b'</v2/_catalog?last=b&n=100>; rel="next"'
    yield b"sha256:" + b"a" * 64
    yield b"glob:https://github.example/**/release.yml@refs/tags/*"


@cache
def samples() -> list[bytes]:
    """All of them."""
    archives = [tar(), gnu_tar(), tar()[:1024] + bytes(1024), *image_archives()]
    packed = [gzip.compress(tar(), mtime=0), zstd(tar()), lzma.compress(tar()), bz2.compress(b"a")]
    twice = gzip.compress(b"a", mtime=0) + gzip.compress(b"b", mtime=0)
    return [*archives, *packed, twice, *documents(), *signatures(), *texts()]
