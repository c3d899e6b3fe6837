"""`docker://`: authentication, credentials, certificates, lists, and what is asked for."""

from __future__ import annotations

import base64
import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assay import limits
from assay.model.digest import Digest
from assay.model.finding import AssayError, UsageError
from assay.sources.model import OpenOptions
from assay.sources.registry.reference import parse_reference
from assay.sources.registry.repository import Repository
from assay.sources.registry.source import open_repository
from tests.support.checking import check, codes_of, text_of
from tests.support.registry import OCI_MANIFEST, PASSWORD, USER, Registry, running


@pytest.fixture(params=["basic", "bearer"])
def guarded(request: pytest.FixtureRequest) -> Iterator[Registry]:
    with running(request.param) as started:
        yield started


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as started:
        yield started


def _encoded(user: str = USER, password: str = PASSWORD) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _write(path: Path, value: object) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return str(path)


def _helper(folder: Path, name: str, script: str) -> None:
    path = folder / f"docker-credential-{name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _repository(registry: Registry, **options: Any) -> Repository:
    return open_repository(parse_reference(f"{registry.host}/team/app"), OpenOptions(**options))


# names


def test_an_image_by_digest_is_its_own_anchor(registry: Registry) -> None:
    digest = registry.push_image("team/app")["digest"]
    verdict = check(f"docker://{registry.host}/team/app@{digest}")
    assert verdict.exit_status == 0
    assert verdict.findings == ()


def test_an_image_by_sha512_digest(registry: Registry) -> None:
    from tests.support.registry import digest_of

    plain = registry.push_image("team/app")["digest"]
    media_type, data = registry.manifests["team/app", plain]
    digest = digest_of(data, "sha512")
    registry.manifests["team/app", digest] = (media_type, data)
    verdict = check(f"docker://{registry.host}/team/app@{digest}")
    assert verdict.exit_status == 0
    assert verdict.resolved.endswith(digest)


def test_a_tag_beside_a_digest_is_not_asked_for(registry: Registry) -> None:
    digest = registry.push_image("team/app", "1.0")["digest"]
    registry.push_image("team/app", "1.0", layers=[{"newer": b"1"}])
    verdict = check(f"docker://{registry.host}/team/app:1.0@{digest}")
    assert verdict.exit_status == 0
    assert "tag-not-asked" in {finding.code for finding in verdict.findings}
    assert registry.count("manifests/1.0") == 0


def test_a_bare_name_and_the_default_tag(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = registry.push_image("team/app", "latest")["digest"]
    assert check(f"{registry.host}/team/app", digest).exit_status == 0
    assert codes_of(check("team/app", digest)) == {"not-found"}
    monkeypatch.setenv("ASSAY_DEFAULT_REGISTRY", registry.host)
    assert check("team/app", digest).exit_status == 0
    assert check("docker://team/app", digest).exit_status == 0


@pytest.mark.parametrize("name", ["docker:app", "docker://app", "docker://a.example/App"])
def test_a_name_that_makes_no_sense_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError):
        check(name)


def test_plain_http_is_for_this_machine_only() -> None:
    with pytest.raises(UsageError, match="plain HTTP"):
        check("http://registry.example/file")


def test_an_index_with_all_its_platforms(registry: Registry) -> None:
    images = [registry.push_image("team/app", architecture=name) for name in ("amd64", "arm64")]
    index = registry.push_index("team/app", "1.0", images)
    verdict = check(f"docker://{registry.host}/team/app:1.0", index["digest"])
    assert verdict.findings == ()
    assert verdict.coverage.fraction == 1
    # one index, two manifests, two configurations, and one layer, which they share
    assert registry.count("GET /v2/team") == 6
    assert registry.count("/blobs/") == 3


# offline


