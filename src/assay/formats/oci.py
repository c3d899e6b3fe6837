"""OCI and Docker images: manifests, indexes, configurations, layers.

OCI image-spec 1.1 (manifest.md, image-index.md, config.md, layer.md, descriptor.md) and the Docker
image manifest version 2, schema 2.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from msgspec import Struct

from assay import limits, strict_json
from assay.measure.inflate import compression_of
from assay.model.claim import Claim, DigestIs, SizeIs
from assay.model.codes import content as content_codes
from assay.model.codes import oci as codes
from assay.model.component import Component, Derived, Extent, Stored
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.model.reading import Reading, Site
from assay.model.verdict import NotChecked
from assay.sources.blobs import MemoryBlob, read_document

INDEX_TYPES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
MANIFEST_TYPES = {
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
}
CONFIG_TYPES = {
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
}
_LAYER_COMPRESSION = {
    "application/vnd.oci.image.layer.v1.tar": "",
    "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar": "",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": "gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd": "zstd",
    "application/vnd.docker.image.rootfs.diff.tar": "",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": "gzip",
}


class Descriptor(Struct, frozen=True):
    """An OCI descriptor whose syntax is right. Nothing in it is believed."""

    digest: Digest
    size: int
    media_type: str
    platform: str
    urls: tuple[str, ...]
    data: bytes | None
    annotations: dict[str, str]
    artifact_type: str


def platform_name(value: Any) -> str:
    """``os/architecture[/variant]`` of a platform object; empty when it has none."""
    if not isinstance(value, dict):
        return ""
    parts = [value.get("os"), value.get("architecture"), value.get("variant")]
    return "/".join(part for part in parts if isinstance(part, str) and part)


def parse_descriptor(value: Any, where: str) -> Descriptor:
    """Check a descriptor's syntax (descriptor.md). Raises AssayError (descriptor-malformed)."""

    def bad(detail: str, actual: object = "") -> AssayError:
        return AssayError(
            Finding.of(codes.DESCRIPTOR_MALFORMED, detail=f"{where}: {detail}", actual=actual)
        )

    if not isinstance(value, dict):
        raise bad("not an object")
    digest, size, media_type = value.get("digest"), value.get("size"), value.get("mediaType")
    if not isinstance(digest, str):
        raise bad("no digest")
    try:
        parsed = Digest.parse(digest)
    except ValueError as error:
        raise bad(f"digest: {error}") from error
    if not parsed.binding:
        raise bad("digest: the algorithm is broken", parsed.algorithm)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise bad("size is not a count of bytes", repr(size)[:40])
    if not isinstance(media_type, str) or not media_type:
        raise bad("no mediaType")
    data = value.get("data")
    content = None
    if data is not None:
        try:
            content = base64.b64decode(data, validate=True)
        except (TypeError, ValueError, binascii.Error) as error:
            raise bad("data is not base64") from error
    annotations = value.get("annotations") or {}
    urls = value.get("urls") or []
    return Descriptor(
        digest=parsed,
        size=size,
        media_type=media_type,
        platform=platform_name(value.get("platform")),
        urls=tuple(url for url in urls if isinstance(url, str)) if isinstance(urls, list) else (),
        data=content,
        annotations={key: text for key, text in annotations.items() if isinstance(text, str)}
        if isinstance(annotations, dict)
        else {},
        artifact_type=str(value.get("artifactType") or ""),
    )


class OciFormat:
    """Image manifests and indexes, wherever their blobs are stored."""

    name = "oci"

    def recognise(self, site: Site) -> bool:
        if site.store is None:
            return False
        try:
            head = site.blob.read_at(0, limits.MANIFEST_SIZE)
            value = strict_json.parse(head, "")
        except AssayError:
            return site.media_type in INDEX_TYPES | MANIFEST_TYPES
        return isinstance(value, dict) and value.get("schemaVersion") == 2

    def read(self, site: Site) -> Reading:
        return _Reader(site).read()


