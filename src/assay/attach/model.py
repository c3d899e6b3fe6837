"""What is attached, and to what."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from assay.model.digest import Digest

EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
EMPTY_CONFIG = b"{}"


class Subject(Struct, frozen=True):
    """The descriptor of the manifest that something is attached to."""

    media_type: str
    digest: Digest
    size: int


class Layer(Struct, frozen=True):
    """One blob of an attachment: a bundle, an envelope, a payload with its annotations."""

    media_type: str
    data: bytes
    annotations: Mapping[str, str] = field(default_factory=dict)


class Attachment(Struct, frozen=True):
    """A signature or an attestation as it is to be stored. Without an ``artifact_type`` the type
    of the configuration stands for it. Under a tag of cosign's, only the layers count: the rest
    belongs to the list that they are added to."""

    artifact_type: str
    layers: tuple[Layer, ...]
    config_media_type: str = EMPTY_TYPE
    config: bytes = EMPTY_CONFIG
    annotations: Mapping[str, str] = field(default_factory=dict)
