"""Attaching in registries that have the referrers API, and in those that do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assay.attach import Attachment, Layer, Subject, attach
from assay.model.finding import AssayError, UsageError
from tests.attach.support import BUNDLE, PAYLOAD, bundle, legacy, subject
from tests.support.registry import OCI_INDEX, PASSWORD, USER, Registry, digest_of, running


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as started:
        yield started


@pytest.fixture
def image(registry: Registry) -> Subject:
    return subject(registry.push_image("team/app", "1.0"))


def name(registry: Registry) -> str:
    return f"docker://{registry.host}/team/app:1.0"


def listed(registry: Registry, image: Subject) -> list[dict[str, Any]]:
    """What the fallback tag lists."""
    [digest] = registry.tags["team/app", f"sha256-{image.digest.hex}"]
    media_type, data = registry.manifests["team/app", digest]
    assert media_type == OCI_INDEX
    return json.loads(data)["manifests"]


def signatures(registry: Registry, image: Subject, suffix: str = ".sig") -> dict[str, Any]:
    [digest] = registry.tags["team/app", f"sha256-{image.digest.hex}{suffix}"]
    return json.loads(registry.manifests["team/app", digest][1])


def code_of(registry: Registry, image: Subject, what: Attachment | None = None, **more: Any) -> str:
    with pytest.raises(AssayError) as caught:
        attach(name(registry), image, what or bundle(), **more)
    assert caught.value.finding.remedy
    return caught.value.finding.code


# as artifacts that refer to the image


def test_an_artifact_refers_to_the_image(registry: Registry, image: Subject) -> None:
    digest = attach(name(registry), image, bundle(b'{"b":2}', made="today"))
    _, data = registry.manifests["team/app", str(digest)]
    manifest = json.loads(data)
    assert manifest["subject"] == {
        "mediaType": image.media_type,
        "digest": str(image.digest),
        "size": image.size,
    }
    assert manifest["artifactType"] == BUNDLE
    assert manifest["annotations"] == {"made": "today"}
    [layer] = manifest["layers"]
    assert registry.blobs[layer["digest"]] == b'{"b":2}'
    assert [each["digest"] for each in registry.referrers_of("team/app", str(image.digest))] == [
        str(digest)
    ]
    assert not registry.count("PUT .*/manifests/sha256-")


def test_without_the_api_the_fallback_tag_lists_it(registry: Registry, image: Subject) -> None:
    registry.faults.no_referrers_api = True
    digests = [attach(name(registry), image, bundle(b"%d" % n, n=str(n))) for n in range(3)]
    entries = listed(registry, image)
    assert [entry["digest"] for entry in entries] == [str(digest) for digest in digests]
    assert all(entry["artifactType"] == BUNDLE for entry in entries)
    assert entries[1]["annotations"] == {"n": "1"}


def test_a_registry_that_does_not_say_that_it_lists_it_gets_the_tag(
    registry: Registry, image: Subject
) -> None:
    registry.faults.no_subject_header = True
    digest = attach(name(registry), image, bundle())
    assert [entry["digest"] for entry in listed(registry, image)] == [str(digest)]


@pytest.mark.parametrize("api", [True, False])
def test_what_is_attached_already_is_not_written_again(
    registry: Registry, image: Subject, api: bool
) -> None:
    registry.faults.no_referrers_api = not api
    made = "org.opencontainers.image.created"
    first = attach(name(registry), image, bundle(**{made: "2026-01-01T00:00:00Z"}))
    before = registry.count("PUT|POST")
    assert attach(name(registry), image, bundle(**{made: "2026-02-02T00:00:00Z"})) == first
    assert registry.count("PUT|POST") == before
    assert attach(name(registry), image, bundle(b'{"a":2}')) != first


def test_blobs_that_are_there_are_not_sent_again(registry: Registry, image: Subject) -> None:
    attach(name(registry), image, bundle(n="1"))
    sent = registry.count("POST .*/uploads/")
    attach(name(registry), image, bundle(n="2"))
    assert registry.count("POST .*/uploads/") == sent == 2


def test_what_stands_in_the_fallback_index_stays(registry: Registry, image: Subject) -> None:
    registry.faults.no_referrers_api = True
    strange = {"mediaType": "a/b", "digest": digest_of(b"x"), "size": 1, "unknown": [1.5, None]}
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [strange], "more": {"a": 1}}
    registry.push_manifest("team/app", index, f"sha256-{image.digest.hex}")
    attach(name(registry), image, bundle())
    entries = listed(registry, image)
    assert entries[0] == strange
    assert len(entries) == 2
    [digest] = registry.tags["team/app", f"sha256-{image.digest.hex}"]
    assert json.loads(registry.manifests["team/app", digest][1])["more"] == {"a": 1}


# under cosign's tags


def test_layers_are_added_under_the_tag_of_signatures(registry: Registry, image: Subject) -> None:
    for signature in ("one", "two", "one"):
        attach(name(registry), image, legacy(signature=signature), place="tag")
    manifest = signatures(registry, image)
    assert [layer["mediaType"] for layer in manifest["layers"]] == [PAYLOAD, PAYLOAD]
    assert [
        each["annotations"]["dev.cosignproject.cosign/signature"] for each in manifest["layers"]
    ] == [
        "one",
        "two",
    ]
    config = json.loads(registry.blobs[manifest["config"]["digest"]])
    assert config["rootfs"]["diff_ids"] == [each["digest"] for each in manifest["layers"]]
    assert "subject" not in manifest


def test_there_is_a_tag_for_what_cosign_knows_alone(registry: Registry, image: Subject) -> None:
    with pytest.raises(UsageError, match="no tag for"):
        attach(name(registry), image, bundle(), place="tag")
    assert not registry.requests


@pytest.mark.parametrize(
    "content",
    [b"[]", b'{"schemaVersion":2,"manifests":[]}', b'{"schemaVersion":2,"layers":{}}', b"{}"],
)
def test_what_is_no_list_of_signatures_is_not_replaced(
    registry: Registry, image: Subject, content: bytes
) -> None:
    tag = f"sha256-{image.digest.hex}.sig"
    put = registry.push_manifest("team/app", content, tag)
    assert code_of(registry, image, legacy(), place="tag") == "signature-tag-occupied"
    assert registry.tags["team/app", tag] == [put["digest"]]


# two writers at once


def other_writer(registry: Registry, image: Subject, number: int) -> dict[str, Any]:
    """Someone else adds to the fallback index behind our back; the entry."""
    tag = f"sha256-{image.digest.hex}"
    entry = {"mediaType": "a/b", "digest": digest_of(b"%d" % number), "size": number}
    pushed = registry.tags.get(("team/app", tag))
    there = json.loads(registry.manifests["team/app", pushed[-1]][1])["manifests"] if pushed else []
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*there, entry]}
    registry.tags.pop(("team/app", tag), None)
    registry.push_manifest("team/app", index, tag)
    return entry


@pytest.mark.parametrize("before", [0, 1])
def test_what_another_adds_between_reading_and_writing_is_kept(
    registry: Registry, image: Subject, before: int
) -> None:
    registry.faults.no_referrers_api = True
    for number in range(before):
        other_writer(registry, image, number)
    registry.faults.before_put = [
        lambda _: None,  # the artifact's own manifest
        lambda _: other_writer(registry, image, 7) and None,
    ]
    digest = attach(name(registry), image, bundle())
    digests = [entry["digest"] for entry in listed(registry, image)]
    assert digest_of(b"7") in digests
    assert str(digest) in digests
    assert len(digests) == before + 2


def test_what_another_overwrites_is_written_again(
    registry: Registry, image: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that began before us and knows no conditions ends after us."""
    from assay.sources.http import retry

    registry.faults.no_referrers_api = True
    overwritten = []

    def settle(_: float) -> None:
        if not overwritten:
            overwritten.append(True)
            registry.tags.pop(("team/app", f"sha256-{image.digest.hex}"))
            other_writer(registry, image, 7)

    monkeypatch.setattr(retry, "wait", settle)
    digest = attach(name(registry), image, bundle())
    assert overwritten
    assert [entry["digest"] for entry in listed(registry, image)] == [digest_of(b"7"), str(digest)]


