"""Notary signatures that Assay makes and attaches, as notation verifies them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509 import Name

from assay.attach import attach, subject_of
from assay.attach.notary import notary_attachment
from assay.measure.hashing import hash_bytes
from assay.model.digest import Digest
from assay.pipeline import VerifyOptions, verify
from assay.produce import notary_cose, notary_jws
from assay.produce.notary import Artifact, Stamp, Terms, signer_of
from assay.sources.model import OpenOptions
from assay.sources.open import open_images
from assay.sources.time_stamping import stamper
from assay.trust.anchors import Trust
from tests.produce.test_notary import PlainKey
from tests.support.certificates import Holder, name_of, root
from tests.support.notary import signer
from tests.support.peers import docker_registry, make_layout, push, run
from tests.support.tsa import time_stamper, tsa_signer

for tool in ("docker-registry", "skopeo", "umoci", "notation", "oras", "openssl"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed", allow_module_level=True)

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
END = START + timedelta(days=30)
FORMS = {"jws": notary_jws, "cose": notary_cose}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notary")
    make_layout(folder)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with docker_registry(folder / "registry") as (found, _):
        yield found


def _name(name: str) -> Name:
    return name_of(
        name, organization_name="Example", state_or_province_name="WA", country_name="US"
    )


def authority(name: str) -> Holder:
    """The subjects of notation's certificates need an organisation, a state and a country."""
    return root(_name(name), start=START, end=END)


def trusting(folder: Path, *stores: tuple[str, Holder], level: str = "strict") -> None:
    """Configure notation to trust these, and all their signers."""
    base = folder / "notation"
    shutil.rmtree(base, ignore_errors=True)
    for kind, holder in stores:
        place = base / "truststore" / "x509" / kind / "it"
        place.mkdir(parents=True)
        (place / "root.pem").write_bytes(holder.pem)
    policy: dict[str, object] = {
        "name": "it",
        "registryScopes": ["*"],
        "signatureVerification": {"level": level},
        "trustStores": [f"{kind}:it" for kind, _ in stores],
        "trustedIdentities": ["*"],
    }
    (base / "trustpolicy.json").write_text(
        json.dumps({"version": "1.0", "trustPolicies": [policy]})
    )


def notation(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["notation", *command],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"XDG_CONFIG_HOME": str(folder), "HOME": str(folder)},
        timeout=60,
    )


def sign(
    name: str, form: str, leaf: Holder, ca: Holder, terms: Terms, stamp: Stamp | None = None
) -> str:
    """Sign an image in the registry; the digest of the signature's manifest."""
    [image] = open_images(f"docker://{name}", OpenOptions())
    subject = subject_of(image)
    chain = [leaf.certificate, ca.certificate]
    by = signer_of(PlainKey(leaf.key), chain, terms.time)
    target = Artifact(subject.media_type, subject.digest, subject.size, {"team": "a"})
    envelope = FORMS[form].sign(by, target, terms, stamp)
    what = notary_attachment(envelope, FORMS[form].MEDIA_TYPE, by.thumbprints, terms.time)
    return str(attach(f"docker://{name}", subject, what))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521", "RSA 2048"])
def test_what_assay_signs_notation_verifies(
    folder: Path, address: str, form: str, kind: str
) -> None:
    ca = authority("root")
    leaf = signer(
        ca,
        _name("release"),
        key=_key(kind),
        start=START,
        end=END,
    )
    image = push(folder, address, f"{form}-{kind.lower().replace(' ', '-')}")
    trusting(folder, ("ca", ca))
    now = datetime.now(UTC)
    assert notation(folder, "verify", "--insecure-registry", image).returncode
    digest = sign(image, form, leaf, ca, Terms(now, now + timedelta(days=1)))
    done = notation(folder, "verify", "--insecure-registry", "--user-metadata", "team=a", image)
    assert done.returncode == 0, done.stderr
    trusting(folder, ("ca", authority("another")))
    assert notation(folder, "verify", "--insecure-registry", image).returncode
    listed = notation(folder, "list", "--insecure-registry", image)
    assert digest in listed.stdout
    found = json.loads(
        run("oras", "discover", "--plain-http", "--format", "json", image, folder=folder)
    )
    [referrer] = found["referrers"]
    assert referrer["artifactType"] == "application/vnd.cncf.notary.signature"
    (folder / "ca.pem").write_bytes(ca.pem)
    [verdict] = verify(f"docker://{image}", VerifyOptions(Trust().add_ca(folder / "ca.pem")))
    assert verdict.exit_status == 0, verdict.findings


