"""`https://`: files on web servers, TLS, certificates, proxies."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assay import limits
from assay.model.finding import AssayError, UsageError
from assay.sources.https import HTTP
from assay.sources.model import OpenOptions
from tests.support.authority import Authority
from tests.support.checking import check, codes_of, text_of
from tests.support.registry import PASSWORD, USER, Registry, digest_of, running

DATA = os.urandom(500_000)
DIGEST = digest_of(DATA)


@pytest.fixture
def server() -> Iterator[Registry]:
    with running() as started:
        started.blobs["disk.img"] = DATA
        yield started


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def secure(authority: Authority) -> Iterator[Registry]:
    with running(context=authority.server_context()) as started:
        started.blobs["disk.img"] = DATA
        yield started


def _name(server: Registry) -> str:
    return f"{server.url}/files/disk.img"


# files


def test_a_file_is_read_once(server: Registry) -> None:
    verdict = check(_name(server), DIGEST)
    assert verdict.findings == ()
    assert verdict.exit_status == 0
    assert verdict.coverage.fraction == 1
    # the beginning, and the rest
    assert [request.headers["Range"] for request in server.requests] == [
        "bytes=0-65535",
        "bytes=65536-",
    ]


def test_a_digest_in_the_fragment_pins_the_file(server: Registry) -> None:
    verdict = check(f"{_name(server)}#{DIGEST}")
    assert verdict.exit_status == 0
    assert verdict.resolved == f"{_name(server)}#{DIGEST}"
    verdict = check(f"{_name(server)}#{digest_of(b'other')}")
    assert "digest-mismatch" in codes_of(verdict)
    assert verdict.exit_status == 1
    assert not any("#" in request.path for request in server.requests)
    with pytest.raises(UsageError, match="digest"):
        check(f"{_name(server)}#sha256:abc")


def test_a_checksum_file_finds_the_file_by_its_last_part(server: Registry, tmp_path: Path) -> None:
    from assay.pipeline import VerifyOptions, verify
    from assay.trust.anchors import Trust

    sums = tmp_path / "SHA256SUMS"
    sums.write_text(f"{DIGEST.removeprefix('sha256:')}  disk.img\n")
    trust = Trust()
    trust.add_checksums(str(sums))
    [verdict] = verify(f"{_name(server)}?token=x", VerifyOptions(trust))
    assert verdict.exit_status == 0


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537])
@pytest.mark.parametrize("ignore_ranges", [False, True])
def test_files_of_every_size(server: Registry, size: int, ignore_ranges: bool) -> None:
    server.blobs["disk.img"] = DATA[:size]
    server.faults.ignore_ranges = ignore_ranges
    verdict = check(_name(server), digest_of(DATA[:size]))
    assert verdict.exit_status == 0


def test_parts_of_a_file(server: Registry) -> None:
    [image] = HTTP.open(_name(server), OpenOptions())
    assert image.root.seekable
    for offset, length in [(0, 10), (65530, 100), (499_990, 100), (70_000, 300_000), (500_000, 1)]:
        assert image.root.read_at(offset, length) == DATA[offset : offset + length]
    before = len(server.requests)
    for offset in range(100_000, 110_000, 1000):
        image.root.read_at(offset, 16)
    assert len(server.requests) <= before + 1
    assert b"".join(map(bytes, image.root.stream(1000))) == DATA


def test_parts_of_a_file_where_the_server_sends_none(server: Registry) -> None:
    server.faults.ignore_ranges = True
    [image] = HTTP.open(_name(server), OpenOptions())
    assert not image.root.seekable
    assert image.root.read_at(0, 65536) == DATA[:65536]
    with pytest.raises(AssayError) as error:
        image.root.read_at(100_000, 16)
    assert error.value.finding.code == "ranges-unsupported"
    assert b"".join(map(bytes, image.root.stream(100_000))) == DATA


def test_a_file_that_never_ends(server: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REMOTE_SIZE", 3_000_000)
    server.faults.endless_blobs = True
    verdict = check(_name(server), DIGEST)
    assert "body-too-large" in codes_of(verdict)
    assert verdict.exit_status == 3


def test_a_transfer_that_is_cut_goes_on(server: Registry) -> None:
    server.faults.cut_after, server.faults.cuts = 150_000, 2
    assert check(_name(server), DIGEST).exit_status == 0


def test_a_file_that_changes_meanwhile(server: Registry) -> None:
    server.faults.blob_changes = True
    verdict = check(_name(server), DIGEST)
    assert "content-changed" in codes_of(verdict)
    assert verdict.exit_status == 3


def test_a_file_that_is_not_there(server: Registry) -> None:
    verdict = check(f"{server.url}/files/other?token=s3same")
    assert codes_of(verdict) == {"not-found"}
    assert verdict.exit_status == 3
    assert "s3same" not in verdict.findings[0].detail


def test_a_password_in_the_name_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as error:
        check("https://user:s3same@host.example/disk.img")
    assert "s3same" not in str(error.value)


def test_a_redirect_may_lead_to_another_server(server: Registry) -> None:
    with running() as elsewhere:
        elsewhere.blobs = server.blobs
        server.faults.redirect_blobs_to = elsewhere.url
        assert check(_name(server), DIGEST).exit_status == 0
        assert len(elsewhere.requests) == 2


# passwords


def _login(folder: Path, host: str, password: str = PASSWORD) -> str:
    encoded = base64.b64encode(f"{USER}:{password}".encode()).decode()
    path = folder / "auth.json"
    path.write_text(json.dumps({"auths": {host: {"auth": encoded}}}))
    return str(path)


def test_a_password_is_sent_when_the_server_asks(home: Path) -> None:
    with running("basic") as guarded:
        guarded.blobs["disk.img"] = DATA
        verdict = check(_name(guarded), DIGEST)
        assert codes_of(verdict) == {"denied"}
        assert "no credentials were found" in verdict.findings[0].detail
        verdict = check(_name(guarded), DIGEST, auth_file=_login(home, guarded.host, "s3same"))
        assert codes_of(verdict) == {"denied"}
        assert "not accepted" in verdict.findings[0].detail
        assert "s3same" not in text_of(verdict)
        before = len(guarded.requests)
        path = _login(home, f"{guarded.host}/files")
        assert check(_name(guarded), DIGEST, auth_file=path).exit_status == 0
        assert "Authorization" not in guarded.requests[before].headers
        path = _login(home, f"{guarded.host}/other")
        assert check(_name(guarded), DIGEST, auth_file=path).exit_status == 3


# answers that are none


_ANSWERS = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [
                b"HTTP/1.1 200 OK\r\n",
                b"HTTP/1.1 206 Partial Content\r\n",
                b"HTTP/1.1 302 Found\r\n",
                b"HTTP/1.1 401 Unauthorized\r\n",
                b"HTTP/1.1 416 Range Not Satisfiable\r\n",
                b"HTTP/1.1 429 Too Many Requests\r\n",
                b"Content-Length: 5\r\n",
                b"Content-Length: 6\r\n",
                b"Content-Length: -1\r\n",
                b"Content-Range: bytes 0-4/5\r\n",
                b"Content-Range: bytes 4-0/2\r\n",
                b"Transfer-Encoding: chunked\r\n",
                b"Content-Encoding: gzip\r\n",
                b"Location: http://[\r\n",
                b"Location: /\xff\r\n",
                b"WWW-Authenticate: Basic realm=\r\n",
                b"Retry-After: x\r\n",
                b'ETag: "\r\n',
                b"\r\n",
                b"\r\n12345",
                b"5\r\n12345\r\n0\r\n\r\n",
                b"-5\r\n",
            ]
        ),
    ),
    max_size=6,
).map(b"".join)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(answer=_ANSWERS)
@example(answer=b"SSH-2.0-OpenSSH_9.2\r\n")
@example(answer=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345")
@example(answer=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n12345")
@example(answer=b"HTTP/1.1 302 Found\r\nLocation: \x1b[31m\r\n\r\n")
def test_whatever_answers_the_verdict_is_never_a_yes_nor_a_crash(answer: bytes) -> None:
    with _Saying(answer) as host:
        for name in (f"http://{host}/file", f"docker://{host}/app:1"):
            verdict = check(name, DIGEST, timeout=1)
            assert verdict.exit_status in (1, 3)
            assert "internal-error" not in codes_of(verdict)
            assert all(finding.detail.isprintable() for finding in verdict.findings)


class _Saying:
    """A server on loopback that says the same to everyone, whatever they ask, and hangs up."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> str:
        self._thread.start()
        return f"127.0.0.1:{self._listening.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with client, suppress(OSError):
                client.settimeout(5)
                asked = client.recv(65536)
                if asked[:1] == b"\x16":
                    client.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
                    continue
                client.sendall(self._answer)
                client.shutdown(socket.SHUT_WR)