def test_offline_opens_no_socket(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = registry.push_image("team/app", "1.0")["digest"]

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened, or a name looked up")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for name in (f"docker://{registry.host}/team/app:1.0", "https://host.example/disk.img"):
        verdict = check(name, digest, offline=True)
        assert codes_of(verdict) == {"offline"}
        assert verdict.exit_status == 3
    assert registry.requests == []


# authentication


def test_without_credentials_access_is_denied(guarded: Registry) -> None:
    guarded.push_image("team/app", "1.0")
    verdict = check(f"docker://{guarded.host}/team/app:1.0")
    assert codes_of(verdict) == {"denied"}
    assert verdict.exit_status == 3
    assert "no credentials were found" in verdict.findings[0].detail


def test_wrong_credentials_are_denied_and_their_source_is_named(
    guarded: Registry, home: Path
) -> None:
    guarded.push_image("team/app", "1.0")
    path = _write(home / "a.json", {"auths": {guarded.host: {"auth": _encoded(USER, "s3same")}}})
    verdict = check(f"docker://{guarded.host}/team/app:1.0", auth_file=path)
    assert codes_of(verdict) == {"denied"}
    assert path in verdict.findings[0].detail
    for secret in ("s3same", _encoded(USER, "s3same")):
        assert secret not in text_of(verdict)


@pytest.mark.parametrize(
    "place",
    [
        ("HOME", ".docker/config.json"),
        ("DOCKER_CONFIG", "config.json"),
        ("REGISTRY_AUTH_FILE", ""),
        ("XDG_RUNTIME_DIR", "containers/auth.json"),
        ("XDG_CONFIG_HOME", "containers/auth.json"),
        ("HOME", ".config/containers/auth.json"),
    ],
)
def test_credentials_are_found_where_tools_keep_them(
    guarded: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: tuple[str, str]
) -> None:
    digest = guarded.push_image("team/app", "1.0")["digest"]
    variable, below = place
    path = tmp_path / "place" / below if below else tmp_path / "auth.json"
    _write(path, {"auths": {f"https://{guarded.host}/v1/": {"auth": _encoded()}}})
    monkeypatch.setenv(variable, str(tmp_path / "place" if below else path))
    assert check(f"docker://{guarded.host}/team/app:1.0", digest).exit_status == 0


def test_the_longest_prefix_of_the_repository_wins(guarded: Registry, home: Path) -> None:
    digest = guarded.push_image("team/app", "1.0")["digest"]
    other = {"auth": _encoded("mallory", "wrong")}
    entries = {
        guarded.host: other,
        f"{guarded.host}/team": {"auth": _encoded()},
        f"{guarded.host}/te": other,
        f"{guarded.host}/team/ap": other,
    }
    path = _write(home / "a.json", {"auths": entries})
    assert check(f"docker://{guarded.host}/team/app:1.0", digest, auth_file=path).exit_status == 0


@pytest.mark.parametrize("key", ["credHelpers", "credsStore"])
def test_a_credential_helper_is_asked(
    guarded: Registry, home: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    digest = guarded.push_image("team/app", "1.0")["digest"]
    answer = json.dumps({"ServerURL": "", "Username": USER, "Secret": PASSWORD})
    _helper(home / "bin", "vault", f"cat > {home}/asked; echo '{answer}'")
    monkeypatch.setenv("PATH", f"{home}/bin:{os.environ['PATH']}")
    value: object = "vault" if key == "credsStore" else {guarded.host: "vault"}
    _write(home / ".docker" / "config.json", {key: value, "auths": {guarded.host: {}}})
    assert check(f"docker://{guarded.host}/team/app:1.0", digest).exit_status == 0
    assert (home / "asked").read_text() == guarded.host


@pytest.mark.parametrize(
    "script",
    [
        "echo s3same; exit 1",
        "echo s3same",
        'echo \'{"Username": 7, "Secret": "s3same"}\'',
        "yes s3same",
        "echo s3same; sleep 600 & sleep 600",
        None,
    ],
)
def test_a_credential_helper_that_fails(
    guarded: Registry, home: Path, monkeypatch: pytest.MonkeyPatch, script: str | None
) -> None:
    guarded.push_image("team/app", "1.0")
    monkeypatch.setattr(limits, "CREDENTIAL_HELPER_SECONDS", 0.5)
    if script is not None:
        _helper(home / "bin", "vault", script)
    monkeypatch.setenv("PATH", f"{home}/bin:{os.environ['PATH']}")
    _write(home / ".docker" / "config.json", {"credsStore": "vault"})
    verdict = check(f"docker://{guarded.host}/team/app:1.0")
    assert codes_of(verdict) == {"credentials-unavailable"}
    assert verdict.exit_status == 3
    assert "s3same" not in text_of(verdict)


def test_a_credential_helper_that_knows_nothing(
    guarded: Registry, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded.push_image("team/app", "1.0")
    _helper(home / "bin", "vault", "echo credentials not found in native keychain; exit 1")
    monkeypatch.setenv("PATH", f"{home}/bin:{os.environ['PATH']}")
    _write(home / ".docker" / "config.json", {"credsStore": "vault"})
    assert codes_of(check(f"docker://{guarded.host}/team/app:1.0")) == {"denied"}


@pytest.mark.parametrize("name", ["../../evil", "a b", "", 7, "a/b"])
def test_the_name_of_a_helper_is_no_path(guarded: Registry, home: Path, name: object) -> None:
    guarded.push_image("team/app", "1.0")
    _write(home / ".docker" / "config.json", {"credHelpers": {guarded.host: name}})
    with pytest.raises(UsageError, match="credential helper"):
        check(f"docker://{guarded.host}/team/app:1.0")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"auths": 1}',
        '{"auths": {"HOST": 1}}',
        '{"auths": {"HOST": {"auth": "s3same!"}}}',
        '{"auths": {"HOST": {"auth": "czNzYW1l"}}}',
        '{"a": 1, "a": 1}',
    ],
)
def test_a_broken_credential_file_is_a_usage_error(
    guarded: Registry, home: Path, text: str
) -> None:
    guarded.push_image("team/app", "1.0")
    path = home / "auth.json"
    path.write_text(text.replace("HOST", guarded.host))
    with pytest.raises(UsageError, match=r"credentials: ") as error:
        check(f"docker://{guarded.host}/team/app:1.0", auth_file=str(path))
    assert "s3same" not in str(error.value)
    with pytest.raises(UsageError, match="No such file"):
        check(f"docker://{guarded.host}/team/app:1.0", auth_file=str(home / "missing"))


