"""OCI and Docker images built in memory, honest by default and defective on request.

    layout = Layout()
    image = layout.image([{"etc/hostname": b"assay"}])
    name = layout.write(tmp_path / "image", image)      # "oci:/.../image"

A layer's content is a dictionary of path and bytes, a list of `Entry`, or the bytes of a tar
archive (see `tests.sources.tars` for archives that no honest tool would write). Every document
that a method builds can be changed before it is stored with ``change``, a function that is handed
the document and edits it in place.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
IN_TOTO = "application/vnd.in-toto+json"

Document = dict[str, Any]
Descriptor = dict[str, Any]
Change = Callable[[Document], object]


@dataclass
class Entry:
    """One member of a layer: a file, unless ``kind`` says otherwise (``tarfile.DIRTYPE``)."""

    name: str
    data: bytes = b""
    kind: bytes = tarfile.REGTYPE
    link: str = ""
    mode: int = 0o644
    user: int = 0
    group: int = 0
    device: tuple[int, int] = (0, 0)
    records: dict[str, str] = field(default_factory=dict)


def folder(name: str, mode: int = 0o755) -> Entry:
    return Entry(name, kind=tarfile.DIRTYPE, mode=mode)


def symlink(name: str, target: str) -> Entry:
    return Entry(name, kind=tarfile.SYMTYPE, link=target, mode=0o777)


def hard_link(name: str, target: str) -> Entry:
    return Entry(name, kind=tarfile.LNKTYPE, link=target)


def whiteout(path: str) -> Entry:
    """The mark that removes ``path`` of the layers below."""
    parent, slash, name = path.rpartition("/")
    return Entry(f"{parent}{slash}.wh.{name}")


def opaque(path: str) -> Entry:
    """The mark that hides all that the layers below have in the folder ``path``."""
    return Entry(f"{path}/.wh..wh..opq")


Content = Mapping[str, bytes] | Sequence[Entry] | bytes


def tar_of(content: Content) -> bytes:
    """A layer's content as an uncompressed archive, the same for the same content."""
    if isinstance(content, bytes):
        return content
    entries = (
        [Entry(name, data) for name, data in content.items()]
        if isinstance(content, Mapping)
        else content
    )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type, info.linkname, info.mode = entry.kind, entry.link, entry.mode
            info.uid, info.gid = entry.user, entry.group
            info.devmajor, info.devminor = entry.device
            info.size = len(entry.data)
            info.pax_headers = dict(entry.records)
            tar.addfile(info, io.BytesIO(entry.data))
    return buffer.getvalue()


def compressed(data: bytes, compression: str) -> bytes:
    """``gzip``, ``zstd``, or nothing at all for an empty name."""
    if compression == "gzip":
        return gzip.compress(data, 1, mtime=0)
    if compression == "zstd":
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
        return zstd.compress(data, 1)
    return data


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def encode(document: Document) -> bytes:
    return json.dumps(document, indent=1).encode()


@dataclass
class Layer:
    """A layer that is in a layout: its descriptor, and what a configuration says of it."""

    descriptor: Descriptor
    diff_id: str
    tar: bytes


def platform_of(text: str) -> Document:
    """``os/architecture[/variant]`` as a platform object."""
    names = ("os", "architecture", "variant")
    return dict(zip(names, text.split("/"), strict=False))


