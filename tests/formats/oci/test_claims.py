"""Everything that an image says about itself is compared with what it is."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.model.finding import Severity
from tests.formats.oci.support import finding, good, odd, verdict_on
from tests.support.images import (
    DOCKER_FOREIGN,
    OCI_FOREIGN,
    OCI_LAYER,
    Document,
    Entry,
    Layer,
    Layout,
    digest_of,
)

ERROR, WARNING = Severity.ERROR, Severity.WARNING


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("compression", ["gzip", "zstd", ""])
@pytest.mark.parametrize("docker", [False, True])
def test_an_honest_image(tmp_path: Path, algorithm: str, compression: str, docker: bool) -> None:
    layout = Layout(algorithm)
    image = layout.image([{"a": b"1" * 5000}, {"b": b"2"}], compression=compression, docker=docker)
    verdict = verdict_on(layout, image, tmp_path)
    good(verdict)
    ids = {component.id for component in verdict.components}
    assert {"manifest", "config", "layer[0]", "layer[1]"} <= ids
    assert ("layer[0]/content" in ids) is bool(compression)
    assert verdict.claims_held >= 2 * 4 + 2


def test_two_layers_that_are_one_blob(tmp_path: Path) -> None:
    layout = Layout()
    layer = layout.layer({"a": b"1"})
    good(verdict_on(layout, layout.image([layer, layer]), tmp_path))


def test_a_gzip_layer_of_several_members(tmp_path: Path) -> None:
    import gzip

    layout = Layout()
    layer = layout.layer({"a": b"1" * 2000, "b": b"2" * 2000}, "")
    data = gzip.compress(layer.tar[:1500]) + gzip.compress(layer.tar[1500:])
    described = layout.put(data, OCI_LAYER + "+gzip")
    good(verdict_on(layout, layout.image([Layer(described, layer.diff_id, layer.tar)]), tmp_path))


def changed(key: str, value: Any) -> Callable[[Document], object]:
    """A change of one field, given as a path with dots."""
    *path, last = key.split(".")

    def change(document: Document) -> None:
        at: Any = document
        for step in path:
            at = at[int(step)] if step.isdigit() else at[step]
        if value is None:
            del at[last]
        else:
            at[int(last) if last.isdigit() else last] = value

    return change


@pytest.mark.parametrize(
    ("key", "value", "code", "severity"),
    [
        ("layers.0.size", 1, "size-mismatch", ERROR),
        ("layers.0.digest", digest_of(b"other"), "missing-component", ERROR),
        ("layers.0.digest", "sha256:" + "A" * 64, "descriptor-malformed", ERROR),
        ("layers.0.digest", "md5:" + "0" * 32, "descriptor-malformed", ERROR),
        ("layers.0.digest", "sha257:" + "0" * 64, "descriptor-malformed", ERROR),
        ("layers.0.digest", None, "descriptor-malformed", ERROR),
        ("layers.0.size", -1, "descriptor-malformed", ERROR),
        ("layers.0.size", 1.5, "descriptor-malformed", ERROR),
        ("layers.0.size", True, "descriptor-malformed", ERROR),
        ("layers.0.size", 2**63, "descriptor-malformed", ERROR),
        ("layers.0.size", "100", "descriptor-malformed", ERROR),
        ("layers.0.mediaType", None, "descriptor-malformed", ERROR),
        ("layers.0.mediaType", "not a type", "descriptor-malformed", ERROR),
        ("layers.0", "sha256:abc", "descriptor-malformed", ERROR),
        ("layers.0.data", "????", "descriptor-malformed", ERROR),
        ("layers.0.data", base64.b64encode(b"other").decode(), "embedded-data-mismatch", ERROR),
        ("layers.0.mediaType", OCI_LAYER, "layer-compression-mismatch", WARNING),
        ("layers.0.mediaType", OCI_LAYER + "+zstd", "layer-compression-mismatch", WARNING),
        ("layers.0.mediaType", "application/x-future", "unknown-layer-type", WARNING),
        ("layers", None, "malformed", ERROR),
        ("layers", {}, "malformed", ERROR),
        ("layers", [], "layer-count-mismatch", ERROR),
        ("config.size", 1, "size-mismatch", ERROR),
        ("config.digest", digest_of(b"other"), "missing-component", ERROR),
        ("config", None, "descriptor-malformed", ERROR),
        ("config.mediaType", "application/vnd.docker.container.image.v1+json",
         "config-type-mismatch", WARNING),
        ("schemaVersion", 3, "malformed", ERROR),
        ("schemaVersion", None, "malformed", ERROR),
        ("mediaType", 7, "malformed", ERROR),
        ("subject", {"digest": "x"}, "descriptor-malformed", ERROR),
    ],
)  # fmt: skip
def test_a_wrong_claim_of_the_manifest(
    tmp_path: Path, key: str, value: Any, code: str, severity: Severity
) -> None:
    layout = Layout()
    image = layout.image([{"a": b"1" * 3000}], manifest=changed(key, value))
    verdict = verdict_on(layout, image, tmp_path)
    assert odd(verdict)[code] is severity
    assert verdict.exit_status == (1 if severity is ERROR else 0)


@pytest.mark.parametrize(
    ("key", "value", "code", "severity"),
    [
        ("rootfs.diff_ids.0", digest_of(b"other"), "digest-mismatch", ERROR),
        ("rootfs.diff_ids.0", "sha256:1", "malformed", ERROR),
        ("rootfs.diff_ids.0", "md5:" + "0" * 32, "malformed", ERROR),
        ("rootfs.diff_ids.0", 7, "malformed", ERROR),
        ("rootfs.diff_ids", [], "layer-count-mismatch", ERROR),
        ("rootfs.diff_ids", [digest_of(b"1")] * 2, "layer-count-mismatch", ERROR),
        ("rootfs.diff_ids", "x", "malformed", ERROR),
        ("rootfs", None, "malformed", ERROR),
        ("rootfs.type", "dirs", "malformed", ERROR),
        ("history", [{}, {}], "history-mismatch", WARNING),
        ("architecture", "arm64", "platform-mismatch", ERROR),
    ],
)
def test_a_wrong_claim_of_the_configuration(
    tmp_path: Path, key: str, value: Any, code: str, severity: Severity
) -> None:
    layout = Layout()
    image = layout.image([{"a": b"1" * 3000}], config=changed(key, value))
    verdict = verdict_on(layout, layout.index([image]), tmp_path)
    assert odd(verdict)[code] is severity
    assert verdict.exit_status == (1 if severity is ERROR else 0)


def test_history_entries_without_a_layer_do_not_count(tmp_path: Path) -> None:
    layout = Layout()
    history = [{"empty_layer": True}, {}, {"empty_layer": True}]
    good(verdict_on(layout, layout.image(config=changed("history", history)), tmp_path))


def test_layers_in_another_order_than_the_configuration_has_them(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image(
        [{"a": b"1"}, {"b": b"2"}], manifest=lambda document: document["layers"].reverse()
    )
    verdict = verdict_on(layout, image, tmp_path)
    broken = [f.component for f in verdict.findings if f.code == "digest-mismatch"]
    assert broken == ["layer[0]/content", "layer[1]/content"]


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_bytes_after_the_compressed_stream(tmp_path: Path, compression: str) -> None:
    layout = Layout()
    image = layout.image([layout.layer({"a": b"1"}, compression, trailing=b"hidden")])
    verdict = verdict_on(layout, image, tmp_path)
    assert odd(verdict)["trailing-data"] is ERROR
    assert verdict.exit_status == 1


def test_a_second_archive_behind_a_plain_layer(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image(
        [layout.layer({"a": b"1"}, "", trailing=b"hidden")],
        config=lambda document: document["rootfs"].update(diff_ids=[]),
    )
    assert odd(verdict_on(layout, image, tmp_path))["archive-trailing-data"] is ERROR


def test_a_truncated_layer(tmp_path: Path) -> None:
    layout = Layout()
    layer = layout.layer({"a": bytes(range(256)) * 100})
    image = layout.image([layer])
    digest = layer.descriptor["digest"]
    layout.blobs[digest] = layout.blobs[digest][:-10]
    verdict = verdict_on(layout, image, tmp_path)
    assert odd(verdict)["size-mismatch"] is ERROR
    assert finding(verdict, "size-mismatch").cause == "truncation"


def test_embedded_data_stands_in_for_a_blob_that_is_not_there(tmp_path: Path) -> None:
    layout = Layout()
    layer = layout.layer({"a": b"1"})
    data = base64.b64encode(layout.blobs[layer.descriptor["digest"]]).decode()
    image = layout.image([layer], manifest=changed("layers.0.data", data))
    del layout.blobs[layer.descriptor["digest"]]
    good(verdict_on(layout, image, tmp_path))


@pytest.mark.parametrize("where", ["config", "layers.0", "subject"])
def test_keys_that_only_go_takes_for_others(tmp_path: Path, where: str) -> None:
    layout = Layout()

    def shadow(document: Document) -> None:
        document.setdefault("subject", dict(document["config"]))
        at: Any = document
        for step in where.split("."):
            at = at[int(step)] if step.isdigit() else at[step]
        at["Digest"] = digest_of(b"evil")

    verdict = verdict_on(layout, layout.image(manifest=shadow), tmp_path)
    assert odd(verdict)["ambiguous-key"] is ERROR


@pytest.mark.parametrize("key", ["Layers", "LAYERS", "layerſ", "Config", "mediatype", "Manifests"])
def test_a_second_list_of_layers_that_only_go_sees(tmp_path: Path, key: str) -> None:
    layout = Layout()
    verdict = verdict_on(layout, layout.image(manifest=changed(key, [])), tmp_path)
    assert odd(verdict)["ambiguous-key"] is ERROR


@pytest.mark.parametrize("key", ["RootFS", "rootfs.Diff_IDs", "Architecture"])
def test_a_second_rootfs_that_only_go_sees(tmp_path: Path, key: str) -> None:
    layout = Layout()
    verdict = verdict_on(layout, layout.image(config=changed(key, [])), tmp_path)
    assert odd(verdict)["ambiguous-key"] is ERROR


@pytest.mark.parametrize("media_type", [OCI_FOREIGN + "+gzip", DOCKER_FOREIGN])
def test_a_foreign_layer_is_not_checked_where_it_is_not_there(
    tmp_path: Path, media_type: str
) -> None:
    layout = Layout()
    foreign = layout.layer({"b": b"2"}, media_type=media_type, urls=["https://example.com/layer"])
    image = layout.image([{"a": b"1"}, foreign])
    good(verdict_on(layout, image, tmp_path / "whole"))
    del layout.blobs[foreign.descriptor["digest"]]
    verdict = verdict_on(layout, image, tmp_path / "thin")
    assert odd(verdict) == {"foreign-layer": ERROR}
    assert verdict.exit_status == 3
    assert [skipped.component for skipped in verdict.not_checked] == ["layer[1]"]


def test_an_encrypted_layer_is_bound_and_its_content_not_checked(tmp_path: Path) -> None:
    layout = Layout()
    encrypted = layout.layer(
        b"ciphertext", "", media_type=OCI_LAYER + "+gzip+encrypted",
        annotations={"org.opencontainers.image.enc.pubopts": "e30="},
    )  # fmt: skip
    verdict = verdict_on(layout, layout.image([{"a": b"1"}, encrypted]), tmp_path)
    assert odd(verdict) == {"encrypted-layer": WARNING}
    assert verdict.exit_status == 0
    assert verdict.coverage.fraction == 1
    assert [skipped.component for skipped in verdict.not_checked] == ["layer[1]/content"]


def test_a_layer_of_unknown_type_still_has_to_have_its_content(tmp_path: Path) -> None:
    layout = Layout()
    layer = layout.layer(b"not an archive", "gzip", media_type="application/x-future")
    verdict = verdict_on(layout, layout.image([layer]), tmp_path / "right")
    assert odd(verdict) == {"unknown-layer-type": WARNING}
    wrong = Layer(layer.descriptor, digest_of(b"other"), b"")
    verdict = verdict_on(layout, layout.image([wrong]), tmp_path / "wrong")
    assert odd(verdict)["digest-mismatch"] is ERROR


def test_a_layer_that_is_a_stream_and_an_archive_at_once(tmp_path: Path) -> None:
    from tests.sources.tars import END, header

    layout = Layout()
    polyglot = header(b"\x1f\x8b\x08\x00file") + END
    layer = Layer(layout.put(polyglot, OCI_LAYER), digest_of(polyglot), polyglot)
    verdict = verdict_on(layout, layout.image([layer]), tmp_path)
    assert odd(verdict)["ambiguous-format"] is ERROR


def test_what_is_odd_within_a_layer_reaches_the_verdict(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([{"a": b"1"}, [Entry("../../etc/cron.d/x", b"evil")]])
    verdict = verdict_on(layout, image, tmp_path)
    assert odd(verdict) == {"layer-path-traversal": ERROR}
    assert finding(verdict, "layer-path-traversal").component == "layer[1]/content"
    assert verdict.exit_status == 1


def test_a_layer_that_images_share_is_scanned_for_each(tmp_path: Path) -> None:
    layout = Layout()
    bad = layout.layer([Entry("../x", b"evil")])
    images = [layout.image([bad, {"a": name.encode()}], name) for name in ("linux/a", "linux/b")]
    verdict = verdict_on(layout, layout.index(images), tmp_path)
    assert [f.component for f in verdict.findings if f.code == "layer-path-traversal"] == [
        "linux/a/layer[0]/content",
        "linux/b/layer[0]/content",
    ]


@pytest.mark.skipif(sys.maxsize < 2**32, reason="needs large integers")
def test_a_large_layer_that_is_announced_and_not_there(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image(manifest=changed("layers.0.size", 2**62))
    verdict = verdict_on(layout, image, tmp_path)
    assert odd(verdict)["size-mismatch"] is ERROR
