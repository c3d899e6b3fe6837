"""Image archives built in memory, as the Docker engine and others write them.

Each function gives the members by name, in order, ready to be changed before `tar_of` makes an
archive of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.images import Descriptor, Entry, Layout, encode, symlink, tar_of

FULL = "io.containerd.image.name"
REF = "org.opencontainers.image.ref.name"

Members = dict[str, bytes | Entry]


@dataclass
class Archive:
    """An archive in the making. ``ids`` are the digests of the configurations (the image IDs),
    ``manifests`` those of the image manifests, where there are any."""

    members: Members
    ids: list[str] = field(default_factory=list)
    manifests: list[str] = field(default_factory=list)

    @property
    def tar(self) -> bytes:
        """The archive."""
        return tar_of(
            [
                member if isinstance(member, Entry) else Entry(name, member)
                for name, member in self.members.items()
            ]
        )

    def data(self, name: str) -> bytes:
        member = self.members[name]
        assert isinstance(member, bytes)
        return member

    def edit(self, name: str, change: Any) -> None:
        """Change a JSON member in place."""
        document = json.loads(self.data(name))
        change(document)
        self.members[name] = encode(document)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def image_config(layers: Sequence[bytes], platform: str = "linux/amd64") -> bytes:
    system, architecture = platform.split("/")
    return encode(
        {
            "architecture": architecture,
            "os": system,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(data)}" for data in layers]},
            "history": [{"created_by": "test"} for _ in layers],
        }
    )


def old_docker_archive(
    images: dict[str, Sequence[bytes]], *, platforms: Sequence[str] = ()
) -> Archive:
    """As ``docker save`` wrote until version 24: a folder for each layer, the configuration by its
    digest. ``images`` are the plain layers of each image, by its name; a layer that occurs again
    is a link to the first."""
    archive = Archive({})
    described: list[dict[str, Any]] = []
    folders: dict[bytes, str] = {}
    for number, (name, layers) in enumerate(images.items()):
        platform = platforms[number] if platforms else "linux/amd64"
        config = image_config(layers, platform)
        paths: list[str] = []
        for position, layer in enumerate(layers):
            folder = sha256(f"{name}{position}".encode())
            archive.members[f"{folder}/VERSION"] = b"1.0"
            archive.members[f"{folder}/json"] = encode({"id": folder})
            path = f"{folder}/layer.tar"
            if layer in folders:
                archive.members[path] = symlink(path, f"../{folders[layer]}/layer.tar")
            else:
                folders[layer] = folder
                archive.members[path] = layer
            paths.append(path)
        archive.members[f"{sha256(config)}.json"] = config
        archive.ids.append(f"sha256:{sha256(config)}")
        described.append({"Config": f"{sha256(config)}.json", "RepoTags": [name], "Layers": paths})
    archive.members["manifest.json"] = encode(described)
    archive.members["repositories"] = encode({})
    return archive


def layout_members(layout: Layout, entries: Sequence[Descriptor]) -> Members:
    """The members of an archive of an OCI layout."""
    members: Members = {
        f"blobs/{digest.replace(':', '/')}": data for digest, data in layout.blobs.items()
    }
    listed = [{key: e[key] for key in e if key != "platform"} for e in entries]
    members["index.json"] = encode({"schemaVersion": 2, "manifests": listed})
    members["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    return members


def oci_archive(images: dict[str, Sequence[Any]], compression: str = "gzip") -> Archive:
    """An archive of an OCI layout, of images by reference name."""
    layout = Layout()
    entries = []
    for name, layers in images.items():
        image = layout.image(layers, compression=compression)
        entries.append({**image, "annotations": {REF: name}})
    return Archive(
        layout_members(layout, entries),
        [layout.read(entry)["config"]["digest"] for entry in entries],
        [entry["digest"] for entry in entries],
    )


def new_docker_archive(images: dict[str, Sequence[bytes]], compression: str = "") -> Archive:
    """As ``docker save`` writes since version 25: an OCI layout, and manifest.json beside it. The
    names are full ones; manifest.json has their last parts."""
    layout = Layout()
    entries, described = [], []
    for name, layers in images.items():
        image = layout.image(layers, compression=compression)
        entries.append(
            {**image, "annotations": {FULL: name, REF: name.rpartition(":")[2] or "latest"}}
        )
        manifest = layout.read(image)
        described.append(
            {
                "Config": "blobs/" + manifest["config"]["digest"].replace(":", "/"),
                "RepoTags": [name.rpartition("/")[2]],
                "Layers": [
                    "blobs/" + layer["digest"].replace(":", "/") for layer in manifest["layers"]
                ],
            }
        )
    archive = Archive(
        layout_members(layout, entries),
        [layout.read(entry)["config"]["digest"] for entry in entries],
        [entry["digest"] for entry in entries],
    )
    archive.members["manifest.json"] = encode(described)
    return archive