# TLS


def test_a_private_authority_is_given_by_file(secure: Registry, authority: Authority) -> None:
    verdict = check(_name(secure), DIGEST, ca_file=str(authority.certificate))
    assert verdict.exit_status == 0


def test_an_unknown_authority(secure: Registry) -> None:
    verdict = check(_name(secure), DIGEST)
    assert codes_of(verdict) == {"tls-failed"}
    assert verdict.exit_status == 3
    assert "certificate" in verdict.findings[0].detail
    assert secure.requests == []


def test_a_registry_of_an_unknown_authority_is_not_met_without_tls(secure: Registry) -> None:
    secure.push_image("team/app", "1.0")
    verdict = check(f"docker://{secure.host}/team/app:1.0")
    assert codes_of(verdict) == {"tls-failed"}
    assert secure.requests == []


def test_a_certificate_for_another_name(authority: Authority) -> None:
    context = authority.server_context("other", hosts="DNS:other.example")
    with running(context=context) as server:
        verdict = check(_name(server), ca_file=str(authority.certificate))
        assert codes_of(verdict) == {"tls-failed"}


def test_an_expired_certificate(authority: Authority) -> None:
    with running(context=authority.server_context("expired", days=-1)) as server:
        verdict = check(_name(server), ca_file=str(authority.certificate))
        assert codes_of(verdict) == {"tls-failed"}
        assert "expired" in verdict.findings[0].detail