def test_an_identity_token_is_exchanged(home: Path) -> None:
    with running("bearer") as registry:
        digest = registry.push_image("team/app", "1.0")["digest"]
        entry = {"identitytoken": PASSWORD}
        path = _write(home / "a.json", {"auths": {registry.host: entry}})
        assert (
            check(f"docker://{registry.host}/team/app:1.0", digest, auth_file=path).exit_status == 0
        )
        assert registry.count("POST /token") == 1
        assert not any(PASSWORD in request.path for request in registry.requests)


def test_one_token_serves_a_repository_and_asks_for_no_more_than_pull() -> None:
    with running("bearer", anonymous_tokens=True) as registry:
        digest = registry.push_image("team/app", "1.0", [{"a": b"1"}, {"b": b"2"}])["digest"]
        other = registry.push_image("team/other", "1.0")["digest"]
        assert check(f"docker://{registry.host}/team/app:1.0", digest).exit_status == 0
        assert registry.count("GET /token") == 1
        assert check(f"docker://{registry.host}/team/app:1.0", digest).exit_status == 0
        assert registry.count("GET /token") == 1
        assert check(f"docker://{registry.host}/team/other:1.0", other).exit_status == 0
        asked = [request.path for request in registry.requests if "/token" in request.path]
        assert len(asked) == 2
        assert all("%3Apull&" in path and "push" not in path for path in asked)
        # the challenge of the first repository was enough for the second
        refusals = registry.count("GET /v2/team/other/manifests")
        assert refusals == 1


def test_a_token_that_expires_is_renewed_once_each_time() -> None:
    with running("bearer", anonymous_tokens=True) as registry:
        layers = [{str(number): os.urandom(100)} for number in range(6)]
        digest = registry.push_image("team/app", "1.0", layers)["digest"]
        registry.faults.expire_tokens_after = 3
        assert check(f"docker://{registry.host}/team/app:1.0", digest).exit_status == 0
        assert 2 <= registry.count("GET /token") <= 4


def test_threads_share_one_renewal() -> None:
    with running("bearer", anonymous_tokens=True) as registry:
        registry.push_image("team/app", "1.0")
        repository = _repository(registry)
        threads = [threading.Thread(target=lambda: repository.manifest("1.0")) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert registry.count("GET /token") == 1


# lists


def test_tags_over_several_pages(registry: Registry) -> None:
    for number in range(7):
        registry.push_image("team/app", f"v{number}")
    registry.faults.page_size = 3
    assert _repository(registry).tags() == [f"v{number}" for number in range(7)]
    assert registry.count("tags/list") == 3


def _referring(registry: Registry, digest: str, number: int, artifact_type: str) -> str:
    empty = registry.push_blob(b"{}", "application/vnd.oci.empty.v1+json")
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": empty,
        "layers": [empty],
        "subject": {"mediaType": OCI_MANIFEST, "digest": digest, "size": 1},
        "annotations": {"number": str(number)},
    }
    name: str = registry.push_manifest("team/app", manifest)["digest"]
    return name


