"""Signatures that are kept in another repository than the image's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.attach import Attachment, Layer, attach, subject_of
from assay.model.finding import UsageError
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.sources.model import OpenOptions
from assay.sources.open import open_images
from assay.trust.anchors import Trust
from tests.evidence.test_attached import bundle_for, codes, instance, trust
from tests.sources.conftest import home, waits
from tests.support.images import Layout
from tests.support.registry import Registry, running
from tests.support.sigstore import V03, Instance

__all__ = ["home", "instance", "trust", "waits"]


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as found:
        yield found


def check(name: str, trust: Trust, *repositories: str, offline: bool = False) -> Verdict:
    options = OpenOptions(signature_repositories=repositories, offline=offline)
    [verdict] = verify(name, VerifyOptions(trust=trust, open=options))
    return verdict


def keep(name: str, repository: str, instance: Instance) -> None:
    """Sign an image, and keep the bundle in a repository."""
    [image] = open_images(name, OpenOptions())
    subject = subject_of(image)
    data = bundle_for(instance, str(subject.digest))
    attach(f"docker://{repository}", subject, Attachment(V03, (Layer(V03, data),)))


@pytest.mark.parametrize("api", [True, False])
def test_of_an_image_in_a_registry(
    registry: Registry, trust: Trust, instance: Instance, api: bool
) -> None:
    registry.faults.no_referrers_api = not api
    registry.push_image("app", "1")
    name, other = f"docker://{registry.host}/app:1", f"{registry.host}/signatures"
    keep(name, other, instance)
    assert "no-signature" in codes(check(name, trust))
    verdict = check(name, trust, other)
    assert verdict.exit_status == 0, verdict.findings
    assert verdict.coverage.fraction == 1.0
    assert f"{other}/referrer[" in str(verdict.vouchers[0])


def test_of_an_image_in_a_layout(
    registry: Registry, trust: Trust, instance: Instance, tmp_path: Path
) -> None:
    layout = Layout()
    name = layout.write(tmp_path / "image", layout.image([{"etc/hostname": b"assay"}]), tag="1")
    other = f"{registry.host}/signatures"
    keep(name, other, instance)
    assert check(name, trust).exit_status == 1
    assert check(name, trust, f"docker://{other}").exit_status == 0


def test_the_repository_of_the_image_itself_is_asked_once(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    registry.push_image("app", "1")
    name = f"docker://{registry.host}/app:1"
    keep(name, f"{registry.host}/app", instance)
    registry.requests.clear()
    assert check(name, trust, f"{registry.host}/app").exit_status == 0
    assert registry.count("GET .*/referrers/") == 1


def test_a_repository_that_denies_is_not_one_without_signatures(
    registry: Registry, trust: Trust
) -> None:
    registry.push_image("app", "1")
    with running("bearer") as other:
        verdict = check(f"docker://{registry.host}/app:1", trust, f"{other.host}/signatures")
    assert "denied" in codes(verdict)
    assert verdict.exit_status != 0


def test_nothing_is_asked_offline(registry: Registry, trust: Trust, tmp_path: Path) -> None:
    layout = Layout()
    name = layout.write(tmp_path / "image", layout.image([{"etc/hostname": b"assay"}]), tag="1")
    verdict = check(name, trust, f"{registry.host}/signatures", offline=True)
    assert "offline" in codes(verdict)
    assert not registry.requests


@pytest.mark.parametrize("name", ["signatures", "a.example/b:tag", "a.example/B", "", "oci:dir"])
def test_a_name_that_is_no_repository(registry: Registry, trust: Trust, name: str) -> None:
    registry.push_image("app", "1")
    with pytest.raises(UsageError, match="--signature-repository"):
        check(f"docker://{registry.host}/app:1", trust, name)