def test_no_redirect_leads_from_https_to_http(
    secure: Registry, server: Registry, authority: Authority
) -> None:
    secure.faults.redirect_blobs_to = server.url
    verdict = check(_name(secure), DIGEST, ca_file=str(authority.certificate))
    assert codes_of(verdict) == {"redirect-refused"}
    assert server.requests == []


def test_a_server_that_does_not_speak_tls(server: Registry) -> None:
    verdict = check(_name(server).replace("http:", "https:"), DIGEST)
    assert codes_of(verdict) == {"tls-failed"}
    assert verdict.exit_status == 3


@pytest.mark.parametrize("text", [None, "", "no certificate"])
def test_a_ca_file_that_cannot_be_used(server: Registry, tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match="CA file"):
        check(_name(server), ca_file=str(path))


def _asking(authority: Authority) -> ssl.SSLContext:
    context = authority.server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.certificate)
    return context


def test_a_client_certificate_is_shown(authority: Authority) -> None:
    certificate, key = authority.issue("client")
    with running(context=_asking(authority)) as server:
        server.blobs["disk.img"] = DATA
        options = {"ca_file": str(authority.certificate)}
        assert check(_name(server), DIGEST, **options).exit_status == 3
        assert server.requests == []
        verdict = check(
            _name(server),
            DIGEST,
            client_certificate=str(certificate),
            client_key=str(key),
            **options,
        )
        assert verdict.exit_status == 0


def test_a_client_certificate_is_not_shown_to_another_server(
    secure: Registry, authority: Authority
) -> None:
    certificate, key = authority.issue("client")
    with running(context=_asking(authority)) as elsewhere:
        elsewhere.blobs["disk.img"] = DATA
        secure.faults.redirect_blobs_to = elsewhere.url
        verdict = check(
            _name(secure),
            DIGEST,
            ca_file=str(authority.certificate),
            client_certificate=str(certificate),
            client_key=str(key),
        )
        assert verdict.exit_status == 3
        assert elsewhere.requests == []


def test_an_encrypted_client_key_does_not_wait_at_the_terminal(
    secure: Registry, authority: Authority, tmp_path: Path
) -> None:
    import subprocess

    certificate, key = authority.issue("client")
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "ec", "-in", key, "-aes256", "-passout", "pass:x", "-out", locked],
        check=True,
        capture_output=True,
    )
    with pytest.raises(UsageError, match="encrypted"):
        check(_name(secure), client_certificate=str(certificate), client_key=str(locked))