def test_a_list_that_never_stands_still(registry: Registry, image: Subject) -> None:
    registry.faults.no_referrers_api = True
    registry.faults.before_put = [lambda _: None] + [
        lambda _, n=n: other_writer(registry, image, n) and None for n in range(40)
    ]
    assert code_of(registry, image) == "write-conflict"
    assert len(listed(registry, image)) == 16  # what the others wrote


def test_many_threads_attach_to_one_image(registry: Registry, image: Subject) -> None:
    registry.faults.no_referrers_api = registry.faults.ignore_conditions = True
    with ThreadPoolExecutor(8) as pool:
        digests = list(
            pool.map(lambda n: attach(name(registry), image, bundle(b"%d" % n)), range(16))
        )
    assert sorted(entry["digest"] for entry in listed(registry, image)) == sorted(map(str, digests))


# what goes wrong


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "upload-refused"),
        (403, "write-denied"),
        (404, "upload-refused"),
        (405, "registry-read-only"),
        (413, "upload-refused"),
        (429, "rate-limited"),
        (500, "server-error"),
        (503, "server-error"),
    ],
)
def test_a_registry_that_refuses(
    registry: Registry, image: Subject, status: int, code: str
) -> None:
    registry.faults.write_status = status
    before = dict(registry.manifests)
    assert code_of(registry, image) == code
    assert registry.manifests == before
    assert not registry.count("PUT .*/manifests/")


