"""Several images in one call: fetched at the same time, judged and told in order."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay import limits
from assay.evidence.attached.legacy import usual_payload
from assay.model.digest import Digest
from assay.model.finding import UsageError
from assay.pipeline import VerifyOptions, verify
from assay.several import AHEAD, FETCHED_AT_ONCE, verify_each
from assay.trust.anchors import Trust
from tests.evidence.test_attached import push_legacy
from tests.support.registry import Registry, running

COUNT = 30


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as found:
        yield found


def _pushed(registry: Registry, count: int = COUNT) -> list[str]:
    return [
        f"docker://{registry.host}/app@"
        + registry.push_image("app", layers=[{"file": b"%d" % number}])["digest"]
        for number in range(count)
    ]


def test_the_answers_are_those_of_one_call_each_and_in_order(
    registry: Registry, tmp_path: Path
) -> None:
    names = _pushed(registry)
    local = tmp_path / "file"
    local.write_bytes(b"content")
    missing = f"docker://{registry.host}/app:missing"
    names[3:3] = [str(local), missing, names[0]]
    request = VerifyOptions(trust=Trust())
    together = list(verify_each(names, request))
    apart = [verdict for name in names for verdict in verify(name, request)]
    assert [verdict.image for verdict in together] == [verdict.image for verdict in apart]
    for one, other in zip(together, apart, strict=True):
        assert one.decision is other.decision
        assert one.findings == other.findings
        assert one.components == other.components


def test_images_are_fetched_at_the_same_time_and_not_all_at_once(registry: Registry) -> None:
    names = _pushed(registry)
    verdicts = verify_each(names, VerifyOptions(trust=Trust()))
    next(verdicts)
    threads = [thread for thread in threading.enumerate() if thread.name == "assay-fetch"]
    assert 0 < len(threads) <= FETCHED_AT_ONCE
    asked = {request.path for request in registry.requests if "/manifests/sha256:" in request.path}
    assert len(asked) <= AHEAD + 1
    assert len(list(verdicts)) == COUNT - 1


def test_a_name_that_makes_no_sense_is_told_where_it_stands(registry: Registry) -> None:
    names = _pushed(registry, 4)
    verdicts = verify_each(
        [*names[:2], "docker:nonsense", *names[2:]], VerifyOptions(trust=Trust())
    )
    assert [next(verdicts).image, next(verdicts).image] == names[:2]
    with pytest.raises(UsageError, match="nonsense"):
        next(verdicts)


def test_who_stops_listening_leaves_no_thread_at_work(registry: Registry) -> None:
    verdicts = verify_each(_pushed(registry), VerifyOptions(trust=Trust()))
    next(verdicts)
    verdicts.close()  # type: ignore[attr-defined]
    for thread in threading.enumerate():
        if thread.name == "assay-fetch":
            thread.join(timeout=20)
            assert not thread.is_alive()


@pytest.mark.parametrize(("annotated", "each"), [(False, 4), (True, 5)])
def test_the_usual_payload_of_cosign_is_known_without_asking_for_it(
    registry: Registry, tmp_path: Path, annotated: bool, each: int
) -> None:
    """Four requests for a signed image with one layer: manifest, configuration, layer, and the
    manifest of its signatures. What that signs is known by its digest. A payload with annotations
    is none that could be known."""
    registry.faults.no_referrers_api = True
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "key.pub").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    names = [_signed(registry, key, f"{n}", annotated) for n in range(COUNT)]
    trust = Trust().add_key(str(tmp_path / "key.pub"))
    assert all(verify_each(names, VerifyOptions(trust=trust)))
    learnt = 12
    assert each * COUNT <= len(registry.requests) <= each * COUNT + learnt


def test_a_signature_that_is_added_later_is_found(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known of a repository's tags grows old: a program that runs for long finds what came
    after they were listed."""
    registry.faults.no_referrers_api = True
    names = _pushed(registry, 4)
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "key.pub").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    request = VerifyOptions(trust=Trust().add_key(str(tmp_path / "key.pub")))
    assert not any(verify_each(names, request))
    later = _signed(registry, key, "later", False)
    clock = time.monotonic() + limits.REGISTRY_MEMORY_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    assert verify(later, request)[0]


def _signed(
    registry: Registry, key: ec.EllipticCurvePrivateKey, content: str, annotated: bool
) -> str:
    image = registry.push_image("app", layers=[{"content": content.encode()}])
    payload = usual_payload(Digest.parse(image["digest"]), f"{registry.host}/app")
    if annotated:
        payload = payload.replace(b'"optional":null', b'"optional":{"a":"b"}')
    signature = base64.b64encode(key.sign(payload, ec.ECDSA(hashes.SHA256()))).decode()
    push_legacy(registry, image, [(payload, {"dev.cosignproject.cosign/signature": signature})])
    return f"docker://{registry.host}/app@{image['digest']}"


@pytest.mark.parametrize("referrers", [True, False])
def test_images_of_one_repository_share_what_is_known_of_it(
    registry: Registry, tmp_path: Path, referrers: bool
) -> None:
    """Each unsigned image takes its manifest, configuration and layer, and at most the question
    what refers to it; that there is no such question, and which tags exist, is learnt once."""
    registry.faults.no_referrers_api = not referrers
    key = tmp_path / "key.pub"
    key.write_text(
        "untrusted comment: x\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n"
    )
    names = _pushed(registry)
    list(verify_each(names, VerifyOptions(trust=Trust().add_key(str(key)))))
    learnt = 4 * FETCHED_AT_ONCE
    assert len(registry.requests) <= (4 if referrers else 3) * COUNT + learnt
