"""Whatever bit of an image is flipped, and whatever bytes stand for a document: refused, without
a defect of ours showing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.formats.oci import FORMAT
from assay.model.component import Component, Stored
from assay.model.finding import AssayError
from assay.model.reading import Blob, Options, Site
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.sources.blobs import MemoryBlob
from assay.trust.anchors import Trust
from tests.formats.oci.support import good
from tests.support.images import OCI_MANIFEST, Layout, digest_of


def small(compression: str, algorithm: str = "sha256") -> tuple[Layout, dict[str, Any]]:
    layout = Layout(algorithm)
    image = layout.image([{"etc/os": b"linux"}, {"bin/app": b"app"}], compression=compression)
    return layout, layout.index([image, layout.attestation(image)])


def check(path: Path, digest: str) -> Verdict:
    trust = Trust()
    trust.add_digest(digest)
    [verdict] = verify(f"oci:{path}@{digest}", VerifyOptions(trust))
    return verdict


@pytest.mark.parametrize("compression", ["gzip", "zstd", ""])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_flipped_bit_of_any_blob_is_refused(
    compression: str, algorithm: str, tmp_path: Path, data: st.DataObject
) -> None:
    layout, index = small(compression, algorithm)
    path = tmp_path / "image"
    layout.write(path, index)
    good(check(path, index["digest"]))
    digest = data.draw(st.sampled_from(sorted(layout.blobs)))
    content = bytearray(layout.blobs[digest])
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    (path / "blobs" / Path(*digest.split(":"))).write_bytes(content)
    verdict = check(path, index["digest"])
    assert verdict.exit_status == 1
    assert "internal-error" not in {finding.code for finding in verdict.findings}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_blob_cut_short_or_lengthened_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    layout, index = small("gzip")
    path = tmp_path / "image"
    layout.write(path, index)
    digest = data.draw(st.sampled_from(sorted(layout.blobs)))
    content = layout.blobs[digest]
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content += data.draw(st.binary(min_size=1, max_size=600))
    (path / "blobs" / Path(*digest.split(":"))).write_bytes(content)
    verdict = check(path, index["digest"])
    assert verdict.exit_status == 1
    assert "internal-error" not in {finding.code for finding in verdict.findings}


# total parsers


class AnyStore:
    """Holds a few blobs under their digests, whatever they are."""

    def __init__(self, blobs: dict[str, bytes]) -> None:
        self._blobs = blobs

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> Blob | None:
        return MemoryBlob(self._blobs[name]) if name in self._blobs else None


def read(document: bytes, *blobs: bytes) -> None:
    store = AnyStore({digest_of(blob): blob for blob in blobs})
    component = Component("", "file", Stored("top"))
    for platform in ("", "linux/amd64"):
        site = Site(
            component, MemoryBlob(document), store, Options(platform), media_type=OCI_MANIFEST
        )
        FORMAT.recognise(site)
        try:
            reading = FORMAT.read(site)
        except AssayError:
            continue
        ids = [component.id for component in reading.components]
        assert len(ids) == len(set(ids))


_KEYS = st.sampled_from(
    ["schemaVersion", "mediaType", "config", "layers", "manifests", "blobs", "digest", "size",
     "data", "platform", "os", "architecture", "os.features", "annotations", "subject", "rootfs",
     "diff_ids", "type", "history", "artifactType", "fsLayers", "urls"]
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["sha256:" + "0" * 64, "linux", "application/vnd.oci.image.config.v1+json"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(_KEYS, _JSON, max_size=6))
def test_any_object_is_read_or_refused(value: dict[str, Any]) -> None:
    read(json.dumps(value).encode())


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(_KEYS, _JSON, max_size=6))
def test_any_configuration_is_read_or_refused(value: dict[str, Any]) -> None:
    config = json.dumps(value).encode()
    descriptor = {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": digest_of(config),
        "size": len(config),
    }
    read(
        json.dumps({"schemaVersion": 2, "config": descriptor, "layers": [descriptor]}).encode(),
        config,
    )


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read(data)
