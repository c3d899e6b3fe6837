"""Registries that misbehave: each fault, end to end, with the finding and the exit status."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay import limits
from tests.support.checking import check, codes_of, text_of
from tests.support.registry import PASSWORD, USER, Registry, digest_of, running


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as started:
        yield started


@pytest.fixture
def image(registry: Registry) -> str:
    """An image of two layers, the first 300 kB long; its digest."""
    layers = [{"random": os.urandom(300_000)}, {"etc/hostname": b"assay"}]
    digest: str = registry.push_image("team/app", "1.0", layers)["digest"]
    return digest


def _name(registry: Registry) -> str:
    return f"docker://{registry.host}/team/app:1.0"


def test_without_faults_the_image_is_bound_to_the_last_byte(registry: Registry, image: str) -> None:
    verdict = check(_name(registry), image)
    assert verdict.findings == ()
    assert verdict.exit_status == 0
    assert verdict.coverage.fraction == 1
    assert verdict.resolved == f"docker://{registry.host}/team/app@{image}"
    # manifest, configuration, two layers, and the rest of the large one
    assert registry.count("GET ") == 5


def test_wrong_digest_header(registry: Registry, image: str) -> None:
    registry.faults.wrong_digest_header = True
    verdict = check(_name(registry), image)
    assert "registry-digest-mismatch" in codes_of(verdict)
    assert verdict.exit_status == 1


def test_wrong_digest_header_of_a_blob(registry: Registry, image: str) -> None:
    registry.faults.wrong_blob_digest_header = True
    verdict = check(_name(registry), image)
    assert "registry-digest-mismatch" in codes_of(verdict)
    assert verdict.exit_status == 1
    assert verdict.not_checked


def test_wrong_digest_header_of_a_nested_manifest(registry: Registry) -> None:
    inner = registry.push_image("team/app")
    index = registry.push_index("team/app", "1.0", [inner])
    media_type, data = registry.manifests["team/app", inner["digest"]]
    registry.manifests["team/app", inner["digest"]] = (media_type, data + b" ")
    verdict = check(_name(registry), index["digest"])
    assert "digest-mismatch" in codes_of(verdict)
    assert verdict.exit_status == 1


def test_manifest_replaced_under_its_digest(registry: Registry, image: str) -> None:
    other = registry.push_image("team/app", layers=[{"evil": b"1"}])
    registry.manifests["team/app", image] = registry.manifests["team/app", other["digest"]]
    verdict = check(f"docker://{registry.host}/team/app@{image}")
    assert "digest-mismatch" in codes_of(verdict)
    assert verdict.exit_status == 1


def test_truncated_blob(registry: Registry, image: str) -> None:
    registry.faults.truncated_blobs = 150_000
    verdict = check(_name(registry), image)
    assert {"size-mismatch", "digest-mismatch"} <= codes_of(verdict)
    assert verdict.exit_status == 1


def test_connection_cut_in_mid_blob_is_resumed(registry: Registry, image: str) -> None:
    registry.faults.cut_after, registry.faults.cuts = 70_000, 2
    verdict = check(_name(registry), image)
    assert verdict.findings == ()
    assert verdict.exit_status == 0
    resumed = [r for r in registry.requests if r.headers.get("Range") == "bytes=135536-"]
    assert len(resumed) == 1
    assert resumed[0].headers["If-Range"].startswith('"')


def test_connection_cut_again_and_again(registry: Registry, image: str) -> None:
    registry.faults.cut_after, registry.faults.cuts = 10, 1_000_000
    verdict = check(_name(registry), image)
    assert "transfer-incomplete" in codes_of(verdict)
    assert verdict.exit_status == 3
    assert len(registry.requests) < 40


def test_connection_cut_and_ranges_ignored(registry: Registry, image: str) -> None:
    registry.faults.ignore_ranges = True
    registry.faults.cut_after, registry.faults.cuts = 200_000, 1
    verdict = check(_name(registry), image)
    assert verdict.findings == ()
    assert verdict.exit_status == 0


def test_blob_changes_between_requests(registry: Registry, image: str) -> None:
    registry.faults.blob_changes = True
    verdict = check(_name(registry), image)
    assert "content-changed" in codes_of(verdict)
    assert verdict.exit_status == 3


def test_another_range_than_asked_for(registry: Registry, image: str) -> None:
    registry.faults.wrong_range = True
    verdict = check(_name(registry), image)
    assert "response-malformed" in codes_of(verdict)
    assert verdict.exit_status == 3


def test_endless_blob(registry: Registry, image: str) -> None:
    registry.faults.endless_blobs = True
    verdict = check(_name(registry), image)
    assert codes_of(verdict) & {"size-mismatch", "body-too-large", "limit-exceeded"}
    assert verdict.exit_status in (1, 3)


def test_endless_manifest(registry: Registry, image: str) -> None:
    registry.faults.endless_manifests = True
    verdict = check(_name(registry), image)
    assert codes_of(verdict) == {"body-too-large"}
    assert verdict.exit_status == 3


def test_blob_announced_larger_than_claimed_is_not_read(registry: Registry, image: str) -> None:
    large = max(registry.blobs, key=lambda digest: len(registry.blobs[digest]))
    registry.blobs[large] += bytes(1_000_000)
    verdict = check(_name(registry), image)
    assert "size-mismatch" in codes_of(verdict)
    assert verdict.exit_status == 1
    assert registry.count(large) == 1


def test_redirect_loop(registry: Registry, image: str) -> None:
    registry.faults.redirect_loop = True
    verdict = check(_name(registry), image)
    assert "redirect-refused" in codes_of(verdict)
    assert verdict.exit_status == 3
    assert len(registry.requests) < 5 * (limits.HTTP_REDIRECTS + 2)


@pytest.mark.parametrize("authentication", ["basic", "bearer"])
def test_redirect_to_another_host_carries_no_credentials(authentication: str, home: Path) -> None:
    with running(authentication) as registry, running() as elsewhere:
        image = registry.push_image("team/app", "1.0")["digest"]
        elsewhere.blobs = registry.blobs
        registry.faults.redirect_blobs_to = elsewhere.url
        verdict = check(_name(registry), image, auth_file=_auth_file(home, registry))
        assert verdict.findings == ()
        assert verdict.exit_status == 0
        assert len(elsewhere.requests) >= 2
        assert not any("Authorization" in request.headers for request in elsewhere.requests)
        assert any("Authorization" in request.headers for request in registry.requests)


def test_a_challenge_of_another_host_gets_no_credentials(home: Path) -> None:
    with running("basic") as registry, running("bearer") as elsewhere:
        image = registry.push_image("team/app", "1.0")["digest"]
        registry.faults.redirect_blobs_to = elsewhere.url
        verdict = check(_name(registry), image, auth_file=_auth_file(home, registry))
        assert "denied" in codes_of(verdict)
        assert verdict.exit_status == 3
        assert elsewhere.count("/token") == 0
        assert not any("Authorization" in request.headers for request in elsewhere.requests)


def test_refused_credentials_are_not_tried_again(tmp_path: Path) -> None:
    with running("basic") as registry:
        registry.push_image("team/app", "1.0")
        path = tmp_path / "auth.json"
        entry = {"username": "alice", "password": "wrong"}
        path.write_text(json.dumps({"auths": {registry.host: entry}}))
        for expected in (2, 3):
            verdict = check(_name(registry), auth_file=str(path))
            assert codes_of(verdict) == {"denied"}
            assert len(registry.requests) == expected


def _auth_file(folder: Path, registry: Registry) -> str:
    encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    path = folder / "auth.json"
    path.write_text(json.dumps({"auths": {registry.host: {"auth": encoded}}}))
    return str(path)


@pytest.mark.parametrize(
    "target",
    ["http://registry.example", "https://user:s3same@registry.example", "ftp://registry.example"],
)
def test_redirect_to_where_it_must_not_go(registry: Registry, image: str, target: str) -> None:
    registry.faults.redirect_blobs_to = target
    verdict = check(_name(registry), image)
    assert "redirect-refused" in codes_of(verdict)
    assert verdict.exit_status == 3
    assert "s3same" not in text_of(verdict)


@pytest.mark.parametrize("authentication", ["anonymous", "basic", "bearer"])
def test_401_storm(authentication: str, home: Path) -> None:
    with running(authentication) as registry:
        registry.push_image("team/app", "1.0")
        registry.faults.always_401 = True
        verdict = check(_name(registry), auth_file=_auth_file(home, registry))
        assert codes_of(verdict) == {"denied"}
        assert verdict.exit_status == 3
        assert len(registry.requests) <= 4
        assert PASSWORD not in text_of(verdict)


def test_429_is_waited_for_as_asked(registry: Registry, image: str, waits: list[float]) -> None:
    registry.faults.too_many_requests, registry.faults.retry_after = 2, "7"
    verdict = check(_name(registry), image)
    assert verdict.exit_status == 0
    assert waits == [7, 7]


def test_429_with_a_date(registry: Registry, image: str, waits: list[float]) -> None:
    from datetime import UTC, datetime, timedelta
    from email.utils import format_datetime

    registry.faults.too_many_requests = 1
    moment = datetime.now(UTC) + timedelta(seconds=40)
    registry.faults.retry_after = format_datetime(moment, usegmt=True)
    assert check(_name(registry), image).exit_status == 0
    assert len(waits) == 1
    assert 0 < waits[0] <= 40


def test_429_that_asks_for_too_long(registry: Registry, image: str, waits: list[float]) -> None:
    registry.faults.too_many_requests, registry.faults.retry_after = 1, "86400"
    verdict = check(_name(registry), image)
    assert codes_of(verdict) == {"rate-limited"}
    assert verdict.exit_status == 3
    assert "86400" in verdict.findings[0].detail
    assert waits == []


def test_429_for_ever(registry: Registry, image: str) -> None:
    registry.faults.too_many_requests = 1_000_000
    verdict = check(_name(registry), image)
    assert codes_of(verdict) == {"rate-limited"}
    assert verdict.exit_status == 3
    assert len(registry.requests) == limits.HTTP_ATTEMPTS


def test_503_for_ever(registry: Registry, image: str) -> None:
    registry.faults.unavailable = 1_000_000
    verdict = check(_name(registry), image)
    assert codes_of(verdict) == {"server-error"}
    assert verdict.exit_status == 3


def test_changing_tag_is_looked_up_once(registry: Registry, image: str) -> None:
    other = registry.push_image("team/app", "1.0", layers=[{"other": b"1"}])["digest"]
    registry.faults.tag_moves = True
    verdict = check(_name(registry), image)
    assert verdict.exit_status == 0
    assert verdict.resolved.endswith(image)
    assert registry.count("manifests/1.0") == 1
    assert check(_name(registry), other).exit_status == 0


@pytest.mark.parametrize("said", ["text/html", "application/json", "", "a\x7fb"])
def test_wrong_content_type(registry: Registry, image: str, said: str) -> None:
    registry.faults.content_type = said
    verdict = check(_name(registry), image)
    assert "manifest-type-unexpected" in codes_of(verdict)
    assert verdict.exit_status == 1


def test_index_served_as_a_manifest(registry: Registry) -> None:
    index = registry.push_index("team/app", "1.0", [registry.push_image("team/app")])
    registry.faults.content_type = "application/vnd.oci.image.manifest.v1+json"
    verdict = check(_name(registry), index["digest"])
    assert verdict.exit_status == 1


def test_slow_body(registry: Registry, image: str) -> None:
    registry.faults.trickle = 0.02
    verdict = check(_name(registry), image, timeout=0.2)
    assert "timeout" in codes_of(verdict)
    assert verdict.exit_status == 3


def test_slow_headers(registry: Registry, image: str) -> None:
    registry.faults.trickle_headers = 0.05
    verdict = check(_name(registry), image, timeout=0.3)
    assert codes_of(verdict) == {"timeout"}
    assert verdict.exit_status == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no JSON",
        b"[]",
        b"{}",
        b'{"token": 7}',
        b'{"token": "a\\r\\nX-Evil: 1"}',
        b'{"token": "a", "token": "b"}',
        b'{"token": "' + b"a" * limits.TOKEN_RESPONSE_SIZE + b'"}',
    ],
)
def test_bad_token(answer: bytes) -> None:
    with running("bearer") as registry:
        registry.push_image("team/app", "1.0")
        registry.faults.token_answer = answer
        verdict = check(_name(registry))
        assert codes_of(verdict) <= {"response-malformed", "body-too-large"}
        assert verdict.exit_status == 3


@pytest.mark.parametrize("realm", ["http://registry.example/token", "file:///etc/passwd", ""])
def test_token_realm_without_tls_gets_no_credentials(home: Path, realm: str) -> None:
    with running("bearer") as registry:
        registry.push_image("team/app", "1.0")
        registry.faults.token_realm = realm or "http://user:s3same@127.0.0.1/"
        verdict = check(_name(registry), auth_file=_auth_file(home, registry))
        assert codes_of(verdict) == {"response-malformed"}
        assert verdict.exit_status == 3
        assert "s3same" not in text_of(verdict)


def test_missing_tag_and_missing_blob(registry: Registry, image: str) -> None:
    verdict = check(f"docker://{registry.host}/team/app:2.0")
    assert codes_of(verdict) == {"not-found"}
    assert verdict.exit_status == 3
    del registry.blobs[max(registry.blobs, key=lambda digest: len(registry.blobs[digest]))]
    verdict = check(_name(registry), image)
    assert "missing-component" in codes_of(verdict)
    assert verdict.exit_status == 1


@pytest.mark.parametrize("which", ["config", "layer"])
def test_a_flipped_bit_in_a_blob(registry: Registry, image: str, which: str) -> None:
    order = sorted(registry.blobs, key=lambda digest: len(registry.blobs[digest]))
    digest = (
        order[-1]
        if which == "layer"
        else next(name for name in order if registry.blobs[name].startswith(b"{"))
    )
    data = bytearray(registry.blobs[digest])
    data[len(data) // 2] ^= 1
    registry.blobs[digest] = bytes(data)
    assert digest_of(bytes(data)) != digest
    verdict = check(_name(registry), image)
    assert "digest-mismatch" in codes_of(verdict)
    assert verdict.exit_status == 1


def test_text_of_the_registry_never_reaches_the_terminal(registry: Registry) -> None:
    verdict = check(f"docker://{registry.host}/team/app:2.0")
    assert "\x1b" not in text_of(verdict)


def test_nothing_answers() -> None:
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port
        verdict = check(f"docker://127.0.0.1:{held.getsockname()[1]}/app")
    assert codes_of(verdict) == {"unreachable"}
    assert verdict.exit_status == 3