class Layout:
    """An OCI layout in the making. ``blobs`` holds everything, by digest."""

    def __init__(self, algorithm: str = "sha256") -> None:
        self.algorithm = algorithm
        self.blobs: dict[str, bytes] = {}

    # parts

    def put(self, data: bytes, media_type: str, /, **fields: Any) -> Descriptor:
        """Store a blob; its descriptor, with ``fields`` added or replaced."""
        digest = digest_of(data, self.algorithm)
        self.blobs[digest] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data), **fields}

    def document(
        self, document: Document, media_type: str, change: Change | None = None, **fields: Any
    ) -> Descriptor:
        """Store a JSON document, changed first."""
        if change is not None:
            change(document)
        return self.put(encode(document), media_type, **fields)

    def read(self, descriptor: Descriptor) -> Document:
        """A stored document, to look something up in it."""
        found: Document = json.loads(self.blobs[descriptor["digest"]])
        return found

    def layer(
        self,
        content: Content,
        compression: str = "gzip",
        *,
        docker: bool = False,
        trailing: bytes = b"",
        media_type: str = "",
        **fields: Any,
    ) -> Layer:
        """Store a layer; ``trailing`` bytes follow its compressed stream."""
        tar = tar_of(content)
        if not media_type:
            mark = "." if docker else "+"
            media_type = DOCKER_LAYER if docker else OCI_LAYER
            media_type += f"{mark}{compression}" if compression else ""
        data = compressed(tar, compression) + trailing
        return Layer(self.put(data, media_type, **fields), digest_of(tar, self.algorithm), tar)

    # images

    def image(
        self,
        layers: Sequence[Content | Layer] = ({"etc/hostname": b"assay"},),
        platform: str = "linux/amd64",
        *,
        compression: str = "gzip",
        docker: bool = False,
        history: bool = True,
        config: Change | None = None,
        manifest: Change | None = None,
        **fields: Any,
    ) -> Descriptor:
        """Store an image; the descriptor of its manifest, with its platform. ``config`` and
        ``manifest`` change these documents before they are stored."""
        built = [
            layer if isinstance(layer, Layer) else self.layer(layer, compression, docker=docker)
            for layer in layers
        ]
        described = self.document(
            {
                **platform_of(platform),
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in built]},
                **({"history": [{"created_by": "test"} for _ in built]} if history else {}),
            },
            DOCKER_CONFIG if docker else OCI_CONFIG,
            config,
        )
        media_type = DOCKER_MANIFEST if docker else OCI_MANIFEST
        return self.document(
            {
                "schemaVersion": 2,
                "mediaType": media_type,
                "config": described,
                "layers": [layer.descriptor for layer in built],
            },
            media_type,
            manifest,
            **{"platform": platform_of(platform), **fields},
        )

    def index(
        self,
        entries: Sequence[Descriptor],
        *,
        docker: bool = False,
        change: Change | None = None,
        **fields: Any,
    ) -> Descriptor:
        """Store an index (or a Docker manifest list) of the images given."""
        media_type = DOCKER_LIST if docker else OCI_INDEX
        document = {"schemaVersion": 2, "mediaType": media_type, "manifests": list(entries)}
        return self.document(document, media_type, change, **fields)

    def artifact(
        self,
        blobs: Mapping[str, bytes],
        artifact_type: str = "application/vnd.example.thing",
        *,
        subject: Descriptor | None = None,
        change: Change | None = None,
        **fields: Any,
    ) -> Descriptor:
        """Store an artifact: ``blobs`` by media type, and the empty configuration."""
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": artifact_type,
            "config": self.put(b"{}", OCI_EMPTY, data="e30="),
            "layers": [self.put(data, media_type) for media_type, data in blobs.items()],
        }
        if subject is not None:
            document["subject"] = {name: subject[name] for name in ("mediaType", "digest", "size")}
        return self.document(document, OCI_MANIFEST, change, **fields)

    def attestation(
        self, of: Descriptor, *, change: Change | None = None, **annotations: str
    ) -> Descriptor:
        """Store a BuildKit attestation manifest for an image of the same index."""
        algorithm, _, value = of["digest"].partition(":")
        statement = encode(
            {
                "_type": "https://in-toto.io/Statement/v0.1",
                "subject": [{"name": "pkg:docker/app", "digest": {algorithm: value}}],
                "predicateType": "https://slsa.dev/provenance/v0.2",
                "predicate": {
                    "builder": {"id": "https://builder.example"},
                    "buildType": "https://mobyproject.org/buildkit@v1",
                    "invocation": {
                        "configSource": {"uri": "https://git.example/app.git#refs/heads/main"}
                    },
                },
            }
        )
        layer = self.put(
            statement,
            IN_TOTO,
            annotations={"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"},
        )
        config = self.document(
            {
                "architecture": "unknown",
                "os": "unknown",
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
            },
            OCI_CONFIG,
        )
        return self.document(
            {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": config,
                "layers": [layer],
            },
            OCI_MANIFEST,
            change,
            platform={"architecture": "unknown", "os": "unknown"},
            annotations={
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": of["digest"],
                **annotations,
            },
        )

    # on disk

    def write(self, path: Path, *entries: Descriptor, tag: str = "latest") -> str:
        """Write the layout with these entries in its index.json (the first one tagged); its
        name for the command line."""
        for digest, data in self.blobs.items():
            algorithm, _, name = digest.partition(":")
            file = path / "blobs" / algorithm / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        path.mkdir(parents=True, exist_ok=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        listed = [
            {key: value for key, value in entry.items() if key != "platform"} for entry in entries
        ]
        if listed and tag:
            annotations = listed[0].get("annotations", {})
            listed[0]["annotations"] = {
                **annotations,
                "org.opencontainers.image.ref.name": tag,
            }
        (path / "index.json").write_bytes(encode({"schemaVersion": 2, "manifests": listed}))
        return f"oci:{path}"