class _Reader:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.reading = Reading()
        self.options = site.options
        self.platforms_seen: list[str] = []

    def read(self) -> Reading:
        self._document(
            self.site.component.extent,
            self.site.blob,
            media_type=self.site.media_type,
            prefix=self.site.prefix,
            parent="",
            depth=0,
            platform="",
        )
        if self.options.platform and not self.reading.targets:
            self.reading.findings.append(
                Finding.of(
                    codes.NO_SUCH_PLATFORM,
                    self.reading.components[0].id if self.reading.components else "",
                    expected=self.options.platform,
                    actual=", ".join(self.platforms_seen) or "an image without platforms",
                )
            )
        return self.reading

    def _name(self, prefix: str, name: str) -> str:
        return f"{prefix}/{name}" if prefix else name

    def _document(
        self,
        extent: Extent,
        blob: Any,
        *,
        media_type: str,
        prefix: str,
        parent: str,
        depth: int,
        platform: str,
    ) -> str:
        """Read a manifest or index; the id of its component."""
        assert isinstance(extent, Stored)
        data = read_document(blob, limits.MANIFEST_SIZE, "a manifest")
        self.reading.blobs[extent.blob] = MemoryBlob(data)
        try:
            value = strict_json.parse_object(data, "")
        except AssayError as error:
            component = self._name(prefix, "manifest")
            self._component(component, "oci-manifest", extent, parent, len(data), media_type)
            self._find(error.finding, component)
            self.reading.targets.append(component)
            return component
        is_index = "manifests" in value
        kind = "index" if is_index else "manifest"
        component = self._name(prefix, kind)
        labels = {"platform": platform} if platform else {}
        stated = value.get("mediaType")
        self._component(
            component,
            f"oci-{kind}",
            extent,
            parent,
            len(data),
            stated if isinstance(stated, str) else media_type,
            labels=labels,
        )
        if is_index and ("layers" in value or "config" in value):
            self._find(Finding.of(codes.AMBIGUOUS_MANIFEST, component), component)
        if isinstance(stated, str) and media_type and stated != media_type:
            self._find(
                Finding.of(
                    codes.MEDIA_TYPE_MISMATCH, component, expected=media_type, actual=stated
                ),
                component,
            )
        if is_index:
            self._index(value, component, prefix, depth)
        else:
            self._manifest(value, component, prefix, platform)
        return component

    def _component(
        self,
        component: str,
        kind: str,
        extent: Extent,
        parent: str,
        size: int | None,
        media_type: str,
        labels: dict[str, str] | None = None,
    ) -> None:
        self.reading.components.append(
            Component(
                component, kind, extent, parent, size, media_type=media_type, labels=labels or {}
            )
        )

    def _find(self, finding: Finding, component: str) -> None:
        import msgspec

        self.reading.findings.append(
            finding if finding.component else msgspec.structs.replace(finding, component=component)
        )

    # indexes

    def _index(self, value: dict[str, Any], component: str, prefix: str, depth: int) -> None:
        entries = value.get("manifests")
        if not isinstance(entries, list):
            self._find(
                Finding.of(content_codes.MALFORMED, component, "manifests is not a list"), component
            )
            return
        if depth >= limits.INDEX_DEPTH or len(entries) > limits.INDEX_ENTRIES:
            self._find(
                Finding.of(
                    content_codes.LIMIT_EXCEEDED,
                    component,
                    f"an index of {len(entries)} entries at depth {depth}",
                ),
                component,
            )
            return
        taken: set[str] = set()
        for number, entry in enumerate(entries):
            field = f"manifests[{number}]"
            try:
                descriptor = parse_descriptor(entry, field)
            except AssayError as error:
                self._find(error.finding, component)
                continue
            self._index_entry(descriptor, field, component, prefix, depth, taken, number)

    def _index_entry(
        self,
        descriptor: Descriptor,
        field: str,
        component: str,
        prefix: str,
        depth: int,
        taken: set[str],
        number: int,
    ) -> None:
        platform = descriptor.platform
        attestation = (
            descriptor.annotations.get("vnd.docker.reference.type") == "attestation-manifest"
        )
        if platform and not attestation:
            self.platforms_seen.append(platform)
        label = f"attestation[{number}]" if attestation else platform or f"manifests[{number}]"
        if label in taken:
            label = f"{label}[{number}]"
        taken.add(label)
        below = self._name(prefix, label)
        nested = descriptor.media_type in INDEX_TYPES
        wanted = self.options.platform
        if wanted and not nested and (attestation or not _platform_matches(wanted, platform)):
            self.reading.not_checked.append(
                NotChecked(below, f"outside --platform {wanted}", descriptor.size)
            )
            return
        self._check_data(descriptor, component, field)
        blob = self._blob(descriptor, below, component, field)
        if blob is None:
            return
        try:
            child = self._document(
                Stored(str(descriptor.digest)),
                blob,
                media_type=descriptor.media_type,
                prefix=below,
                parent=component,
                depth=depth + 1,
                platform=platform,
            )
        except AssayError as error:
            self._find(error.finding, below)
            return
        self._claim(descriptor, child, component, field)

    def _claim(self, descriptor: Descriptor, subject: str, origin: str, field: str) -> None:
        self.reading.claims.append(
            Claim(subject, origin, DigestIs(descriptor.digest), f"{field}.digest")
        )
        self.reading.claims.append(Claim(subject, origin, SizeIs(descriptor.size), f"{field}.size"))

    def _check_data(self, descriptor: Descriptor, component: str, field: str) -> None:
        if descriptor.data is None:
            return
        from assay.measure.hashing import hash_bytes

        actual = hash_bytes(descriptor.digest.algorithm, descriptor.data)
        if actual != descriptor.digest.value or len(descriptor.data) != descriptor.size:
            self._find(
                Finding.of(
                    codes.EMBEDDED_DATA_MISMATCH,
                    component,
                    f"{field}.data is not what {field}.digest names",
                    expected=f"{descriptor.digest}, {descriptor.size} bytes",
                    actual=f"{descriptor.digest.algorithm}:{actual.hex()},"
                    f" {len(descriptor.data)} bytes",
                ),
                component,
            )

    def _blob(self, descriptor: Descriptor, name: str, component: str, field: str) -> Any:
        assert self.site.store is not None
        try:
            blob = self.site.store.blob(
                str(descriptor.digest), size=descriptor.size, media_type=descriptor.media_type
            )
        except AssayError as error:
            self._find(error.finding, name)
            self.reading.not_checked.append(NotChecked(name, error.finding.code, descriptor.size))
            return None
        if blob is None and descriptor.data is not None:
            blob = MemoryBlob(descriptor.data)
        if blob is None:
            self._find(
                Finding.of(
                    content_codes.MISSING_COMPONENT,
                    name,
                    f"{component} ({field}) names {descriptor.digest}, and it is not there",
                    expected=f"{descriptor.digest}, {descriptor.size} bytes",
                    actual="nothing",
                ),
                name,
            )
            self.reading.not_checked.append(NotChecked(name, "missing", descriptor.size))
        return blob

    # manifests

    def _manifest(self, value: dict[str, Any], component: str, prefix: str, platform: str) -> None:
        self.reading.targets.append(component)
        layers = value.get("layers")
        if not isinstance(layers, list):
            self._find(
                Finding.of(content_codes.MALFORMED, component, "layers is not a list"), component
            )
            layers = []
        if len(layers) > limits.LAYERS:
            self._find(
                Finding.of(content_codes.LIMIT_EXCEEDED, component, f"{len(layers)} layers"),
                component,
            )
            layers = []
        config = self._config(value.get("config"), component, prefix, platform)
        diff_ids = self._diff_ids(config, prefix)
        if diff_ids is not None and len(diff_ids) != len(layers):
            self._find(
                Finding.of(
                    codes.LAYER_COUNT_MISMATCH,
                    component,
                    expected=f"{len(diff_ids)} diff_ids in the configuration",
                    actual=f"{len(layers)} layers in the manifest",
                ),
                component,
            )
        if config is not None and diff_ids is not None:
            self._history(config, component, len(layers))
        for number, entry in enumerate(layers):
            field = f"layers[{number}]"
            try:
                descriptor = parse_descriptor(entry, field)
            except AssayError as error:
                self._find(error.finding, component)
                continue
            diff_id = diff_ids[number] if diff_ids is not None and number < len(diff_ids) else None
            self._layer(descriptor, field, number, diff_id, component, prefix)

    def _config(
        self, value: Any, component: str, prefix: str, platform: str
    ) -> dict[str, Any] | None:
        if value is None:
            self._find(Finding.of(codes.DESCRIPTOR_MALFORMED, component, "no config"), component)
            return None
        try:
            descriptor = parse_descriptor(value, "config")
        except AssayError as error:
            self._find(error.finding, component)
            return None
        name = self._name(prefix, "config")
        self._check_data(descriptor, component, "config")
        blob = self._blob(descriptor, name, component, "config")
        if blob is None:
            return None
        try:
            data = read_document(blob, limits.MANIFEST_SIZE, "the configuration")
        except AssayError as error:
            self._find(error.finding, name)
            return None
        self.reading.blobs[str(descriptor.digest)] = MemoryBlob(data)
        self._component(
            name,
            "oci-config",
            Stored(str(descriptor.digest)),
            component,
            len(data),
            descriptor.media_type,
        )
        self._claim(descriptor, name, component, "config")
        if descriptor.media_type not in CONFIG_TYPES:
            return None
        try:
            config = strict_json.parse_object(data, "")
        except AssayError as error:
            self._find(error.finding, name)
            return None
        stated = platform_name(config)
        if platform and stated and not _platform_matches(platform, stated):
            self._find(
                Finding.of(codes.PLATFORM_MISMATCH, name, expected=platform, actual=stated), name
            )
        if self.options.platform and not platform:
            self.platforms_seen.append(stated)
            if not _platform_matches(self.options.platform, stated):
                self.reading.targets.remove(component)
        return config

    def _diff_ids(self, config: dict[str, Any] | None, prefix: str) -> list[Digest | None] | None:
        if config is None:
            return None
        name = self._name(prefix, "config")
        rootfs = config.get("rootfs")
        listed = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
        if not isinstance(listed, list):
            self._find(
                Finding.of(content_codes.MALFORMED, name, "rootfs.diff_ids is not a list"), name
            )
            return None
        found: list[Digest | None] = []
        for number, text in enumerate(listed[: limits.LAYERS]):
            try:
                found.append(Digest.parse(text if isinstance(text, str) else repr(text)))
            except ValueError as error:
                found.append(None)
                self._find(
                    Finding.of(
                        content_codes.MALFORMED, name, f"rootfs.diff_ids[{number}]: {error}"
                    ),
                    name,
                )
        return found

    def _history(self, config: dict[str, Any], component: str, layers: int) -> None:
        history = config.get("history")
        if not isinstance(history, list) or not history:
            return
        filled = sum(
            1 for entry in history if isinstance(entry, dict) and not entry.get("empty_layer")
        )
        if filled != layers:
            self._find(
                Finding.of(
                    codes.HISTORY_MISMATCH,
                    component,
                    expected=f"{layers} layers",
                    actual=f"{filled} history entries that are not empty",
                ),
                component,
            )

    def _layer(
        self,
        descriptor: Descriptor,
        field: str,
        number: int,
        diff_id: Digest | None,
        component: str,
        prefix: str,
    ) -> None:
        name = self._name(prefix, f"layer[{number}]")
        self._check_data(descriptor, component, field)
        foreign = "nondistributable" in descriptor.media_type or "foreign" in descriptor.media_type
        assert self.site.store is not None
        if foreign:
            try:
                blob = self.site.store.blob(
                    str(descriptor.digest), size=descriptor.size, media_type=descriptor.media_type
                )
            except AssayError:
                blob = None
            if blob is None:
                self._find(
                    Finding.of(
                        codes.FOREIGN_LAYER,
                        name,
                        f"{descriptor.digest} ({descriptor.size} bytes) lives elsewhere",
                    ),
                    name,
                )
                self.reading.not_checked.append(NotChecked(name, "foreign layer", descriptor.size))
                return
        else:
            blob = self._blob(descriptor, name, component, field)
        if blob is None:
            return
        key = str(descriptor.digest)
        self.reading.blobs.setdefault(key, blob)
        self._component(
            name, "oci-layer", Stored(key), component, descriptor.size, descriptor.media_type
        )
        self._claim(descriptor, name, component, field)
        stated = _LAYER_COMPRESSION.get(descriptor.media_type)
        if stated is None:
            if diff_id is not None or "layer" in descriptor.media_type:
                self._find(
                    Finding.of(codes.UNKNOWN_LAYER_TYPE, name, actual=descriptor.media_type), name
                )
            if diff_id is None:
                return
        try:
            actual = compression_of(blob.read_at(0, 8))
        except AssayError as error:
            self._find(error.finding, name)
            return
        if stated is not None and stated != actual:
            self._find(
                Finding.of(
                    codes.NOT_CONFIGURED_COMPRESSION,
                    name,
                    expected=stated or "no compression",
                    actual=actual or "no compression",
                ),
                name,
            )
        content = name
        if actual:
            content = f"{name}/content"
            self._component(content, "tar", Derived(name, actual), name, None, "")
        if diff_id is not None:
            self.reading.claims.append(
                Claim(
                    content,
                    self._name(prefix, "config"),
                    DigestIs(diff_id),
                    f"rootfs.diff_ids[{number}]",
                )
            )


def _platform_matches(wanted: str, actual: str) -> bool:
    """Whether ``actual`` is ``wanted``, where a variant not asked for matches any."""
    asked, have = wanted.split("/"), actual.split("/")
    return have[: len(asked)] == asked


FORMAT = OciFormat()
