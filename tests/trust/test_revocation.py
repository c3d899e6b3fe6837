"""Responders and lists that certificates name: asked with care, kept while they count, and told
apart when they do not answer."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from assay import limits
from assay.model.finding import UsageError
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust
from assay.trust.revocation.cache import Cache, default_folder
from assay.trust.revocation.source import OnlineStatus
from assay.x509 import oids
from tests.cli.support import assay_here
from tests.support import cms
from tests.support.certificates import Holder, make, root, usage
from tests.support.revocation import (
    Good,
    Revoked,
    Service,
    answer,
    now,
    pointing,
    responder_of,
    serving,
)

CONTENT = b"assay" * 400
DAY = timedelta(days=1)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as found:
        yield found


class Scene:
    """An authority, an image that one of its signers signed, and the places that tell of it."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.folder, self.service = folder, service
        self.start, self.end = now() - DAY, now() + DAY
        self.top = root("Top", start=self.start, end=self.end)
        self.image = folder / "disk.img"
        self.image.write_bytes(CONTENT)
        (folder / "top.pem").write_bytes(self.top.pem)

    def signer(self, **places: Any) -> Holder:
        """A signer whose certificate names these places, and its signature beside the image."""
        signer = make(
            "Release",
            self.top,
            key_usage=usage("digital_signature"),
            eku=[oids.CODE_SIGNING],
            start=self.start,
            end=self.end,
            extensions=pointing(**places),
        )
        data = cms.signed_data(cms.signer(signer, CONTENT), certificates=[signer])
        (self.folder / "disk.img.p7s").write_bytes(data)
        return signer

    def verdict(
        self, mode: str = "hard", *, offline: bool = False, at: datetime | None = None
    ) -> Verdict:
        trust = Trust().add_ca(self.folder / "top.pem")
        trust.ask_revocation(mode, self.folder / "cache")
        options = VerifyOptions(trust=trust, open=OpenOptions(offline=offline), at=at)
        [verdict] = verify(str(self.image), options)
        return verdict


@pytest.fixture
def scene(tmp_path: Path, service: Service) -> Scene:
    return Scene(tmp_path, service)


def codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


def told(verdict: Verdict) -> str:
    [finding] = [f for f in verdict.findings if f.code.startswith("revocation-")]
    return finding.detail


def answering(scene: Scene, about: Holder, **more: Any) -> Any:
    def body(_: ocsp.OCSPRequest, nonce: bytes | None) -> bytes:
        return answer(about, scene.top, **{"at": now(), "nonce": nonce} | more)

    return body


# what is said


@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_a_responder_says_that_it_is_good(scene: Scene, service: Service, mode: str) -> None:
    signer = scene.signer(responder=service.url + "/ocsp")
    service.responder("/ocsp", answering(scene, signer))
    verdict = scene.verdict(mode)
    assert verdict.exit_status == 0
    assert verdict.findings == ()
    assert service.requests == ["POST /ocsp"]


@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_a_responder_says_that_it_was_revoked(scene: Scene, service: Service, mode: str) -> None:
    signer = scene.signer(responder=service.url + "/ocsp")
    service.responder("/ocsp", answering(scene, signer, status=Revoked))
    verdict = scene.verdict(mode)
    assert verdict.exit_status == 1
    assert codes(verdict) >= {"key-revoked", "not-vouched"}


@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_a_list_says_so(scene: Scene, service: Service, mode: str) -> None:
    signer = scene.signer(lists=[service.url + "/list.crl"])
    service.list("/list.crl", scene.top, at=scene.start)
    service.list("/list.crl", scene.top, at=now())
    assert scene.verdict(mode).exit_status == 0
    revoked = (signer.made.serial_number, scene.start, None)
    service.list("/list.crl", scene.top, revoked, at=now())
    (scene.folder / "cache").rename(scene.folder / "other")
    assert "key-revoked" in codes(scene.verdict(mode))


def test_off_asks_nobody(scene: Scene, service: Service) -> None:
    scene.signer(responder=service.url + "/ocsp", lists=[service.url + "/list.crl"])
    assert scene.verdict("off").exit_status == 0
    assert service.requests == []


def test_the_list_counts_where_the_responder_is_down(scene: Scene, service: Service) -> None:
    scene.signer(responder=service.url + "/down", lists=[service.url + "/list.crl"])
    service.list("/list.crl", scene.top, at=now())
    assert scene.verdict().exit_status == 0
    assert service.requests == ["POST /down", "GET /list.crl"]


# what cannot be told, and why