def test_referrers_over_several_pages(registry: Registry) -> None:
    digest = registry.push_image("team/app", "1.0")["digest"]
    signatures = [_referring(registry, digest, number, "a/signature") for number in range(3)]
    others = [_referring(registry, digest, number, "a/sbom") for number in range(2)]
    registry.faults.page_size = 2
    repository = _repository(registry)
    found = repository.referrers(Digest.parse(digest))
    assert found.origin == "api"
    assert [entry["digest"] for entry in found.untrusted_descriptors] == signatures + others
    filtered = repository.referrers(Digest.parse(digest), "a/sbom")
    assert [entry["digest"] for entry in filtered.untrusted_descriptors] == others


def test_referrers_without_the_api_are_looked_for_under_the_tag(registry: Registry) -> None:
    digest = registry.push_image("team/app", "1.0")["digest"]
    registry.faults.no_referrers_api = True
    repository = _repository(registry)
    found = repository.referrers(Digest.parse(digest))
    assert (found.origin, found.untrusted_descriptors) == ("none", ())
    name = _referring(registry, digest, 1, "a/signature")
    entry = {"mediaType": OCI_MANIFEST, "digest": name, "size": 1, "artifactType": "a/signature"}
    registry.push_index("team/app", digest.replace(":", "-"), [entry])
    found = repository.referrers(Digest.parse(digest), "a/signature")
    assert found.origin == "tag"
    assert [entry["digest"] for entry in found.untrusted_descriptors] == [name]


@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_however_a_registry_says_that_it_has_no_referrers_api(
    registry: Registry, status: int
) -> None:
    digest = registry.push_image("team/app", "1.0")["digest"]
    registry.faults.referrers_status = status
    name = _referring(registry, digest, 1, "a/signature")
    entry = {"mediaType": OCI_MANIFEST, "digest": name, "size": 1}
    registry.push_index("team/app", digest.replace(":", "-"), [entry])
    repository = _repository(registry)
    for _ in range(3):
        found = repository.referrers(Digest.parse(digest))
        assert found.origin == "tag"
        assert [entry["digest"] for entry in found.untrusted_descriptors] == [name]
    assert registry.count("GET .*/referrers/.*") == 1


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_registry_that_fails_is_not_one_without_referrers(
    registry: Registry, status: int
) -> None:
    digest = registry.push_image("team/app", "1.0")["digest"]
    registry.faults.referrers_status = status
    with pytest.raises(AssayError):
        _repository(registry).referrers(Digest.parse(digest))


def test_threads_find_out_once_that_there_is_no_referrers_api(registry: Registry) -> None:
    digest = registry.push_image("team/app", "1.0")["digest"]
    registry.faults.no_referrers_api = True
    repository = _repository(registry)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: repository.referrers(Digest.parse(digest)), range(8)))
    assert {each.origin for each in found} == {"none"}
    assert registry.count("GET .*/referrers/.*") == 1


def test_no_referrers_is_not_an_absent_api(registry: Registry) -> None:
    digest = registry.push_image("team/app", "1.0")["digest"]
    assert _repository(registry).referrers(Digest.parse(digest)).origin == "api"


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("https://elsewhere.example/v2/team/app/tags/list", "response-malformed"),
        ("/v2/team/app/tags/list", "limit-exceeded"),
        ("//elsewhere.example/", "response-malformed"),
        ("https://user:word@elsewhere.example/", "response-malformed"),
    ],
)
def test_the_next_page_is_neither_elsewhere_nor_the_same(
    registry: Registry, target: str, code: str
) -> None:
    registry.push_image("team/app", "1.0")
    registry.faults.next_page = target
    with pytest.raises(AssayError) as error:
        _repository(registry).tags()
    assert error.value.finding.code == code


def test_pages_without_end(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REGISTRY_PAGES", 5)
    for number in range(20):
        registry.push_image("team/app", f"v{number}")
    registry.faults.page_size = 1
    with pytest.raises(AssayError) as error:
        _repository(registry).tags()
    assert error.value.finding.code == "limit-exceeded"
    assert registry.count("tags/list") == 5