def test_a_key_without_a_certificate(secure: Registry, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--tls-cert"):
        check(_name(secure), client_key=str(tmp_path / "key"))


@pytest.mark.parametrize("engine", ["containers", "docker"])
def test_certificates_of_a_registry_are_found_in_its_folder(
    authority: Authority, home: Path, engine: str
) -> None:
    certificate, key = authority.issue("client")
    with running(context=_asking(authority)) as registry:
        digest = registry.push_image("team/app", "1.0")["digest"]
        folder = home / ".config" / engine / "certs.d" / registry.host
        folder.mkdir(parents=True)
        shutil.copy(authority.certificate, folder / "ca.crt")
        shutil.copy(certificate, folder / "client.cert")
        with pytest.raises(UsageError, match="key"):
            check(f"docker://{registry.host}/team/app:1.0", digest)
        shutil.copy(key, folder / "client.key")
        assert check(f"docker://{registry.host}/team/app:1.0", digest).exit_status == 0


# proxies


class _Tunnel:
    """A proxy for CONNECT that leads everything to one server, and remembers what was asked."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.heads: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            self.heads.append(head)
            server = socket.create_connection(self._target)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=_copy, args=(one, other), daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def test_a_proxy_from_the_environment_leads_to_the_server(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = authority.server_context("named", hosts="DNS:files.example")
    with running(context=context) as server:
        server.blobs["disk.img"] = DATA
        tunnel = _Tunnel(server.host)
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:s3same@{tunnel.host}")
        try:
            verdict = check(
                "https://files.example/files/disk.img",
                DIGEST,
                ca_file=str(authority.certificate),
            )
        finally:
            tunnel.close()
        assert verdict.exit_status == 0
        assert tunnel.heads[0].startswith(b"CONNECT files.example:443 ")
        assert b"\r\nproxy-authorization: basic dxnlcjpzm3nhbwu=\r\n" in tunnel.heads[0].lower()
        assert not any("proxy-authorization" in map(str.lower, r.headers) for r in server.requests)


def test_plain_http_to_another_host_by_request_and_by_way_of_a_proxy(
    server: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    with pytest.raises(UsageError, match="plain HTTP"):
        check("http://files.example/files/disk.img", DIGEST)
    assert server.requests == []
    verdict = check("http://files.example/files/disk.img", DIGEST, plain_http=True)
    assert verdict.exit_status == 0
    assert server.requests[0].path == "http://files.example/files/disk.img"
    digest = server.push_image("team/app", "1.0")["digest"]
    name = "docker://registry.example/team/app:1.0"
    assert check(name, digest, plain_http=True).exit_status == 0


def test_no_redirect_leads_from_the_network_to_this_machine(
    server: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    for target in (server.url, "http://169.254.169.254", "http://localhost:1"):
        server.faults.redirect_blobs_to = target
        verdict = check("http://files.example/files/disk.img", DIGEST, plain_http=True)
        assert codes_of(verdict) == {"redirect-refused"}
        assert "local" in verdict.findings[0].detail


def test_a_token_service_without_tls_gets_nothing_from_a_registry_with_it(
    server: Registry, authority: Authority, home: Path
) -> None:
    with running("bearer", context=authority.server_context()) as registry:
        registry.push_image("team/app", "1.0")
        registry.faults.token_realm = f"{server.url}/token"
        verdict = check(
            f"docker://{registry.host}/team/app:1.0",
            ca_file=str(authority.certificate),
            auth_file=_login(home, registry.host),
        )
        assert codes_of(verdict) == {"response-malformed"}
        assert server.requests == []


def test_a_proxy_that_is_down_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
        monkeypatch.setenv("https_proxy", f"http://user:s3same@{address}")
        verdict = check("https://files.example/disk.img")
    assert codes_of(verdict) == {"unreachable"}
    assert address in verdict.findings[0].detail
    assert "s3same" not in text_of(verdict)


def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://user:s3same@127.0.0.1:1080")
    with pytest.raises(UsageError, match="HTTPS_PROXY") as error:
        check("https://files.example/disk.img")
    assert "s3same" not in str(error.value)