@pytest.mark.parametrize(("mode", "status"), [("soft", 0), ("hard", 3)])
def test_a_responder_that_cannot_be_reached(scene: Scene, mode: str, status: int) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        scene.signer(responder=f"http://127.0.0.1:{closed.getsockname()[1]}/ocsp")
        verdict = scene.verdict(mode)
    assert verdict.exit_status == status
    assert "revocation-unreachable" in codes(verdict)
    assert "key-revoked" not in codes(verdict)


@pytest.mark.parametrize(("mode", "status"), [("soft", 0), ("hard", 1)])
def test_an_answer_that_does_not_count(
    scene: Scene, service: Service, mode: str, status: int
) -> None:
    signer = scene.signer(responder=service.url + "/ocsp")
    service.responder("/ocsp", answering(scene, signer, at=now() - 2 * DAY))
    verdict = scene.verdict(mode)
    assert verdict.exit_status == status
    assert "revocation-unknown" in codes(verdict)
    assert "counted until" in told(verdict)


def test_a_replayed_answer_to_another_question(scene: Scene, service: Service) -> None:
    signer = scene.signer(responder=service.url + "/ocsp")
    service.responder("/ocsp", answering(scene, signer, nonce=b"another nonce"))
    assert "another question" in told(scene.verdict())


def test_a_responder_need_not_repeat_the_nonce(scene: Scene, service: Service) -> None:
    signer = scene.signer(responder=service.url + "/ocsp")
    service.responder("/ocsp", answering(scene, signer, nonce=None))
    assert scene.verdict().exit_status == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "/ocsp: expected SEQUENCE, found the end"),
        (b"<html>log in first</html>", ""),
        (b"\x30\x03\x0a\x01\x06", "unauthorized"),
        (b"\x30" + b"\0" * 300_000, "too large"),
    ],
)
def test_something_else_answers(scene: Scene, service: Service, body: bytes, said: str) -> None:
    scene.signer(responder=service.url + "/ocsp")
    service.bodies["/ocsp"] = body
    verdict = scene.verdict()
    assert verdict.exit_status == 1
    assert said in told(verdict)


