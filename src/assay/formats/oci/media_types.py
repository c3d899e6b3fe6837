"""Media types of OCI and Docker images, and what they say about the bytes."""

from __future__ import annotations

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
ARTIFACT_MANIFEST = "application/vnd.oci.artifact.manifest.v1+json"
"""Of a release candidate of image-spec 1.1; withdrawn, and still found in registries."""

INDEX = "index"
MANIFEST = "manifest"
ARTIFACT = "artifact manifest"
SCHEMA_1 = "schema 1 manifest"

DOCUMENT_KINDS = {
    OCI_INDEX: INDEX,
    DOCKER_LIST: INDEX,
    OCI_MANIFEST: MANIFEST,
    DOCKER_MANIFEST: MANIFEST,
    ARTIFACT_MANIFEST: ARTIFACT,
    "application/vnd.docker.distribution.manifest.v1+json": SCHEMA_1,
    "application/vnd.docker.distribution.manifest.v1+prettyjws": SCHEMA_1,
}
"""The kinds of documents that lead on to other blobs, by media type."""

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
IMAGE_CONFIGS = {OCI_CONFIG, DOCKER_CONFIG}
CONFIG_OF = {OCI_MANIFEST: DOCKER_CONFIG, DOCKER_MANIFEST: OCI_CONFIG}
"""For each type of manifest, the type of configuration of an image that is the other's."""

EMPTY = "application/vnd.oci.empty.v1+json"
EMPTY_CONTENT = b"{}"
DOCKER_ATTESTATION = "application/vnd.docker.attestation.manifest.v1+json"
IN_TOTO = "application/vnd.in-toto+json"

_LAYERS = {
    "application/vnd.oci.image.layer.v1.tar": "",
    "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar": "",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": "gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd": "zstd",
    "application/vnd.docker.image.rootfs.diff.tar": "",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar": "",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": "gzip",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.zstd": "zstd",
}
_ENCRYPTED = "+encrypted"


def layer_compression(media_type: str) -> str | None:
    """The compression of a layer of a file system by its media type (empty for none); None when
    it is no such layer."""
    return _LAYERS.get(media_type)


def is_encrypted(media_type: str) -> bool:
    """Whether a layer's type says that it is encrypted (the ocicrypt convention)."""
    return media_type.endswith(_ENCRYPTED)


def is_foreign(media_type: str) -> bool:
    """Whether a layer's type says that registries do not keep it."""
    return ".nondistributable." in media_type or ".foreign." in media_type


def is_document(media_type: str) -> bool:
    """Whether a blob's type says that it is a JSON document and so no file system."""
    return media_type.endswith("+json") or media_type == "application/json"
