"""Kept facts of images in registries: what is not fetched again, and what is never believed."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from assay.contents.options import ContentOptions
from assay.formats.layer.capture import Allowance
from assay.formats.layer.files import LayerFiles, Recording
from assay.kept import store as stores
from assay.kept.record import Answer, Record, name_of
from assay.kept.store import FactStore
from assay.model.digest import Digest
from assay.model.verdict import Verdict
from assay.packages.installed import KEEP
from assay.pipeline import VerifyOptions, verify
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust
from tests.cli.support import assay
from tests.support.checking import check, codes_of
from tests.support.registry import OCI_MANIFEST, Registry, digest_of, layer_of, running

LARGE = {"opt/data": os.urandom(300_000)}


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as started:
        yield started


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FactStore]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    stores.shared_store.cache_clear()
    found = stores.shared_store()
    assert found is not None
    yield found
    found.close()
    stores.shared_store.cache_clear()


def judge(registry: Registry, digest: str, tag: str = "1", sboms: tuple[str, ...] = ()) -> Verdict:
    name = f"docker://{registry.host}/team/app:{tag}"
    if not sboms:
        return check(name, digest, keep_facts=True)
    trust = Trust().add_digest(digest)
    [verdict] = verify(
        name,
        VerifyOptions(trust, open=OpenOptions(keep_facts=True), contents=ContentOptions(sboms)),
    )
    return verdict


def write_sbom(folder: Path, files: dict[str, bytes]) -> str:
    """An SPDX document of these files."""
    listed = [
        {
            "SPDXID": f"SPDXRef-{number}",
            "fileName": f"./{name}",
            "checksums": [
                {"algorithm": "SHA256", "checksumValue": hashlib.sha256(data).hexdigest()}
            ],
        }
        for number, (name, data) in enumerate(files.items())
    ]
    document = {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "files": listed}
    path = folder / "sbom.json"
    path.write_text(json.dumps(document))
    return str(path)


def recorded(files: dict[str, bytes], allowance: Allowance) -> LayerFiles:
    """A layer as it is recorded for a comparison."""
    recorder = Recording(keep=KEEP, allowance=allowance)()
    recorder.update(memoryview(layer_of(files)[0]))
    return recorder.finish()


def without_remarks(verdict: Verdict) -> Verdict:
    """A verdict but for the remark that something was known, and the time."""
    findings = tuple(found for found in verdict.findings if found.code != "measured-before")
    return msgspec.structs.replace(verdict, findings=findings, at="")


def moved(registry: Registry) -> int:
    """Requests for blobs so far."""
    return registry.count(r"GET .*/blobs/")


@pytest.mark.usefixtures("store")
def test_second_verify_of_an_unchanged_image_moves_no_blob_bytes(registry: Registry) -> None:
    digest = registry.push_image("team/app", "1", [LARGE, {"etc/x": b"small"}])["digest"]
    first = judge(registry, digest)
    before = moved(registry)
    second = judge(registry, digest)
    assert moved(registry) == before
    assert "measured-before" in {found.code for found in second.findings}
    assert without_remarks(second) == without_remarks(first)
    assert second.exit_status == 0


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("package_database", [b"", b"Package: a\nStatus: install ok installed\n"])
def test_what_layers_hold_is_compared_with_an_sbom_without_fetching_them_again(
    registry: Registry, tmp_path: Path, package_database: bytes
) -> None:
    layers = [LARGE, {"etc/x": os.urandom(100_000), "var/lib/dpkg/status": package_database}]
    digest = registry.push_image("team/app", "1", layers)["digest"]
    sbom = write_sbom(tmp_path, {"opt/data": LARGE["opt/data"]})
    first = judge(registry, digest, sboms=(sbom,))
    before = moved(registry)
    second = judge(registry, digest, sboms=(sbom,))
    assert moved(registry) == before
    assert first.contents[0].files.by_digest == 1
    assert without_remarks(second) == without_remarks(first)
    # what is kept of that serves nobody who asks for something else
    other = write_sbom(tmp_path, {"opt/data": b"another"})
    assert "sbom-entry-altered" in codes_of(judge(registry, digest, sboms=(other,)))


def test_what_an_allowance_left_out_of_a_layer_is_not_kept() -> None:
    whole = LayerFiles([], (), True)
    assert whole.repeatable
    [file] = recorded({"var/lib/dpkg/status": b"x" * 100}, Allowance(10)).files
    assert file.kept is not None
    assert file.kept.content is None
    assert not recorded({"var/lib/dpkg/status": b"x" * 100}, Allowance(10)).repeatable
    assert recorded({"var/lib/dpkg/status": b"x" * 100}, Allowance(100)).repeatable


def test_what_is_recalled_of_files_takes_room_as_what_is_read_does() -> None:
    found = recorded({"var/lib/dpkg/status": b"x" * 100}, Allowance(100))
    assert not Recording(keep=KEEP, allowance=Allowance(99)).room_for(found)
    assert Recording(keep=KEEP, allowance=Allowance(100)).room_for(found)


def test_the_key_of_a_recording_tells_what_is_asked_and_not_when() -> None:
    keys = {
        Recording(more, keep, Allowance(size)).key
        for more in ((), ("md5",))
        for keep in ((), KEEP, KEEP[:-1])
        for size in (1, 2)
    }
    assert len(keys) == 6


@pytest.mark.usefixtures("store")
def test_a_layer_that_another_image_shares_is_not_fetched_again(registry: Registry) -> None:
    first = registry.push_image("team/app", "1", [LARGE])["digest"]
    other = registry.push_image("team/app", "2", [LARGE, {"etc/more": os.urandom(200_000)}])[
        "digest"
    ]
    judge(registry, first)
    layer = msgspec.json.decode(registry.manifests["team/app", first][1])["layers"][0]["digest"]
    before = registry.count(layer)
    assert judge(registry, other, "2").exit_status == 0
    assert registry.count(layer) == before > 0


@pytest.mark.usefixtures("store")
def test_trust_is_judged_anew(registry: Registry) -> None:
    digest = registry.push_image("team/app", "1", [LARGE])["digest"]
    assert judge(registry, digest).exit_status == 0
    assert "digest-mismatch" in codes_of(judge(registry, "sha256:" + "0" * 64))
    assert judge(registry, "").exit_status == 3


@pytest.mark.usefixtures("store")
def test_refused_image_is_refused_again(registry: Registry) -> None:
    """A layer that is not what the configuration says: the facts are kept, and refuse again."""
    wrong = registry.push_image("team/app", "other", [{"a": os.urandom(200_000)}])
    manifest = msgspec.json.decode(registry.manifests["team/app", wrong["digest"]][1])
    layer = registry.push_blob(os.urandom(200_000))
    digest = registry.push_manifest("team/app", manifest | {"layers": [layer]}, "1")["digest"]
    first, before = judge(registry, digest), moved(registry)
    second = judge(registry, digest)
    assert first.exit_status == second.exit_status == 1
    assert without_remarks(first) == without_remarks(second)
    assert moved(registry) > 0
    assert before > 0


@pytest.mark.usefixtures("store")
def test_bytes_that_are_not_what_their_digest_says_are_not_kept(registry: Registry) -> None:
    digest = registry.push_image("team/app", "1", [LARGE])["digest"]
    manifest = msgspec.json.decode(registry.manifests["team/app", digest][1])
    layer = manifest["layers"][0]["digest"]
    right = registry.blobs[layer]
    registry.blobs[layer] = right[:-9] + bytes(9)
    assert judge(registry, digest).exit_status == 1
    registry.blobs[layer] = right
    assert judge(registry, digest).exit_status == 0


@pytest.mark.usefixtures("store")
def test_tag_that_was_moved_is_seen(registry: Registry) -> None:
    digest = registry.push_image("team/app", "1", [LARGE])["digest"]
    judge(registry, digest)
    registry.push_image("team/app", "1", [{"evil": os.urandom(200_000)}])
    assert judge(registry, digest).exit_status == 1


def test_size_that_another_manifest_claims(registry: Registry, store: FactStore) -> None:
    """A known blob under a size that it does not have is fetched and refused as ever."""
    digest = registry.push_image("team/app", "1", [LARGE])["digest"]
    judge(registry, digest)
    manifest = msgspec.json.decode(registry.manifests["team/app", digest][1])
    manifest["layers"][0]["size"] += 1
    lying = registry.push_manifest("team/app", manifest, "2", OCI_MANIFEST)["digest"]
    assert judge(registry, lying, "2").exit_status == 1
    assert store.tally.dropped == 0


def test_poisoned_store_never_turns_a_refusal_into_a_pass(
    registry: Registry, store: FactStore
) -> None:
    """Who can write to the file, and has not the key, records what a bad layer should have been."""
    good = registry.push_image("team/app", "good", [LARGE])["digest"]
    judge(registry, good, "good")
    manifest = msgspec.json.decode(registry.manifests["team/app", good][1])
    bad_layer = registry.push_blob(os.urandom(250_000))
    bad = registry.push_manifest("team/app", manifest | {"layers": [bad_layer]}, "1")["digest"]
    real = Digest.parse(manifest["layers"][0]["digest"])
    store.close()
    database = sqlite3.connect(store.path)
    (value, mac) = database.execute(
        "SELECT value, mac FROM facts WHERE name = ?", (name_of(real),)
    ).fetchone()
    record = msgspec.msgpack.decode(value, type=Record)
    forged = msgspec.msgpack.encode(
        Record(
            {path: bad_layer["size"] if not path else size for path, size in record.sizes.items()},
            [
                Answer(a.of, a.to, Digest.parse(bad_layer["digest"]).value)
                if not a.of and a.to.startswith("hash sha256")
                else a
                for a in record.answers
            ],
            record.head,
        )
    )
    for claimed in (mac, bytes(32)):
        database.execute(
            "INSERT OR REPLACE INTO facts VALUES (?, ?, ?, 0)",
            (name_of(Digest.parse(bad_layer["digest"])), forged, claimed),
        )
        database.commit()
        assert judge(registry, bad).exit_status == 1
    database.close()
    assert store.tally.dropped == 2


@pytest.mark.usefixtures("store")
def test_a_damaged_store_is_rebuilt_and_the_verdict_stands(
    registry: Registry, store: FactStore
) -> None:
    digest = registry.push_image("team/app", "1", [LARGE])["digest"]
    first = judge(registry, digest)
    store.close()
    for path in store.path.parent.glob("facts.db*"):
        path.write_bytes(b"rubbish" * 1000)
    again = judge(registry, digest)
    assert without_remarks(again) == without_remarks(first)
    before = moved(registry)
    judge(registry, digest)
    assert moved(registry) == before


@pytest.mark.usefixtures("store")
def test_asked_for_many_times_at_once_a_blob_is_fetched_once(registry: Registry) -> None:
    digest = registry.push_image("team/app", "1", [LARGE])["digest"]
    layer = msgspec.json.decode(registry.manifests["team/app", digest][1])["layers"][0]["digest"]
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(judge(registry, digest).exit_status))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 6
    whole = [
        request
        for request in registry.requests
        if layer in request.path and not request.headers.get("Range", "").startswith("bytes=0-")
    ]
    assert len(whole) <= 1, "beginnings are looked at; the rest is fetched by one alone"


def test_the_command_line(registry: Registry, tmp_path: Path) -> None:
    digest = registry.push_image("team/app", "1", [LARGE])["digest"]
    env = {
        "ASSAY_NO_CACHE": "0",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    words = ["verify", f"docker://{registry.host}/team/app:1", "--digest", digest]

    def fetched(*more: str) -> int:
        before = moved(registry)
        done = assay(*words, *more, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        return moved(registry) - before

    assert fetched() > 0
    assert fetched() == 0
    assert fetched("--no-cache") > 0
    said = assay(*words, "-v", env=env).stdout
    assert "measured-before" in said
    assert digest_of(b"") not in said