def test_an_endless_answer(scene: Scene, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that never ends is given up at its limit."""
    monkeypatch.setattr(limits, "CRL_SIZE", 100_000)
    scene.signer(lists=[service.url + "/list.crl"])
    service.bodies["/list.crl"] = b"\x30\x84\x7f\xff\xff\xff" + bytes(200_000)
    assert "too large" in told(scene.verdict())


def test_a_responder_that_takes_for_ever(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OCSP_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        scene.signer(responder=f"http://127.0.0.1:{silent.getsockname()[1]}/ocsp")
        assert "revocation-unreachable" in codes(scene.verdict())


def test_a_host_that_is_down_is_waited_for_once(scene: Scene, service: Service) -> None:
    service.bodies["/a"] = lambda _: None
    service.list("/list.crl", scene.top, at=now())
    signer = scene.signer(responder=service.url + "/a", lists=[service.url + "/list.crl"])
    source = OnlineStatus()
    first = source.responses(signer.certificate, scene.top.certificate, now())
    assert len(first.unreachable) == 1
    second = source.lists(signer.certificate, scene.top.certificate, now())
    assert "did not answer before" in second.unreachable[0]
    assert service.requests == ["POST /a"]


@pytest.mark.parametrize(
    "place",
    [
        "ldap://directory.test/cn=list",
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/list",
        "http://0.0.0.0/list",
        "http://user:hunter2@host.test/list",
        "http://host.test\\@127.0.0.1/list",
        "",
    ],
)
def test_places_that_are_not_asked(scene: Scene, place: str) -> None:
    scene.signer(lists=[place])
    verdict = scene.verdict()
    assert verdict.exit_status == 1
    assert codes(verdict) >= {"revocation-unknown"}
    assert "hunter2" not in told(verdict)


def test_a_redirect_to_another_host_is_not_followed(scene: Scene, service: Service) -> None:
    """Only hosts that the certificate names are asked."""
    elsewhere = service.url.replace("127.0.0.1", "localhost") + "/list.crl"
    service.list("/list.crl", scene.top, at=now())
    service.bodies["/moved"] = lambda _: (302, {"Location": elsewhere}, b"")
    scene.signer(lists=[service.url + "/moved"])
    assert "to another host" in told(scene.verdict())
    assert service.requests == ["GET /moved"]
    service.bodies["/here"] = lambda _: (302, {"Location": "/list.crl"}, b"")
    scene.signer(lists=[service.url + "/here"])
    assert scene.verdict().exit_status == 0


def test_a_certificate_that_names_nobody(scene: Scene) -> None:
    scene.signer()
    assert "does not say where to ask" in told(scene.verdict("hard"))
    soft = scene.verdict("soft")
    assert soft.exit_status == 0
    assert "does not say where to ask" in told(soft)


def test_places_of_a_kind_that_is_not_known_are_not_no_places(scene: Scene) -> None:
    """A policy lets a certificate through that names nobody, and not one that names somebody whom
    we cannot ask."""
    reasons = frozenset([x509.ReasonFlags.key_compromise])
    uri = x509.UniformResourceIdentifier("http://crl.test/1")
    for point in (
        x509.DistributionPoint([uri], None, reasons, None),
        x509.DistributionPoint([uri], None, None, [x509.DNSName("other.test")]),
        x509.DistributionPoint(None, None, None, [x509.DNSName("other.test")]),
    ):
        extension = (x509.CRLDistributionPoints([point]), False)
        leaf = make("Leaf", scene.top, extensions=[extension]).certificate
        found = OnlineStatus(offline=True).lists(leaf, scene.top.certificate, now())
        assert (found.asked, len(found.useless)) == (1, 1)
    access = x509.AccessDescription(
        x509.oid.AuthorityInformationAccessOID.OCSP, x509.DNSName("ocsp.test")
    )
    extension = (x509.AuthorityInformationAccess([access]), False)
    leaf = make("Leaf", scene.top, extensions=[extension]).certificate
    found = OnlineStatus(offline=True).responses(leaf, scene.top.certificate, now())
    assert (found.asked, len(found.useless)) == (1, 1)
    nobody = OnlineStatus(offline=True).lists(scene.top.certificate, scene.top.certificate, now())
    assert nobody.asked == 0


def test_redirects_in_a_circle_end_in_time(
    scene: Scene, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CRL_SECONDS", 0.0001)
    service.bodies["/list.crl"] = lambda _: (302, {"Location": "/list.crl"}, b"")
    scene.signer(lists=[service.url + "/list.crl"])
    assert scene.verdict().exit_status != 0
    assert len(service.requests) <= 1


def test_judged_at_another_time_todays_answers_say_nothing(scene: Scene, service: Service) -> None:
    signer = scene.signer(responder=service.url + "/ocsp")
    service.responder("/ocsp", answering(scene, signer))
    assert "after the effective time" in told(scene.verdict(at=now() - timedelta(hours=2)))


# offline


def test_offline_makes_no_connection(
    scene: Scene, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.signer(responder=service.url + "/ocsp", lists=[service.url + "/list.crl"])

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    verdict = scene.verdict(offline=True)
    assert "revocation-unreachable" in codes(verdict)
    assert "--offline" in told(verdict)
    assert service.requests == []


def test_offline_counts_on_what_was_kept(scene: Scene, service: Service) -> None:
    signer = scene.signer(responder=service.url + "/ocsp")
    service.responder("/ocsp", answering(scene, signer))
    assert scene.verdict().exit_status == 0
    service.bodies.clear()
    assert scene.verdict(offline=True).exit_status == 0
    assert service.requests == ["POST /ocsp"]


# the cache


def test_what_was_said_is_kept_while_it_counts(scene: Scene, service: Service) -> None:
    scene.signer(lists=[service.url + "/list.crl"])
    service.list("/list.crl", scene.top, at=now())
    for _ in range(3):
        assert scene.verdict().exit_status == 0
    assert service.requests == ["GET /list.crl"]


def test_what_no_longer_counts_is_asked_for_again(scene: Scene, service: Service) -> None:
    scene.signer(lists=[service.url + "/list.crl"])
    service.list("/list.crl", scene.top, at=now(), end=now() + timedelta(minutes=30))
    assert scene.verdict().exit_status == 0
    hour = timedelta(hours=1)
    service.list("/list.crl", scene.top, at=now() + hour, end=now() + 9 * hour)
    assert scene.verdict(at=now() + 2 * hour).exit_status == 0
    assert len(service.requests) == 2
    assert scene.verdict(at=now() + 3 * hour).exit_status == 0
    assert len(service.requests) == 2


def test_who_was_revoked_stays_so_when_the_list_is_withheld(scene: Scene, service: Service) -> None:
    """Cutting off the list must not bring a revoked certificate back, not even with soft."""
    signer = scene.signer(lists=[service.url + "/list.crl"])
    revoked = (signer.made.serial_number, scene.start, None)
    service.list(
        "/list.crl",
        scene.top,
        revoked,
        at=now(),
        end=now() + timedelta(minutes=30),
    )
    assert "key-revoked" in codes(scene.verdict("soft"))
    service.bodies.clear()
    verdict = scene.verdict("soft", at=now() + timedelta(hours=1))
    assert "key-revoked" in codes(verdict)


def test_nothing_that_is_not_signed_is_kept(scene: Scene, service: Service) -> None:
    """Who stands in between could have us keep a forged list until the end of days."""
    scene.signer(lists=[service.url + "/list.crl"])
    forged = root("Top", start=scene.start, end=scene.end)
    service.list("/list.crl", forged, at=now(), end=now() + 9 * DAY)
    assert "revocation-unknown" in codes(scene.verdict())
    service.list("/list.crl", scene.top, at=now())
    assert scene.verdict().exit_status == 0


def test_a_cache_that_someone_wrote_to_makes_nothing_good(scene: Scene, service: Service) -> None:
    signer = scene.signer(lists=[service.url + "/list.crl"])
    service.list("/list.crl", scene.top, at=now())
    assert scene.verdict().exit_status == 0
    revoked = (signer.made.serial_number, scene.start, None)
    service.list("/list.crl", scene.top, revoked, at=now())
    [kept] = (scene.folder / "cache").iterdir()
    for content in (b"", b"garbage", bytes(1000)):
        kept.write_bytes(content)
        assert "key-revoked" in codes(scene.verdict())
    service.bodies.clear()
    other = root("Top", start=scene.start, end=scene.end)
    service.list("/forged", other, at=now())
    forged = service.bodies["/forged"]
    assert isinstance(forged, bytes)
    kept.write_bytes(forged)
    assert scene.verdict().exit_status == 1


def test_an_answer_about_one_issuer_is_not_kept_for_another(
    tmp_path: Path, service: Service
) -> None:
    """Two authorities may name the same place."""
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        scene = Scene(folder, service)
        scene.folder.joinpath("cache").symlink_to(tmp_path)
        scene.signer(lists=[service.url + "/list.crl"])
        service.list("/list.crl", scene.top, at=now())
        assert scene.verdict().exit_status == 0
    assert len(service.requests) == 2


def test_the_cache_stays_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REVOCATION_CACHE_FILES", 3)
    monkeypatch.setattr(limits, "REVOCATION_CACHE_SIZE", 100)
    cache = Cache(tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "notes.txt").write_text("not ours")
    for number in range(6):
        name = f"{number:064x}"
        cache.write(name, b"x" * 10)
        os.utime(tmp_path / "cache" / name, (number, number))
    kept = sorted(each.name[-1] for each in (tmp_path / "cache").iterdir())
    assert kept == ["3", "4", "5", "t"]
    cache.write("a" * 64, b"x" * 90)
    assert cache.read("a" * 64, 90) == b"x" * 90
    assert cache.read("a" * 64, 89) is None
    assert cache.read("3".rjust(64, "0"), 100) is None


def test_a_cache_that_cannot_be_written_is_none(scene: Scene, service: Service) -> None:
    (scene.folder / "cache").write_text("a file")
    scene.signer(lists=[service.url + "/list.crl"])
    service.list("/list.crl", scene.top, at=now())
    assert scene.verdict().exit_status == 0


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "assay" / "revocation"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_folder() == Path.home() / ".cache" / "assay" / "revocation"


def test_a_mode_that_is_not_known() -> None:
    with pytest.raises(UsageError, match="soft"):
        Trust().ask_revocation("maybe")


def test_on_the_command_line(scene: Scene, service: Service) -> None:
    signer = scene.signer(responder=service.url + "/ocsp")
    service.responder("/ocsp", answering(scene, signer))
    asking = ("--revocation", "hard", "--revocation-cache", "cache")
    done = assay_here("verify", "disk.img", "--ca", "top.pem", *asking, cwd=scene.folder)
    assert done.returncode == 0, done.stdout
    assert (scene.folder / "cache").is_dir()
    done = assay_here(
        "verify", "disk.img", "--digest", "sha256:" + "0" * 64, *asking, cwd=scene.folder
    )
    assert done.returncode == 2
    assert "--ca" in done.stderr


def test_a_delegated_responder_over_the_network(scene: Scene, service: Service) -> None:
    signer = scene.signer(responder=service.url + "/ocsp")
    responder = responder_of(scene.top, start=scene.start, end=scene.end)
    service.responder("/ocsp", answering(scene, signer, signer=responder, status=Good))
    assert scene.verdict().exit_status == 0
    service.responder("/ocsp", answering(scene, signer, signer=signer, status=Good))
    (scene.folder / "cache").rename(scene.folder / "other")
    assert scene.verdict().exit_status == 1