def _key(kind: str) -> object:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    curves = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}
    if kind in curves:
        return ec.generate_private_key(curves[kind]())
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize("form", FORMS)
def test_a_time_stamp_that_notation_verifies(
    folder: Path, address: str, tmp_path: Path, form: str
) -> None:
    ca, top = authority("root"), authority("TSA root")
    leaf = signer(ca, _name("release"), start=START, end=END)
    image = push(folder, address, f"stamped-{form}")
    with time_stamper(tmp_path / "tsa", tsa_signer(top, start=START, end=END), top) as server:
        stamp = stamper(server.url, OpenOptions())
        sign(image, form, leaf, ca, Terms(datetime.now(UTC)), stamp)
    trusting(folder, ("ca", ca), ("tsa", top))
    done = notation(folder, "verify", "-v", "--insecure-registry", image)
    assert done.returncode == 0, done.stderr
    trusting(folder, ("ca", ca), ("tsa", authority("another")))
    done = notation(folder, "verify", "-v", "--insecure-registry", image)
    assert done.returncode, done.stdout
    assert "timestamp" in done.stderr.lower()


@pytest.mark.parametrize("form", FORMS)
def test_an_expired_signature(folder: Path, address: str, form: str) -> None:
    ca = authority("root")
    leaf = signer(ca, _name("release"), start=START, end=END)
    image = push(folder, address, f"expired-{form}")
    made = START + timedelta(minutes=1)
    sign(image, form, leaf, ca, Terms(made, made + timedelta(minutes=1)))
    trusting(folder, ("ca", ca))
    done = notation(folder, "verify", "--insecure-registry", image)
    assert done.returncode
    assert "expired" in done.stderr
    trusting(folder, ("ca", ca), level="permissive")
    assert notation(folder, "verify", "--insecure-registry", image).returncode == 0


def test_signatures_of_both_programs_side_by_side(folder: Path, address: str) -> None:
    ca = authority("root")
    leaf = signer(ca, _name("release"), start=START, end=END)
    image = push(folder, address, "shared")
    run("rm", "-rf", "notation", folder=folder)
    assert notation(folder, "cert", "generate-test", "ours").returncode == 0
    command = ("sign", "--key", "ours", "--insecure-registry", image)
    for number in range(2):
        assert notation(folder, *command).returncode == 0
        sign(image, "cose", leaf, ca, Terms(datetime.now(UTC) - timedelta(minutes=number)))
    listed = notation(folder, "list", "--insecure-registry", image).stdout
    assert listed.count("sha256:") == 5  # the image and four signatures


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["P-256", "P-384"])
def test_a_file_beside_its_signature(folder: Path, form: str, kind: str) -> None:
    ca = authority("root")
    leaf = signer(ca, _name("release"), key=_key(kind), start=START, end=END)
    trusting(folder, ("ca", ca))
    policy = json.loads((folder / "notation" / "trustpolicy.json").read_text())
    del policy["trustPolicies"][0]["registryScopes"]
    policy["trustPolicies"][0]["globalPolicy"] = True
    (folder / "notation" / "trustpolicy.blob.json").write_text(json.dumps(policy))
    (folder / "disk.img").write_bytes(b"disk")
    by = signer_of(PlainKey(leaf.key), [leaf.certificate, ca.certificate], datetime.now(UTC))
    digest = Digest(by.digest, hash_bytes(by.digest, b"disk"))
    target = Artifact("application/octet-stream", digest, 4)
    envelope = FORMS[form].sign(by, target, Terms(datetime.now(UTC)))
    signature = folder / f"disk.img{FORMS[form].SUFFIX}"
    signature.write_bytes(envelope)
    command = ("blob", "verify", "--signature", signature.name, "disk.img")
    peer = notation(folder, "blob", "--help").returncode == 0  # since its version 2
    if peer:
        done = notation(folder, *command)
        assert done.returncode == 0, done.stderr
    (folder / "ca.pem").write_bytes(ca.pem)
    [verdict] = verify(
        str(folder / "disk.img"), VerifyOptions(Trust().add_ca(folder / "ca.pem"), look_beside=True)
    )
    assert verdict.exit_status == 0, verdict.findings
    (folder / "disk.img").write_bytes(b"dusk")
    [verdict] = verify(
        str(folder / "disk.img"), VerifyOptions(Trust().add_ca(folder / "ca.pem"), look_beside=True)
    )
    assert verdict.exit_status == 1
    assert not peer or notation(folder, *command).returncode
    signature.unlink()