def test_the_registry_says_why(registry: Registry, image: Subject) -> None:
    registry.faults.write_status, registry.faults.write_code = 403, "DENIED"
    with pytest.raises(AssayError, match=r"403 \(DENIED\)"):
        attach(name(registry), image, bundle())


@pytest.mark.parametrize("location", [True, False])
def test_a_registry_that_stored_something_else(
    registry: Registry, image: Subject, location: bool
) -> None:
    registry.faults.wrong_upload_digest = True
    registry.faults.wrong_upload_location_only = location
    assert code_of(registry, image) == "upload-altered"


def test_an_answer_about_another_subject(registry: Registry, image: Subject) -> None:
    registry.faults.wrong_subject = digest_of(b"another")
    assert code_of(registry, image) == "response-malformed"


def test_nothing_is_uploaded_to_another_host(registry: Registry, image: Subject) -> None:
    with running() as other:
        registry.faults.upload_elsewhere = other.url
        assert code_of(registry, image) == "response-malformed"
        assert not other.requests


def test_an_upload_without_a_place(registry: Registry, image: Subject) -> None:
    registry.faults.no_upload_location = True
    assert code_of(registry, image) == "response-malformed"


def test_an_upload_that_breaks_off_begins_anew(registry: Registry, image: Subject) -> None:
    registry.faults.cut_uploads = 2
    attach(name(registry), image, bundle(b"x" * 100_000))
    assert registry.count("POST .*/uploads/") == 4
    assert registry.blobs[digest_of(b"x" * 100_000)]


def test_an_upload_that_always_breaks_off(registry: Registry, image: Subject) -> None:
    registry.faults.cut_uploads = 99
    assert code_of(registry, image) == "transfer-incomplete"


# who may write


@pytest.mark.parametrize("authentication", ["basic", "bearer"])
def test_writing_with_credentials(authentication: str, home: Path) -> None:
    with running(authentication) as registry:
        image = subject(registry.push_image("team/app", "1.0"))
        assert code_of(registry, image) == "denied"
        login(home, registry, PASSWORD)
        attach(name(registry), image, bundle())
        if authentication == "bearer":
            assert set(registry.scopes.values()) == {
                "repository:team/app:pull",
                "repository:team/app:pull,push",
            }


def test_an_account_that_may_only_read() -> None:
    with running("bearer", anonymous_tokens=True) as registry:
        image = subject(registry.push_image("team/app", "1.0"))
        registry.faults.write_status = 401
        assert code_of(registry, image) == "write-denied"


def login(home: Path, registry: Registry, password: str) -> None:
    import base64

    (home / ".docker").mkdir()
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    config = {"auths": {registry.host: {"auth": auth}}}
    (home / ".docker" / "config.json").write_text(json.dumps(config))


# elsewhere


@pytest.mark.parametrize("destination", ["./disk.img", "oci-archive:a.tar", "dir:a", "https://a/b"])
def test_nothing_is_attached_to_files(image: Subject, destination: str) -> None:
    with pytest.raises(UsageError, match="nothing can be attached there"):
        attach(destination, image, bundle())


def test_attaching_changes_the_digest_of_nothing(registry: Registry, image: Subject) -> None:
    registry.faults.no_referrers_api = True
    manifests, blobs = dict(registry.manifests), dict(registry.blobs)
    tagged = dict(registry.tags)
    attach(name(registry), image, bundle())
    attach(name(registry), image, legacy(), place="tag")
    assert manifests.items() <= registry.manifests.items()
    assert blobs.items() <= registry.blobs.items()
    assert tagged.items() <= registry.tags.items()


def test_several_layers_and_a_configuration(registry: Registry, image: Subject) -> None:
    layers = (Layer("a/b", b"1", {"n": "1"}), Layer("a/c", b"2"))
    digest = attach(name(registry), image, Attachment("x/y", layers, "x/config", b'{"c":1}'))
    manifest = json.loads(registry.manifests["team/app", str(digest)][1])
    assert [each["mediaType"] for each in manifest["layers"]] == ["a/b", "a/c"]
    assert manifest["layers"][0]["annotations"] == {"n": "1"}
    assert manifest["config"]["mediaType"] == "x/config"
    assert registry.blobs[manifest["config"]["digest"]] == b'{"c":1}'
